"""Where a text uses a term for the first time: there a page explains it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache

from msgspec import Struct

from lab.glossary import TERMS
from lab.glossary.term import Term


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
    for found in pattern.finditer(text):
        term = terms[found[0].lower()]
        if term.id not in done:
            done.add(term.id)
            yield Spot(found.start(), found.end(), term)


@cache
def _lexicon() -> tuple[re.Pattern[str], dict[str, Term]]:
    """One pattern for every name, longest first, and the term of each."""
    terms = {name: term for term in TERMS for name in term.patterns}
    names = sorted(terms, key=len, reverse=True)
    return re.compile("|".join(map(_bounded, names)), re.IGNORECASE), terms


def _bounded(name: str) -> str:
    """A name where it is a word of its own, perhaps a plural; Chinese has no such bounds."""
    before = "(?<![a-z0-9_-])" if name[0].isascii() else ""
    after = "(?=(?:s|es)?(?![a-z0-9_-]))" if name[-1].isascii() else ""
    return before + re.escape(name) + after
