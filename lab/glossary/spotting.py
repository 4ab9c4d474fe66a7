"""Where a text uses a term for the first time: there a page explains it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from string import ascii_uppercase

from msgspec import Struct

from lab.glossary import TERMS
from lab.glossary.term import Term

LETTER = "[a-z0-9_-]"
"""What a word of its own does not stand next to."""

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
    pattern, terms = _lexicon()
    done = set(known)
    for found in pattern.finditer(text.translate(LOWER)):
        term = terms[found[0]]
        if term.id not in done:
            done.add(term.id)
            yield Spot(found.start(), found.end(), term)


@cache
def _lexicon() -> tuple[re.Pattern[str], dict[str, Term]]:
    """One pattern for every name, longest first, and the term of each.

    Names are sorted by how they begin: at most places of a text, that rules out all of them.
    """
    terms = {name: term for term in TERMS for name in term.patterns}
    begins: dict[str, list[str]] = {}
    for name in sorted(terms, key=len, reverse=True):
        begins.setdefault(name[0], []).append(name)
    groups = [_begun(first, names) for first, names in begins.items()]
    return re.compile("|".join(groups)), terms


def _begun(first: str, names: Iterable[str]) -> str:
    """The names that begin with a letter, where they are words of their own."""
    before = f"(?<!{LETTER}{first})" if first.isascii() else ""
    return f"{first}{before}(?:{'|'.join(map(_ended, names))})"


def _ended(name: str) -> str:
    """The rest of a name, perhaps a plural; Chinese has no such bounds."""
    after = f"(?=(?:s|es)?(?!{LETTER}))" if name[-1].isascii() else ""
    return re.escape(name[1:]) + after
