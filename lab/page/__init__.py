"""The page of a run: one self-contained file, from evidence to a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.text import Language

if TYPE_CHECKING:
    from lab.evidence.run import Evidence
    from lab.report.verdict import Verdict


def report(
    name: str, evidence: Evidence, judged: Verdict | None, language: Language = Language.EN
) -> str:
    """The whole page of a run, or of a capture file.

    Args:
        name: of the run folder, or of the file.
        evidence: what is drawn.
        judged: its verdict, if its scenario is known.
        language: in which it opens; the other is a key away.
    """
    from lab.page.build import scene
    from lab.page.render import document

    return document(name, evidence, scene(evidence), judged, language)


def acts(evidence: Evidence) -> list[tuple[str, str]]:
    """Each exchange alone, as its whole element: (the id of that element, HTML).

    Rows have ids of their own, so a live page can put what changed in the place of what was.
    """
    from lab.page.build import scene
    from lab.page.render import act_html

    drawn = scene(evidence)
    return [(f"act-{act.key}", act_html(act, drawn)) for act in drawn.acts]


def style() -> str:
    """The CSS of the page."""
    from lab.page.render import style

    return style()


def rows(evidence: Evidence) -> list[tuple[str, str]]:
    """Each row of the ladder alone: (a key that it keeps, HTML), exchange after exchange.

    The key is the id of the row's element; a live page puts a row in the place of the one with its
    key, or else at the end of its exchange (``act-KEY``).
    """
    from lab.page.build import scene
    from lab.page.render import row_html

    return [(row.key, row_html(row)) for act in scene(evidence).acts for row in act.rows]
