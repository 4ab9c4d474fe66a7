"""The first use of each term on a page, with its sentence from the glossary.

Names are searched one by one: to compile a pattern of all of them takes longer than to write a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from markupsafe import Markup, escape

from lab.glossary import TERMS
from lab.glossary.term import Term
from lab.report.glyphs import safe
from lab.text import Language, Text

TEXTS = 400
"""Texts of a page that are searched: by then its terms have been used."""

Spot = tuple[int, int, Term]
"""Where a term begins and ends in a text."""


class Marker:
    """Marks terms in texts, each once a page and language."""

    def __init__(self) -> None:
        """No term was used yet."""
        self._used: dict[Language, set[str]] = {language: set() for language in Language}
        self._left = TEXTS

    def mark(self, text: Text, language: Language) -> Markup:
        """One language as HTML, with the terms that were not used before."""
        words, used = safe(text.say(language)), self._used[language]
        self._left -= 1
        parts, at = [Markup()], 0
        for begin, end, term in _spots(words) if self._left > 0 else ():
            if begin >= at and term.id not in used:
                used.add(term.id)
                parts += [escape(words[at:begin]), _marked(words[begin:end], term, language)]
                at = end
        return Markup().join([*parts, escape(words[at:])])


@cache
def _names() -> tuple[tuple[str, Term], ...]:
    return tuple((name, term) for term in TERMS for name in term.patterns)


def _spots(words: str) -> list[Spot]:
    """The first use of each name, in order; of two at one place, the longer first."""
    lower = words.lower()
    if len(lower) != len(words):
        return []  # some capital has no small letter of its own: places would not fit
    there = [(name, term) for name, term in _names() if name in lower]  # few: the rest costs more
    found = ((at, at + len(name), term) for name, term in there for at in _first(lower, name))
    return sorted(found, key=lambda spot: (spot[0], -spot[1]))


def _first(lower: str, name: str) -> Iterator[int]:
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
            return
        at = lower.find(name, at + 1)


def _joins(character: str) -> bool:
    """Whether a character is part of an English word."""
    return character.isascii() and (character.isalnum() or character in "_-") and character != ""


def _marked(word: str, term: Term, language: Language) -> Markup:
    tip = Markup('<dfn tabindex="0">{}<span class="tip" role="note">{}</span></dfn>')
    return tip.format(word, term.sentence.say(language))
