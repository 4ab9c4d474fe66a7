"""The whole account of a run: the ladder, expected and seen side by side, the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from lab import scenarios
from lab.errors import ScenarioUnknown
from lab.evidence.run import Evidence
from lab.report.beside import beside
from lab.report.ladder import ladder
from lab.report.terminal import Paint, draw, plain
from lab.report.verdict import Verdict, draw_verdict, verdict
from lab.text import Language, Text

VERDICT = Text("Verdict: {title}", "结论：{title}")


def judge(evidence: Evidence) -> Verdict | None:
    """The verdict of a run's own scenario; None if the lab no longer knows it."""
    try:
        return verdict(scenarios.find(evidence.manifest.scenario), evidence)
    except ScenarioUnknown:
        return None


def shows_background(evidence: Evidence) -> bool:
    """Whether a run's scenario is about frames of no exchange."""
    try:
        return scenarios.find(evidence.manifest.scenario).background
    except ScenarioUnknown:
        return False


def compared(
    evidence: Evidence, language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """Yield expected and seen side by side, for a run of a scenario that has scripts."""
    with suppress(ScenarioUnknown):
        scenario = scenarios.find(evidence.manifest.scenario)
        yield from beside(scenario, evidence, language, paint, columns=columns)


def account(
    evidence: Evidence,
    judged: Verdict | None,
    language: Language,
    columns: int,
    paint: Paint = plain,
) -> Iterator[str]:
    """Yield the lines of a run's ladder and of its verdict (see `judge`)."""
    drawn = ladder(evidence, background=shows_background(evidence))
    yield from draw(drawn, language, columns, paint)
    yield from compared(evidence, language, columns, paint)
    if judged:
        title = scenarios.find(judged.scenario).title
        yield ""
        yield paint(VERDICT.fill(title=title).say(language), "title")
        yield from draw_verdict(judged, language, columns, paint)
