"""The connections of a capture that does not fit into memory: part after part, then in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.packets.each import Each, Stage, one_by_one, tell
from lab.packets.frames import Frames, Protocol
from lab.packets.parts import only, parts
from lab.packets.scratch import Scratch, scratch_of
from lab.tcp import analysis
from lab.tcp.alike import Outcomes
from lab.tcp.columns import Ints, Segments, bounds, taken
from lab.tcp.table import Table

A_SEGMENT = 900
"""Octets that a segment takes in memory while it is analysed."""

OF_SEGMENTS = Segments.__struct_fields__[1:]
OF_CONNECTIONS = ("reused", "rtt", "completeness", "outcome", "shown")
TOGETHER = 1 << 15
"""Segments that are put in order at once."""

_Columns = dict[str, NDArray[Any]]

KINDS: dict[str, type[np.generic]] = {
    **dict.fromkeys(("row", "time", "length", "duplicate", "nth", "mattering"), np.int64),
    **dict.fromkeys(("sequence", "acknowledgment"), np.uint32),
    **dict.fromkeys(("flags", "window", "analysis"), np.uint16),
    "second": np.bool_,
}
"""What is kept in the scratch."""


def table(frames: Frames, each: Each = one_by_one) -> Table:
    """All connections of a capture; in parts if it has a scratch."""
    scratch = scratch_of(frames.octets)
    if scratch is None:
        return analysis.table(frames, each)
    pile, outcomes = _Pile(scratch), Outcomes()
    together, done = scratch.work // A_SEGMENT, 0
    for rows in parts(frames, Protocol.TCP, together):
        pile.add(analysis.table(only(frames, rows), each, outcomes), rows)
        scratch.settle()
        done += len(rows)
        tell(each, Stage.ANALYSED, done / max(len(frames), 1))
    scratch.parts = pile.count
    found = pile.table(outcomes)
    scratch.settle()
    return found


class _Pile:
    """What was found in the parts, one upon another: connections in the order of their parts."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._growing = {name: scratch.growing(kind) for name, kind in KINDS.items()}
        self._segments = self._connections = self.count = 0
        self._few: dict[str, list[NDArray[Any]]] = {}

    def add(self, part: Table, rows: Ints) -> None:
        """Take in a part, and of its frames the rows in the capture."""
        s, here = part.segments, self._segments
        columns = {name: getattr(s, name) for name in OF_SEGMENTS} | {"row": rows[s.row]}
        columns |= {"analysis": part.flags, "nth": part.nth}
        columns |= {"duplicate": part.duplicate + here, "mattering": part.mattering + here}
        for name, column in columns.items():
            self._growing[name].add(column)
        few = {name: getattr(part, name) for name in OF_CONNECTIONS}
        few |= {"first": s.first + here, "begin": rows[s.row[s.first]], "octets": part.octets.T}
        few |= {"one_by_one": part.one_by_one + self._connections}
        for name, column in few.items():
            self._few.setdefault(name, []).append(column)
        self._segments += len(s.row)
        self._connections += len(part)
        self.count += 1

    def table(self, outcomes: Outcomes) -> Table:
        """All of them, in order of the first segment."""
        few = {name: np.concatenate(columns) for name, columns in self._few.items()}
        order = np.argsort(few["begin"])
        counts = np.diff(few["first"], append=self._segments)
        first = np.cumsum(counts[order]) - counts[order]
        columns = self._in_order(few["first"], counts, order, first)
        place = np.argsort(order)
        return Table(
            segments=Segments(first, *(columns[name] for name in OF_SEGMENTS)),
            flags=columns["analysis"],
            one_by_one=np.sort(place[few["one_by_one"]]),
            octets=few["octets"][order].T,
            outcomes=tuple(outcomes.known),
            places=tuple(outcomes.places),
            **{name: columns[name] for name in ("duplicate", "nth", "mattering")},
            **{name: few[name][order] for name in OF_CONNECTIONS},
        )

    def _in_order(self, first: Ints, counts: Ints, order: Ints, moved: Ints) -> _Columns:
        """The columns of all segments, connection after connection in this order.

        ``first``: where each connection begins in the pile; ``moved``: where each does then.
        """
        pile = {name: growing.whole() for name, growing in self._growing.items()}
        found = {name: self._scratch.growing(kind) for name, kind in KINDS.items()}
        for some in (slice(*pair) for pair in bounds(moved, TOGETHER)):
            which = order[some]
            at, _ = taken(first, counts, which)
            for name in (*OF_SEGMENTS, "analysis"):
                found[name].add(pile[name][at])
                self._scratch.leave()
            for place, *others in (("duplicate", "nth"), ("mattering",)):
                begin = np.searchsorted(pile[place], first[which])
                number = np.searchsorted(pile[place], first[which] + counts[which]) - begin
                at, _ = taken(begin, number, np.arange(len(which)))
                found[place].add(pile[place][at] + np.repeat(moved[some] - first[which], number))
                for name in others:
                    found[name].add(pile[name][at])
            self._scratch.leave()
        return {name: growing.whole() for name, growing in found.items()}
