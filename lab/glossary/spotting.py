"""Where a text uses a term for the first time: there a page explains it.

Names are searched one by one: to compile a pattern of all of them takes longer than to write a page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, repeat
from operator import add
from string import ascii_uppercase

from msgspec import Struct

from lab.glossary import TERMS
from lab.glossary.term import Term

LOWER = {ord(letter): letter.lower() for letter in ascii_uppercase}
"""Keeps every character in its place, as ``lower`` does not."""


class Spot(Struct, frozen=True):
    """One first use: ``text[start:end]``."""

    start: int
    end: int
    term: Term


def first_uses(text: str, known: Collection[str] = ()) -> Iterator[Spot]:
    """Yield the first use of each term in a text, in order; the longest name wins.

    ``known``: ids of terms that were explained before.
    """
    done, at = set(known), 0
    for spot in _uses(text.translate(LOWER)):
        if spot.start < at:  # within a longer name
            continue
        at = spot.end
        if spot.term.id not in done:
            done.add(spot.term.id)
            yield spot


@cache
def _names() -> Mapping[str, Sequence[tuple[str, Term]]]:
    """All names by their first two characters: few texts have those of more than a few names."""
    names: dict[str, list[tuple[str, Term]]] = {}
    for term in TERMS:
        for name in term.patterns:
            names.setdefault(name[:2], []).append((name, term))
    return names


def _uses(lower: str) -> list[Spot]:
    """All uses of all names, in order; of two at one place, the longer first."""
    begun = dict.fromkeys(map(add, lower, lower[1:]))
    near = chain.from_iterable(map(_names().get, begun, repeat(())))
    there = [(name, term) for name, term in near if name in lower]  # few: the rest costs more
    found = (Spot(at, at + len(name), term) for name, term in there for at in _places(lower, name))
    return sorted(found, key=lambda spot: (spot.start, -spot.end))


def _places(lower: str, name: str) -> Iterator[int]:
    """Where a name stands as a word of its own, perhaps a plural; Chinese has no such bounds."""
    at = lower.find(name)
    while at >= 0:
        end = at + len(name)
        begins = not name[0].isascii() or not _joins(lower[max(at - 1, 0) : at])
        ends = not name[-1].isascii() or any(
            lower.startswith(plural, end) and not _joins(lower[end + len(plural) :][:1])
            for plural in ("", "s", "es")
        )
        if begins and ends:
            yield at
        at = lower.find(name, at + 1)


def _joins(character: str) -> bool:
    """Whether a character is part of an English word."""
    return character.isascii() and (character.isalnum() or character in "_-") and character != ""
