"""The first use of each term on a page, with its sentence from the glossary."""

from __future__ import annotations

from markupsafe import Markup, escape

from lab.glossary.spotting import first_uses
from lab.glossary.term import Term
from lab.report.glyphs import safe
from lab.text import Language, Text

TEXTS = 400
"""Texts of a page that are searched: by then its terms have been used."""


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
        for spot in first_uses(words, used) if self._left > 0 else ():
            use = _marked(words[spot.start : spot.end], spot.term, language)
            parts += [escape(words[at : spot.start]), use]
            used.add(spot.term.id)
            at = spot.end
        return Markup().join([*parts, escape(words[at:])])


def _marked(word: str, term: Term, language: Language) -> Markup:
    tip = Markup('<dfn tabindex="0">{}<span class="tip" role="note">{}</span></dfn>')
    return tip.format(word, term.sentence.say(language))
