"""Text for a terminal: how wide it is, and how words from a capture are made harmless.

Whatever a stranger's frame, call log or file name holds, only printable characters leave this
module: escape sequences, control characters and bidirectional marks are spelt out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from unicodedata import combining, east_asian_width

from lab.text import Language

_SPELT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def width(text: str) -> int:
    """Columns that a printable text takes: two for East Asian wide characters (UAX #11)."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


@lru_cache(1 << 12)
def _columns(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def pad(text: str, columns: int) -> str:
    """Fill up with spaces on the right; a text that is already as wide stays as it is."""
    return text + " " * (columns - width(text))


def clip(text: str, columns: int) -> str:
    """Cut a text to so many columns; what was cut ends in an ellipsis."""
    if width(text) <= columns:
        return text
    return text[: _fitting(text, columns - 1)] + "…"


COMMAS = {Language.EN: ", ", Language.ZH: "，"}
JOINTS = {Language.EN: "; ", Language.ZH: "；"}
"""What stands between phrases on one line."""


def fold(
    phrases: Iterable[str], columns: int, joint: str = "; ", *, first: int | None = None
) -> list[str]:
    """Put phrases on as few lines as they need, several on one line where they fit.

    ``first``: columns of the first line, where something else stands on it; it is left empty
    if not even a word fits.
    """
    lines: list[str] = []
    first = columns if first is None else first
    for phrase in phrases:
        joined = f"{lines[-1]}{joint}{phrase}" if lines else phrase
        if lines and width(joined) <= (columns if len(lines) > 1 else first):
            lines[-1] = joined
        else:
            lines += _wrap(phrase, columns, columns if lines else first)
    return lines


NEVER_FIRST, NEVER_LAST = "，。：；、）”？！", "（“"
"""Punctuation that Chinese typesetting keeps off the start of a line, and off its end."""


WORD = re.compile("[^ ]* +|[^ ]+")


def _atoms(text: str) -> Iterator[str]:
    """Cut a text where a line may end: after a space, and around wide characters."""
    if text.isascii():
        yield from WORD.findall(text) or [""]
        return
    atom = ""
    for before, character in zip(" " + text, text, strict=False):
        breaks = before == " " or _columns(before) == 2 or _columns(character) == 2
        if atom and breaks and not (character in NEVER_FIRST + " " or before in NEVER_LAST):
            yield atom
            atom = ""
        atom += character
    yield atom


def _wrap(phrase: str, columns: int, first: int) -> Iterator[str]:
    """Break one phrase into lines; an atom that is too wide for any line is cut."""
    line, room = "", first
    topic, colon, rest = phrase.partition(": ")  # "handshake 1 of 3: " stays together
    atoms = [topic + colon, *_atoms(rest)] if colon and width(topic) < 20 else _atoms(phrase)
    for atom in atoms:
        if width((line + atom).rstrip()) <= room:
            line += atom
            continue
        if line or room < columns:
            yield line.rstrip()
        line, room = atom, columns
        while width(line.rstrip()) > columns:
            cut = _fitting(line, columns)
            yield line[:cut]
            line = line[cut:]
    yield line.rstrip()


def _fitting(text: str, columns: int) -> int:
    """How many characters of a text fit into so many columns, at least one."""
    used = 0
    for index, character in enumerate(text):
        used += _columns(character)
        if used > columns:
            return max(index, 1)
    return len(text)


def safe(text: str) -> str:
    r"""Spell out every character that is not printable: ``\n``, ``\x1b``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _spell(c) for c in text)


def _spell(character: str) -> str:
    code = ord(character)
    if character in _SPELT:
        return _SPELT[character]
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def quote(octets: bytes, total: int | None = None) -> str:
    """Show a payload: as text in quotes if it is UTF-8 text, else as hex.

    ``total`` is its full length where ``octets`` is only its beginning; a character cut at the
    end is left out then, and an ellipsis says that more follows.
    """
    more = total is not None and total > len(octets)
    text = _decode(octets, more)
    if text is None:
        return octets[:16].hex(" ") + (" …" if more or len(octets) > 16 else "")
    return f'"{safe(text)}{"…" if more else ""}"'


def _decode(octets: bytes, cut: bool) -> str | None:
    """The text, or None if the octets are not UTF-8 or hold control characters."""
    for length in range(len(octets), max(len(octets) - 4, -1), -1) if cut else (len(octets),):
        try:
            text = octets[:length].decode()
        except UnicodeDecodeError:
            continue
        return (
            None if any((ord(c) < 0x20 and c not in _SPELT) or c == "\x7f" for c in text) else text
        )
    return None
