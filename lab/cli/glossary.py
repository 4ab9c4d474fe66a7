"""``lab glossary``: the field's words, each in one sentence, and what it is confused with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.cli import _options as options
from lab.cli import _spoken as spoken
from lab.text import Language, Text

if TYPE_CHECKING:
    from lab.glossary.term import Term

NOTHING = Text("nothing", "无")


@spoken.command(
    help=Text(
        "Explain a term, English or Chinese; without one, list them all.",
        "解释一个术语，中英文均可；不指定则列出全部。",
    )
)
@spoken.argument("words", metavar=Text("[WORD]", "[术语]"), nargs=-1)
@options.as_json
@options.language
def command(words: tuple[str, ...], as_json: bool, language: Language) -> None:
    from lab.cli import _output as output
    from lab.glossary import TERMS
    from lab.report import terms

    chosen = (_find(" ".join(words)),) if words else TERMS
    if as_json:
        records = [terms.term_record(term) for term in chosen]
        output.write_json(records[0] if words else records, indent=2)
    elif words:
        output.write(terms.draw_term(chosen[0], language, output.columns(), output.paint()))
    else:
        output.write(terms.draw_terms(chosen))


def _find(word: str) -> Term:
    from lab.errors import GlossaryUnknown
    from lab.glossary import find, nearest

    if term := find(word):
        return term
    raise GlossaryUnknown(word=word, near=", ".join(nearest(word)) or NOTHING)
