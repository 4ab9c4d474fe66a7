"""The lines of a comparison: the steps of two runs that face each other, and the calls between them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from msgspec import Struct

from lab.page.scene import CallRow
from lab.report.difference.model import Row
from lab.report.difference.steps import Step

Member = Step | CallRow | None
BEFORE = -1
"""Where the calls stand that come before the first step."""

MOST = 60
"""Calls that stand between two rows at most; the rest are in the run's own report."""


class Line(Struct, frozen=True):
    """What stands side by side."""

    row: int | None  # of the comparison; None: calls
    members: tuple[Member, Member]

    @property
    def times(self) -> tuple[int | None, int | None]:
        """ns, of each run."""
        ours, theirs = map(time_of, self.members)
        return ours, theirs


def time_of(member: Member) -> int | None:
    """When it was, ns."""
    return member.event.time if isinstance(member, CallRow) else member.time if member else None


def lines(
    rows: Sequence[Row], kept: Sequence[int], calls: Sequence[Sequence[CallRow]]
) -> Iterator[Line]:
    """Yield the rows that are kept, in order, each followed by the calls that came after it.

    ``calls``: of each run, in order of time. Those among rows that are left out are left out too.
    """
    after = [
        _after([row.left.time if row.left else None for row in rows], calls[0]),
        _after([row.right.time if row.right else None for row in rows], calls[1]),
    ]
    for index in ([BEFORE] if 0 in kept else []) + list(kept):
        if index != BEFORE:
            yield Line(index, (rows[index].left, rows[index].right))
        ours, theirs = (side.get(index, [])[:MOST] for side in after)
        yield from (Line(None, pair) for pair in zip_longest(ours, theirs))


def _after(times: Sequence[int | None], calls: Sequence[CallRow]) -> Mapping[int, list[CallRow]]:
    """One run's calls by the last of its rows before them."""
    known = [(time, index) for index, time in enumerate(times) if time is not None]
    found: dict[int, list[CallRow]] = defaultdict(list)
    for call in calls:
        place = bisect_right(known, call.event.time, key=lambda one: one[0])
        found[known[place - 1][1] if place else BEFORE].append(call)
    return found
