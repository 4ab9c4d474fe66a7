"""The page of a run: one self-contained file, from evidence to a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.text import Language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.evidence.run import Evidence
    from lab.findings.base import Finding
    from lab.report.verdict import Verdict


def report(
    name: str,
    evidence: Evidence,
    judged: Verdict | None,
    language: Language = Language.EN,
    found: Sequence[Finding] | None = None,
) -> str:
    """The whole page of a run, or of a capture file.

    Args:
        name: of the run folder, or of the file.
        evidence: what is drawn.
        judged: its verdict, if its scenario is known.
        language: in which it opens; the other is a key away.
        found: all that was found in it; None: not known yet.
    """
    from lab.page.build import scene
    from lab.page.render import document

    return document(name, evidence, scene(evidence), judged, language, found)


def style() -> str:
    """The CSS of the page."""
    from lab.page.render import style

    return style()
