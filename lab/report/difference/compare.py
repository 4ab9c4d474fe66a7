"""Compare two runs: exchange by exchange, step by step, and what else differs between them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Set

from lab.evidence.run import Evidence
from lab.evidence.sightings import Sighting
from lab.report.difference.acts import NOBODY
from lab.report.difference.align import align
from lab.report.difference.counted import counters
from lab.report.difference.model import Difference, Mark, Pair, Row, Told
from lab.report.difference.naming import first, title
from lab.report.difference.outcomes import calls, outcomes
from lab.report.difference.side import FREE, Claims, Side
from lab.report.difference.steps import Step
from lab.scenarios import names

SLACK, SLACK_AGAIN = 30_000_000, 300_000_000
"""ns: as much may the same wait differ by chance; between two plays of one scenario, whose script
judges times more finely, on a busy machine."""
SHARE = 0.5  # or by this part of the longer wait


def difference(left: Evidence, right: Evidence) -> Difference:
    """Compare two runs, or capture files; the first views are those that are laid side by side."""
    again = _same_scenario(left, right)
    one, other = Side(left, again=again), Side(right, again=again)
    called = calls(one, other, (places := tuple(align(one.met, other.met))))
    pairs = tuple(_pair(one, other, i, j, called[i, j]) for i, j in places)
    told = called[NOBODY, NOBODY]
    if not again or told or not all(pair.alike for pair in pairs):
        told = (
            *told,
            *counters(left, right),
        )  # alone, they say nothing of two plays of one scenario
    return Difference(pairs, told, first(one, other, pairs))


def _same_scenario(left: Evidence, right: Evidence) -> bool:
    """Whether they are two plays of one scenario (not two views of one play)."""
    ours, theirs = left.manifest, right.manifest
    known = ours.scenario.partition(":")[0] in names()
    return known and ours.scenario == theirs.scenario and ours != theirs


def _pair(left: Side, right: Side, i: int | None, j: int | None, called: tuple[Told, ...]) -> Pair:
    ours = left.seen[i] if i is not None else None
    theirs = right.seen[j] if j is not None else None
    rows = tuple(_rows(left, right, ours, theirs))
    chance = left.again and not any(row.mark is Mark.OTHER for row in rows)
    told = outcomes(ours.talk, theirs.talk) if ours and theirs and not chance else ()
    return Pair(title(left, right, ours, theirs), ours, theirs, rows, (*told, *called))


def _rows(left: Side, right: Side, ours: Sighting | None, theirs: Sighting | None) -> Iterator[Row]:
    """Both side by side."""
    here, there = left.steps(ours), right.steps(theirs)
    claims = left.claims(ours), right.claims(theirs)
    made = frozenset(claims[0].values()), frozenset(claims[1].values())
    slack = SLACK_AGAIN if left.again else SLACK
    before: tuple[Step, Step] | None = None
    for i, j in align(here, there):
        one, other = here[i] if i is not None else None, there[j] if j is not None else None
        row = one, other
        yield Row(_mark(row, before, slack, _shared(row, claims, made)), *row)
        if one and other:
            before = one, other


Steps = tuple[Step | None, Step | None]


def _shared(
    row: Steps, claims: tuple[Claims, Claims], made: tuple[Set[Hashable], Set[Hashable]]
) -> Hashable | None:
    """What the scenario takes both for; of one alone, FREE, or what the other run has elsewhere.

    ``made``: all claims of each run.
    """
    ours, theirs = (
        known.get((step.host, step.frame)) if step else None
        for step, known in zip(row, claims, strict=True)
    )
    if all(row):
        return ours if ours == theirs else None
    alone, elsewhere = (ours, made[1]) if row[0] else (theirs, made[0])
    return alone if alone == FREE or alone in elsewhere else None


def _mark(row: Steps, before: tuple[Step, Step] | None, slack: int, shared: Hashable) -> Mark:
    one, other = row
    if one is None or other is None or one.key != other.key:
        return Mark.OTHER if shared is None else Mark.OPEN
    if before is None or shared == FREE:
        return Mark.SAME
    waits = one.time - before[0].time, other.time - before[1].time
    late = abs(waits[0] - waits[1]) > max(slack, SHARE * max(waits))
    return Mark.TIME if late else Mark.SAME
