"""What stands around the ladder: heading, warnings, kernels, graphs, expected and seen, findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from lab import scenarios
from lab.errors import ScenarioUnknown
from lab.evidence.run import Evidence
from lab.findings.base import Finding, findings
from lab.page.graphs import Graph, sparklines, stevens
from lab.page.kernels import COLUMNS, witnesses
from lab.page.scene import Scene, frames_of
from lab.page.words import WORDS
from lab.report.people import people
from lab.report.verdict import Verdict
from lab.scenarios.base import Scenario
from lab.scenarios.script import Row, Segment, in_order
from lab.scenarios.seen import side_by_side
from lab.tcp.model import Connection
from lab.text import Text, same
from lab.units import seconds

GRAPHED = 8
"""Connections whose curves are drawn: the longest."""

LINES = 200
"""Lines of expected and seen that are shown of one connection."""

MARKS = {"=": "ok", "+": "ok", "~": "late", "!": "not"}
FOUND = 60


class Curves(Struct, frozen=True):
    """The graphs of one connection."""

    title: Text
    sparklines: tuple[Graph, ...]
    stevens: tuple[Graph, ...]


class Compared(Struct, frozen=True):
    """One connection's script beside what was seen: (mark, class, expected, frame, seen, time)."""

    stream: int
    lines: tuple[tuple[str, str, str, str, str, str], ...]
    left_out: int


def scenario_of(evidence: Evidence) -> Scenario | None:
    """The scenario of a run; None if the lab no longer knows it, or never did."""
    try:
        return scenarios.find(evidence.manifest.scenario)
    except ScenarioUnknown:
        return None


def heading(evidence: Evidence) -> Text:
    """What the page is about."""
    if scenario := scenario_of(evidence):
        return scenario.title
    return same(evidence.manifest.scenario or evidence.view.file)


def warnings(evidence: Evidence) -> Iterator[Text]:
    """What a reader must know before anything else."""
    manifest = evidence.manifest
    if manifest.dropped:
        yield WORDS["dropped"].fill(n=f"{manifest.dropped:,}")
    if manifest.scenario and not manifest.complete:
        yield WORDS["incomplete"].fill(reason=manifest.reason)


def notes(evidence: Evidence) -> Iterator[Text]:
    """Where the capture was taken, and how the axis is to be read."""
    view = evidence.view
    words = WORDS["vantage"] if view.host else WORDS["file"]
    yield words.fill(file=view.file, host=view.host)
    yield WORDS["scale_note"]
    if len(letters := people(evidence.manifest).letters) > 2:
        listed = ", ".join(f"{letter} = {host}" for host, letter in letters.items())
        yield WORDS["letters"].fill(letters=listed)


def outside_counts(drawn: Scene) -> list[tuple[str, int]]:
    """The frames of no exchange by protocol, drawn or not."""
    counts = Counter(drawn.background)
    rest = next((act for act in drawn.acts if act.key == "rest"), None)
    counts.update(row.event.flags for row in frames_of(rest.rows if rest else ()))
    return counts.most_common()


def below(
    evidence: Evidence, drawn: Scene, found: Sequence[Finding] | None = None
) -> dict[str, object]:
    """What the template of the lower half needs; ``found``: see `lab.page.report`.

    Where more was found than is shown, it is looked for anew: then a finding says what is left out.
    """
    if found is None or len(found) > FOUND:
        found = findings(evidence, at_most=FOUND)
    return {
        "witnesses": list(witnesses(evidence)),
        "columns": COLUMNS,
        "taps": evidence.manifest.taps,
        "versions": sorted(evidence.manifest.versions.items()),
        "curves": list(_curves(evidence)),
        "compared": list(_compared(evidence)),
        "findings": found[:FOUND],
        "keys_drawn": _numbers(drawn),
    }


def _numbers(drawn: Scene) -> frozenset[int]:
    """The frames that the page shows: those that a link can lead to."""
    frames = (row.event for act in drawn.acts for row in frames_of(act.rows))
    return frozenset(event.number for event in frames if not event.elsewhere)


def _curves(evidence: Evidence) -> Iterator[Curves]:
    view, who = evidence.view, people(evidence.manifest)
    longest = sorted(view.connections, key=lambda one: -len(one.rows))[:GRAPHED]
    for one in sorted(longest, key=lambda connection: connection.stream):
        names = who.pair(one.client, one.server)
        drawn = tuple(sparklines(evidence, one)), tuple(stevens(view, one, names))
        if any(drawn):
            yield Curves(_name(one), *drawn)


def _name(connection: Connection) -> Text:
    return Text("TCP connection {n}", "TCP 连接 {n}").fill(n=connection.stream)


def _compared(evidence: Evidence) -> Iterator[Compared]:
    scenario = scenario_of(evidence)
    for stream, script in enumerate(scenario.scripts if scenario else ()):
        if stream < len(evidence.view.connections):
            rows = side_by_side(evidence, script, stream)
            start = next((row.seen.time for row in rows if row.seen), 0)
            lines = tuple(_line(row, start) for row in rows[:LINES])
            yield Compared(stream, lines, len(rows) - len(lines))


def _line(row: Row, start: int) -> tuple[str, str, str, str, str, str]:
    expected = " ".join(row.expected.text.split()) if row.expected else ""
    seen, number, when = "", "", ""
    if row.seen:
        seen, number = _seen(row.seen), f"#{row.seen.number}" if row.seen.number else "✗"
        when = seconds(row.seen.time - start)
    return row.mark, MARKS[row.mark], expected, number, seen, when


def _seen(one: Segment) -> str:
    said = [f"{one.sender}>{'S' if one.sender == 'C' else 'C'} {in_order(one.flags)}"]
    said += [f"seq {one.sequence}" + (f" +{one.length}" if one.length else "")]
    said += [f"ack {one.acknowledgment}"] if "ACK" in one.flags else []
    said += [f"win {one.window}"]
    said += ["lost"] if one.lost else ["forged"] if one.forged else []
    return " ".join(said)


def pill(judged: Verdict) -> Text:
    """The verdict in a few words."""
    if judged.unavailable:
        return judged.unavailable
    total = len(judged.rows)
    return WORDS["kept"].fill(kept=total - judged.broken, total=total)
