"""Terms of the glossary, drawn for a terminal and as records for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.glossary import find
from lab.glossary.term import Term
from lab.report.glyphs import COMMAS, fold, pad, width
from lab.report.terminal import Paint, plain
from lab.text import Language, Text, same

APART = Text("Not to be confused with", "不要混淆")
SEE = Text("See it", "看实例")
COMMAND = same("lab run {scenario}")


def draw_term(term: Term, language: Language, columns: int, paint: Paint = plain) -> Iterator[str]:
    """Yield the lines of one term: its sentence, what it is confused with, where to see it."""
    yield paint(term.term.say(language), "title")
    yield from fold([term.sentence.say(language)], columns)
    heads = [_named(other.ids, language) for other in term.confused_with]
    if heads:
        yield ""
        yield paint(APART.say(language), "title")
    for head, other in zip(heads, term.confused_with, strict=True):
        yield f"  {head}"
        yield from (f"    {line}" for line in fold([other.words.say(language)], columns - 4))
    if term.scenario:
        yield ""
        yield f"{paint(SEE.say(language), 'title')}  {COMMAND.fill(scenario=term.scenario).en}"


def _named(ids: Sequence[str], language: Language) -> str:
    found = [term.term.say(language) for identity in ids if (term := find(identity))]
    return COMMAS[language].join(found)


def draw_terms(terms: Sequence[Term]) -> Iterator[str]:
    """Yield a line a term: its English and its Chinese name."""
    column = max(width(term.term.en) for term in terms)
    for term in terms:
        yield f"{pad(term.term.en, column)}  {term.term.zh}"


def term_record(term: Term) -> dict[str, object]:
    """A term for programs: words in both languages, the scenario, what it is confused with."""
    return {
        "id": term.id,
        "term": _both(term.term),
        "sentence": _both(term.sentence),
        "scenario": term.scenario or None,
        "confused_with": [
            {"ids": list(other.ids), "words": _both(other.words)} for other in term.confused_with
        ],
    }


def _both(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}
