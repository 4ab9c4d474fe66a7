"""Sums over each connection: which parts of its life were seen, how much it carried."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.tcp.columns import LIFT, Ints, Segments, Standing, running
from lab.tcp.completeness import SYN as SEEN_SYN
from lab.tcp.completeness import adds
from lab.tcp.segments import ACK, FIN, RST, SYN

WITH_DATA = 1 << 5
KINDS = np.array(
    [adds(i, carries=i >= WITH_DATA, first=False) for i in range(2 * WITH_DATA)], np.uint8
)
"""What a segment adds to the completeness of its connection: by its flags, and data or not."""


def completeness_of(s: Segments) -> NDArray[np.uint8]:
    """Wireshark's tcp.completeness of each stream; see `lab.tcp.completeness`."""
    kind = s.flags & np.uint16(FIN | SYN | RST | ACK)
    kind |= (s.length > 0) * np.uint16(WITH_DATA)
    seen: NDArray[np.uint8] = np.bitwise_or.reduceat(KINDS[kind], s.first)
    seen[s.flags[s.first] & (SYN | ACK) == SYN] |= SEEN_SYN
    return seen


def octets_of(s: Segments, stand: Standing) -> Ints:
    """Payload that each end sent, each octet of sequence space once; shape (2, streams).

    As `lab.tcp.numbers.stream_octets` counts it: not what a RST carries.
    """
    directions = 2 * len(s.first)
    carries = (s.length > 0) & ((s.flags & RST) == 0)
    again = np.zeros(directions, np.bool_)
    again[
        stand.direction(s, np.flatnonzero(carries & stand.known & (stand.sequence < stand.next)))
    ] = True
    at = np.flatnonzero(carries)
    direction = stand.direction(s, at)
    total = np.bincount(direction, s.length[at], directions).astype(np.int64)
    some = again[direction]
    if some.any():
        total[again] = _covered(s, stand, at[some], directions)[again]
    return total.reshape(-1, 2).T


def _covered(s: Segments, stand: Standing, at: Ints, directions: int) -> Ints:
    """Octets of sequence space that these segments cover; one entry a direction."""
    syns = (s.flags & SYN) != 0
    opened = np.zeros(directions, np.bool_)
    opened[stand.direction(s, np.flatnonzero(syns))] = True
    direction, start = stand.direction(s, at), stand.sequence[at] + syns[at]
    end = start + s.length[at]
    start = np.maximum(start, np.where(opened[direction], 1, start))
    order = np.argsort((direction << LIFT) + start)
    direction, start, end = direction[order], start[order], end[order]
    reached = running(end, np.ones(len(at), np.bool_), direction)
    same = np.append(False, direction[1:] == direction[:-1])
    begin = np.where(same, np.maximum(start, np.append(0, reached[:-1])), start)
    return np.bincount(direction, np.maximum(end - begin, 0), directions).astype(np.int64)
