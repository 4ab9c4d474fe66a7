"""Where an ACK covers data that the capture lacks, as Zeek tells it (the letter g of its history).

Streams in which that may be are found with columns; those few are read segment by segment.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from lab.packets.distinct import distinct
from lab.tcp.columns import LIFT, NOWHERE, Ints, Mask, Segments, Standing, running
from lab.tcp.segments import SYN


def gaps(s: Segments, stand: Standing, closed: Ints) -> Ints:
    """Positions of the segments that reveal a gap, ascending.

    ``closed``: where each stream shows its first FIN or RST; from there on nothing is told.
    """
    beyond = stand.acks & stand.heard & (stand.acknowledgment > stand.other_next)
    streams = distinct(np.concatenate((_possible(s, stand), stand.stream[beyond])))
    found: list[int] = []
    for stream in streams.tolist():
        at = s.bounds(stream)
        found += _revealed(s, stand, slice(at.start, min(at.stop, int(closed[stream]))))
    return np.array(found, np.int64)


class _Received:
    """What one end has sent, as far as the capture holds it."""

    def __init__(self, contiguous: int) -> None:
        self.start = self.contiguous = contiguous  # end of the data without a hole
        self.ahead: list[tuple[int, int]] = []  # data beyond a hole: a heap

    def store(self, begin: int, end: int) -> None:
        """Note data, in order or beyond a hole."""
        heappush(self.ahead, (begin, end))
        while self.ahead and self.ahead[0][0] <= self.contiguous:
            self.contiguous = max(self.contiguous, heappop(self.ahead)[1])

    def reveals(self, acknowledged: int) -> bool:
        """Whether an ACK covers more than was seen; each gap is told once."""
        nothing = self.contiguous == self.start and not self.ahead
        if acknowledged <= self.contiguous or nothing:
            return False
        self.contiguous = acknowledged
        return True


def _revealed(s: Segments, stand: Standing, at: slice) -> list[int]:
    flags = s.flags[at]
    columns = zip(
        s.second[at].tolist(),
        stand.sequence[at].tolist(),
        s.length[at].tolist(),
        ((flags & SYN) != 0).tolist(),
        stand.acks[at].tolist(),
        stand.acknowledgment[at].tolist(),
        strict=True,
    )
    ends: list[_Received | None] = [None, None]
    found = []
    for position, (side, number, length, syn, acks, acknowledged) in enumerate(columns, at.start):
        own, other = ends[side], ends[not side]
        if own is None:
            own = ends[side] = _Received(number + syn)
        if length:
            own.store(number + syn, number + syn + length)
        if acks and other is not None and other.reveals(acknowledged):
            found.append(position)
    return found


def _possible(s: Segments, stand: Standing) -> Ints:
    """Streams in which an ACK may cover data that the capture lacks."""
    holes = np.zeros(len(s.first), np.bool_)
    holes[stand.stream[stand.known & (stand.sequence > stand.next)]] = True
    at = np.flatnonzero(holes[stand.stream])
    if not len(at):
        return at
    stream, second = stand.stream[at], s.second[at]
    odd = np.zeros(len(at), np.bool_)
    for side in (0, 1):
        acked = running(stand.acknowledgment[at], stand.acks[at] & (second != side), stream)
        fills = (second == side) & (stand.sequence[at] < stand.next[at]) & stand.known[at]
        odd |= fills & (s.length[at] > 0) & (acked > stand.sequence[at])
        odd |= _never_filled(s, stand, at, side, acked)
    return stream[odd]


def _never_filled(s: Segments, stand: Standing, at: Ints, side: int, acked: Ints) -> Mask:
    """Segments after a hole that stayed, in streams whose ACKs went past it."""
    last = np.append(np.flatnonzero(np.diff(stand.stream[at])), len(at) - 1)
    final = np.full(len(s.first), NOWHERE)
    final[stand.stream[at[last]]] = acked[last]
    mine = np.flatnonzero((s.second[at] == side) & (stand.end[at] > stand.sequence[at]))
    rows = at[mine]
    order = np.argsort((stand.stream[rows] << LIFT) + stand.sequence[rows])
    rows = rows[order]
    stream = stand.stream[rows]
    edge = running(stand.end[rows], np.ones(len(rows), np.bool_), stream)
    inner = np.append(False, stream[1:] == stream[:-1])
    before = np.where(inner, np.append(0, edge[:-1]), 0)  # a direction's numbers begin at 0
    missing = (stand.sequence[rows] > before) & (final[stream] > before)
    odd = np.zeros(len(at), np.bool_)
    odd[mine[order[missing]]] = True
    return odd
