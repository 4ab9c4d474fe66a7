"""One ladder for all exchanges between the same two hosts: their rows, in the order of time.

The rows are the exchanges' own, with the same keys, at other places. So a page has no row twice:
its script takes them from one ladder to the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import chain
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import replace

from lab.page import calls
from lab.page.build import EVEN, LEAST, clocks
from lab.page.geometry import Axis, Journey, Pair, arrow, axis, even_heights
from lab.page.scene import Act, Clocks, FrameRow, Row, frames_of
from lab.report.people import People
from lab.text import Text, same

TOGETHER = Text("together", "合并")
TOGETHER_OF = Text("together: {left}, {right}", "合并：{left}、{right}")
TITLE = Text(
    "{left} and {right}: {n} exchanges in order of time",
    "{left} 与 {right}：{n} 次交换，按时间先后排列",
)
NAMED = same("{tab} {client} → {server}")

Ends = tuple[str, str]
"""Who opened an exchange, and who was asked: hosts by name, others by address."""


class Place(Struct, frozen=True, array_like=True):
    """What is different about a row of the joint ladder, as the page's script takes it."""

    key: str
    places: tuple[float, ...]  # px: its own, of its arrow's begin, fall and forks, even and true
    clocks: tuple[str, ...]  # but for that on the wall


def joints(acts: Iterable[Act], who: People) -> tuple[Act, ...]:
    """A ladder for each two hosts with several exchanges that the same one of them opened."""
    between: dict[Ends, list[Act]] = defaultdict(list)
    for act in acts:
        if act.talk:
            ends = act.talk.client.address, act.talk.server.address
            left, right = (who.names.get(end, end) for end in ends)
            between[left, right].append(act)
    several = {ends: some for ends, some in between.items() if len(some) > 1}
    tab = TOGETHER if len(several) == 1 else TOGETHER_OF
    return tuple(
        _joint(f"joint{n}", tab, ends, some) for n, (ends, some) in enumerate(several.items())
    )


def places(joint: Act) -> list[Place]:
    """All rows of a joint ladder, in order."""
    return [
        Place(row.key, tuple(round(one, 1) for one in chain(*_pairs(row))), row.clocks[:3])
        for row in joint.rows
    ]


def _pairs(row: Row) -> tuple[Pair, ...]:
    if not isinstance(row, FrameRow):
        return (row.top,)
    return row.top, row.arrow.lift, row.arrow.fall, *row.arrow.forked


def _joint(key: str, tab: Text, ends: Ends, acts: Sequence[Act]) -> Act:
    merged = list(merge(*map(_timed, acts), key=itemgetter(0)))
    rows = [row for _, row, _ in merged]
    journeys = {n: journey for n, (_, _, journey) in enumerate(merged) if journey}
    placed = _axis([time for time, _, _ in merged], rows, journeys)
    start = min(row.event.time for row in frames_of(rows))
    told = clocks([row.event for row in rows], start)
    moved = tuple(
        _moved(row, n, clock, placed, journeys)
        for n, (row, clock) in enumerate(zip(rows, told, strict=True))
    )
    left, right = ends
    return Act(
        key=key,
        tab=tab.fill(left=left, right=right),
        title=TITLE.fill(left=left, right=right, n=len(acts)),
        summary=tuple(_named(act) for act in acts),
        hosts=acts[0].hosts,
        letters=acts[0].letters,
        axis=placed,
        rows=moved,
        calls=tuple(calls.brackets(moved, placed)),
        journeys=journeys,
    )


def _named(act: Act) -> Text:
    """The label of an exchange, and its two endpoints."""
    assert act.talk
    return NAMED.fill(tab=act.tab, client=act.talk.client, server=act.talk.server)


def _timed(act: Act) -> list[tuple[int, Row, Journey | None]]:
    return [(row.event.time, row, act.journeys.get(n)) for n, row in enumerate(act.rows)]


def _axis(times: Sequence[int], rows: Sequence[Row], journeys: dict[int, Journey]) -> Axis:
    heights = even_heights(times, [EVEN[row.kind] for row in rows], journeys)
    return axis(times, heights, [LEAST[row.kind] for row in rows])


def _moved(row: Row, index: int, clock: Clocks, placed: Axis, journeys: dict[int, Journey]) -> Row:
    top = placed.top(index)
    if isinstance(row, FrameRow):
        shaft = arrow(placed, index, journeys[index])
        return replace(row, top=top, clocks=clock, arrow=shaft)
    return replace(row, top=top, clocks=clock)
