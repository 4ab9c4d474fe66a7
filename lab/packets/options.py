"""TCP options (RFC 9293 section 3.1 and the documents named below), read one segment at a time."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from msgspec import Struct

END, NO_OPERATION, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
FAST_OPEN = 34
BLOCK = 8  # octets of a SACK block
ALIGNED = bytes((NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10))
"""How timestamps begin where nothing else is sent along (RFC 7323 appendix A), as in most segments."""

_PAIR = struct.Struct(">II")


class Options(Struct, frozen=True):
    """The options of a segment; None or empty where it carries none."""

    mss: int | None = None  # RFC 9293 section 3.7.1
    window_scale: int | None = None  # RFC 7323: the shift as sent (more than 14 counts as 14)
    sack_permitted: bool = False  # RFC 2018
    sack: tuple[tuple[int, int], ...] = ()  # RFC 2018: (left edge, right edge), absolute
    sack_cut: bool = False  # there are more blocks: the snap length cut them off
    timestamps: tuple[int, int] | None = None  # RFC 7323: (TSval, TSecr)
    fast_open: bytes | None = None  # RFC 7413: the cookie, b"" asks for one
    unknown: tuple[tuple[int, bytes], ...] = ()  # (kind, value)


def parse_options(octets: bytes, size: int | None = None) -> Options:
    """Parse what follows the fixed TCP header.

    A length that cannot be ends the parse: what came before it is returned. An option of a
    known kind and the wrong length is kept as unknown. ``size``: octets that the header has, where
    fewer were captured: of an option that is cut only SACK tells something.
    """
    if len(octets) == len(ALIGNED) + _PAIR.size and octets.startswith(ALIGNED):
        return Options(timestamps=_PAIR.unpack_from(octets, len(ALIGNED)))
    known: dict[str, object] = {}
    unknown = []
    for kind, value, missing in _each(octets, len(octets) if size is None else size):
        if missing:
            known |= _cut(kind, value, missing)
        elif (parsed := _known(kind, value)) is None:
            unknown.append((kind, value))
        else:
            known.update((parsed,))
    return Options(**known, unknown=tuple(unknown))  # type: ignore[arg-type]


def _each(octets: bytes, size: int) -> Iterator[tuple[int, bytes, int]]:
    """Kind, value, and how many octets of that were not captured."""
    at = 0
    while at < len(octets) and octets[at] != END:
        if octets[at] == NO_OPERATION:
            at += 1
            continue
        length = octets[at + 1] if at + 1 < len(octets) else 0
        if length < 2 or at + length > size:
            return
        yield octets[at], octets[at + 2 : at + length], max(at + length - len(octets), 0)
        at += length


def _cut(kind: int, value: bytes, missing: int) -> dict[str, object]:
    """What is left of an option: the blocks of a SACK that are whole."""
    if kind != SACK or (len(value) + missing) % BLOCK:
        return {}
    return {"sack": _blocks(value[: len(value) // BLOCK * BLOCK]), "sack_cut": True}


def _known(kind: int, value: bytes) -> tuple[str, object] | None:
    match kind, len(value):
        case (2, 2):
            return "mss", int.from_bytes(value, "big")
        case (3, 1):
            return "window_scale", value[0]
        case (4, 0):
            return "sack_permitted", True
        case (5, size) if size % BLOCK == 0:
            return "sack", _blocks(value)
        case (8, 8):
            return "timestamps", tuple(_words(value))
        case (34, _):
            return "fast_open", value
    return None


def _blocks(value: bytes) -> tuple[tuple[int, int], ...]:
    return tuple(zip(*[iter(_words(value))] * 2, strict=True))


def _words(value: bytes) -> list[int]:
    return [int.from_bytes(value[at : at + 4], "big") for at in range(0, len(value), 4)]
