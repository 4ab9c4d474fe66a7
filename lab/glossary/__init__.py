"""The glossary: the field's words in both languages, each in one plain sentence.

A theme is a module that offers ``TERMS``; what is taken for what stands in confusions.py, what merely
stands beside what in neighbours.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec.structs import replace

from lab.glossary import closing, opening, packets, recovery, sockets
from lab.glossary.confusions import CONFUSIONS
from lab.glossary.neighbours import NEIGHBOURS
from lab.glossary.term import Confusion, Term
from lab.text import Language

THEMES = (packets, opening, closing, recovery, sockets)


def _told_apart(term: Term) -> Term:
    """The term with all that it is confused with."""
    others = (
        Confusion(tuple(other for other in one.ids if other != term.id), one.words)
        for one in (*CONFUSIONS, *NEIGHBOURS)
        if term.id in one.ids
    )
    return replace(term, confused_with=tuple(others))


TERMS: tuple[Term, ...] = tuple(_told_apart(term) for theme in THEMES for term in theme.TERMS)


def _plain(word: str) -> str:
    """A word as it is looked up: lower case, hyphens and repeated spaces as single spaces."""
    return " ".join(word.lower().replace("-", " ").replace("_", " ").split())


def _names(term: Term) -> set[str]:
    """All that a term may be looked up by."""
    spoken = (term.term.say(language) for language in Language)
    return {_plain(name) for name in (term.id, *spoken, *term.patterns)}


@cache
def _by_name() -> Mapping[str, Term]:
    return {name: term for term in reversed(TERMS) for name in _names(term)}


def find(word: str) -> Term | None:
    """The term that is called so, in either language; None if there is none."""
    return _by_name().get(_plain(word))


def nearest(word: str) -> tuple[str, ...]:
    """English names of terms that are called something like it, the nearest first; at most three."""
    import difflib  # by a wrong word only: every page imports the glossary

    known = _by_name()
    near = difflib.get_close_matches(_plain(word), known, n=9, cutoff=0.5)
    return tuple(dict.fromkeys(known[name].term.en for name in near))[:3]
