"""Acknowledgments of what the capture lacks: beyond the end of the data without a hole
(`Direction.contiguous` in `lab.tcp.flags`), where that is not simply the highest sequence end.

It parts from that end when a segment steps over a hole, or when the other end acknowledges what
the capture lacks; it joins it again when a segment begins exactly there. Such times are few, and
each direction's are followed one after another; each step is a search in sorted columns.
"""

from __future__ import annotations

import numpy as np

from lab.packets.distinct import distinct
from lab.tcp.columns import LIFT, NOWHERE, Ints, Segments, Standing
from lab.tcp.reached import Reached

NEVER = (1 << 31) - 1
AT_ONCE = 64
"""Segments of a direction that are looked at together."""


def unseen(s: Segments, stand: Standing, reached: Reached, stepped: Ints, beyond: Ints) -> Ints:
    """Positions of the segments that acknowledge what the capture lacks, each hole told once.

    Args:
        s, stand: the streams.
        reached: the acknowledgments in those concerned.
        stepped: positions of segments that raised the highest end without beginning at it.
        beyond: positions of segments that acknowledge more than the other end's highest end.
    """
    steps = stand.direction(s, stepped) << 32 | stepped
    acks = (stand.direction(s, beyond) ^ 1) << 32 | beyond
    events = np.sort(np.concatenate((steps, acks)))
    walk = _Walk(s, stand, reached, distinct(events >> 32))
    direction, until = -1, -1
    for event in events.tolist():
        if event >> 32 == direction and event & NEVER <= until:
            continue  # the edge stands apart already
        direction = event >> 32
        until = walk.follow(direction, event & NEVER)
    return np.array(walk.unseen, np.int64)


class _Walk:
    """Follows edges from where they part from the highest sequence end to where they join it."""

    def __init__(self, s: Segments, stand: Standing, reached: Reached, directions: Ints) -> None:
        self.s, self.stand, self.reached = s, stand, reached
        concerned = np.zeros(2 * len(s.first), np.bool_)
        concerned[directions] = True
        at = np.flatnonzero(concerned[stand.stream * 2 + s.second])
        self.every = _Index(s, stand, at)
        self.stored = _Stored(s, stand, at[stand.end[at] > stand.sequence[at]])
        self.unseen: list[int] = []

    def follow(self, direction: int, at: int) -> int:
        """From the segment that makes the edge part; returns the position at which it joins."""
        joined = False
        if bool(self.s.second[at]) == bool(direction & 1):
            edge = int(self.stand.next[at])
        else:
            edge, joined = self._acknowledged(direction, at)
        while not joined:
            met = self.every.after(direction, edge, at)
            passed = self.reached.passes(direction, edge, NEVER)
            if met < passed or passed == NEVER:
                return met
            at = passed
            edge, joined = self._acknowledged(direction, at)
        return at

    def _acknowledged(self, direction: int, at: int) -> tuple[int, bool]:
        """The edge that an ACK of unseen data gives, and whether it is the highest end again."""
        self.unseen.append(at)
        acknowledged = int(self.stand.acknowledgment[at])
        edge = self.stored.joined(direction, acknowledged, at)
        return edge, edge == self.stand.other_next[at]


class _Stored:
    """The segments of each direction that occupy sequence space, as they came."""

    def __init__(self, s: Segments, stand: Standing, at: Ints) -> None:
        direction = stand.direction(s, at)
        order = np.argsort(direction, kind="stable")
        at, direction = at[order], direction[order]
        self.places = direction << 32 | at
        reached = np.where(stand.known[at], stand.next[at], NOWHERE)
        self.before = (direction << LIFT) + reached
        self.begin, self.end = stand.sequence[at], stand.end[at]

    def joined(self, direction: int, number: int, at: int) -> int:
        """Where the segments end that, from ``number`` on, came in order before ``at``."""
        first, last = self.places.searchsorted((direction << 32, direction << 32 | at)).tolist()
        reached = int(self.before.searchsorted((direction << LIFT) + number, side="right"))
        edge = number
        for some in range(max(first, reached - 1), last, AT_ONCE):
            part = slice(some, min(some + AT_ONCE, last))
            for begin, end in zip(self.begin[part].tolist(), self.end[part].tolist(), strict=True):
                if begin < number:
                    continue
                if begin != edge:
                    return edge
                edge = end
        return edge


class _Index:
    """Where in each direction a segment begins at a number."""

    def __init__(self, s: Segments, stand: Standing, at: Ints) -> None:
        keys = (stand.direction(s, at) << LIFT) + stand.sequence[at]
        order = np.argsort(keys, kind="stable")
        self.keys, self.at = keys[order], at[order]

    def after(self, direction: int, number: int, at: int) -> int:
        """The first position after ``at``; NEVER if there is none."""
        key = (direction << LIFT) + number
        first, last = self.keys.searchsorted((key, key + 1)).tolist()
        place = first + int(self.at[first:last].searchsorted(at, side="right"))
        return int(self.at[place]) if place < last else NEVER
