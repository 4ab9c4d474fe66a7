"""What loss and reordering leave behind: duplicate ACKs counted, segments sent again or late.

Few segments are concerned, and only the streams that hold one are looked at more closely. See
`lab.tcp.flags` for the rules.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.distinct import distinct, either, ranked
from lab.packets.frames import Frames
from lab.tcp.columns import LIFT, Ints, Mask, Segments, Standing
from lab.tcp.edges import unseen
from lab.tcp.flags import DEFAULT_RTT, ENDLESS, FAST_RETRANSMISSION_WITHIN
from lab.tcp.held import held
from lab.tcp.model import Analysis
from lab.tcp.option_fields import sack_leaves_out
from lab.tcp.reached import reach
from lab.tcp.segments import FIN
from lab.tcp.streams import first_numbers

DUPLICATE, RETRANSMISSION = int(Analysis.DUPLICATE_ACK), int(Analysis.RETRANSMISSION)
UNSEEN = int(Analysis.ACK_LOST_SEGMENT)
FAST, OUT_OF_ORDER = int(Analysis.FAST_RETRANSMISSION), int(Analysis.OUT_OF_ORDER)


class Duplicates(Struct, frozen=True):
    """How many duplicate ACKs in a row each end has sent, in the streams that hold any."""

    at: Ints  # positions of all segments of those streams
    is_one: Mask  # it is a duplicate ACK
    second: Mask
    counts: tuple[Ints, Ints]  # of either end, the segment itself included

    def nth(self) -> Ints:
        """Which one in a row each of the duplicate ACKs is."""
        firsts, seconds = (count[self.is_one] for count in self.counts)
        return np.where(self.second[self.is_one], seconds, firsts)

    def of_other(self, positions: Ints) -> Ints:
        """How many the other end has sent in a row before these segments."""
        if not len(self.at):
            return np.zeros(len(positions), np.int64)
        place = np.minimum(np.searchsorted(self.at, positions), len(self.at) - 1)
        firsts, seconds = (count[place] for count in self.counts)
        found = np.where(self.second[place], firsts, seconds)
        return np.where(self.at[place] == positions, found, 0)


def duplicates(s: Segments, stand: Standing, flags: NDArray[np.uint16]) -> Duplicates:
    """Count them; another acknowledgment number begins anew."""
    concerned = np.zeros(len(s.first), np.bool_)
    concerned[stand.stream[(flags & DUPLICATE) != 0]] = True
    at = np.flatnonzero(concerned[stand.stream])
    own = stand.own[at]
    same = stand.known[at] & stand.says[own] & (s.acknowledgment[at] == s.acknowledgment[own])
    is_one, second = (flags[at] & DUPLICATE) != 0, s.second[at]
    firsts, seconds = (_in_a_row(is_one, ~same, second == side) for side in (0, 1))
    return Duplicates(at, is_one, second, (firsts, seconds))


def _in_a_row(is_one: Mask, resets: Mask, mine: Mask) -> Ints:
    total = np.cumsum(is_one & mine)
    found: Ints = total - np.maximum.accumulate(np.where(resets & mine, total, 0))
    return found


class Trouble(Struct, frozen=True):
    """Positions of the segments that call for a closer look, ascending."""

    late: Ints  # behind the highest end, and neither keep-alive nor spurious
    stepped: Ints  # raised the highest end, but did not begin at it
    beyond: Ints  # acknowledge more than the other end's highest end


class Shown(Struct, frozen=True):
    """What has been found already."""

    trouble: Trouble
    duplicates: Duplicates
    rtt: Ints  # (streams,) initial RTT, ns
    since: Ints  # (streams,) the position from which it is known; -1: not at all


def resent(
    s: Segments, frames: Frames, stand: Standing, flags: NDArray[np.uint16], shown: Shown
) -> Ints:
    """Mark retransmissions, segments out of order, and ACKs of what the capture lacks.

    Returns the streams that this cannot tell.
    """
    late, stepped, beyond = shown.trouble.late, shown.trouble.stepped, shown.trouble.beyond
    if not len(late) + len(stepped) + len(beyond):
        return late
    concerned = np.zeros(len(s.first), np.bool_)
    for at in (late, stepped, beyond):
        concerned[stand.stream[at]] = True
    reached = reach(s, stand, np.flatnonzero(concerned[stand.stream]))
    inside, unsure = held(s, stand, reached, late)
    fast = _is_fast(s, frames, stand, shown.duplicates, late)
    early = _is_early(s, stand, shown, late)
    reordered = ~fast & early & ~inside & ~_at_edge(s, stand, late)
    flags[late] |= np.where(reordered, OUT_OF_ORDER, RETRANSMISSION).astype(np.uint16)
    flags[late[fast]] |= FAST
    flags[unseen(s, stand, reached, stepped, beyond)] |= UNSEEN
    bare = concerned[stand.stream] & ~stand.acks & stand.heard  # its number releases data, too
    return either(unsure, stand.stream[bare])


def _is_fast(s: Segments, frames: Frames, stand: Standing, counted: Duplicates, late: Ints) -> Mask:
    """Asked for by duplicate ACKs, a moment ago."""
    found = stand.heard[late] & (counted.of_other(late) >= 2)
    found[found] = _since_other(s, stand, late[found]) < FAST_RETRANSMISSION_WITHIN
    at = late[found]
    other = stand.other[at]
    asked = stand.says[other] & (s.acknowledgment[other] == s.sequence[at])
    left = np.flatnonzero(~asked)
    asked[left] = _left_out(s, frames, stand, at[left], other[left])
    found[found] = asked
    return found


def _left_out(s: Segments, frames: Frames, stand: Standing, at: Ints, other: Ints) -> Mask:
    """Whether the other end's last segment reports data around these, but not theirs."""
    begin = s.sequence[at]
    end = begin + s.length[at].astype(np.uint32)
    streams, which = ranked(stand.stream[at])
    base = first_numbers(s.only(streams)[0])[0][s.second[at].astype(np.int64), which]
    return sack_leaves_out(frames, s.row[other], begin, end, base)


def _is_early(s: Segments, stand: Standing, shown: Shown, late: Ints) -> Mask:
    """Sooner after the other end's last segment than a round trip takes."""
    stream = stand.stream[late]
    known = (shown.since[stream] >= 0) & (shown.since[stream] < late)
    rtt = np.where(shown.rtt[stream] < 0, ENDLESS, shown.rtt[stream])
    patience = np.where(known, rtt, DEFAULT_RTT)
    return _since_other(s, stand, late) < patience


def _since_other(s: Segments, stand: Standing, at: Ints) -> Ints:
    """ns; since 1970 where the other end has sent nothing."""
    return s.time[at] - np.where(stand.heard[at], s.time[stand.other[at]], 0)


def _at_edge(s: Segments, stand: Standing, late: Ints) -> Mask:
    """Ends at the highest end, and data reached that first, or a FIN right after them."""
    there: Mask = stand.end[late] == stand.next[late]
    if not there.any():
        return there
    at = late[there]
    raised = _Raised(s, stand, distinct(stand.stream[at]))
    direction, edge = stand.direction(s, at), stand.next[at]
    data, first = raised.by_data(direction, edge)
    follows = ~data & _fin(s, first) & (stand.end[first] == stand.sequence[first] + 1)
    there[there] = data | follows & raised.by_data(direction, edge - 1)[0]
    return there


class _Raised:
    """What first reached a sequence end, in some streams."""

    def __init__(self, s: Segments, stand: Standing, streams: Ints) -> None:
        self.s, self.stand = s, stand
        wanted = np.zeros(len(s.first), np.bool_)
        wanted[streams] = True
        at = np.flatnonzero(wanted[stand.stream])
        keys = (stand.direction(s, at) << LIFT) + stand.end[at]
        order = np.argsort(keys, kind="stable")
        self.keys, self.at = keys[order], at[order]

    def by_data(self, direction: Ints, end: Ints) -> tuple[Mask, Ints]:
        """Whether data did, and the segment; for each direction and end."""
        s, stand, key = self.s, self.stand, (direction << LIFT) + end
        place = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        first = self.at[place]
        beyond = ~stand.known[first] | (stand.sequence[first] + s.length[first] > stand.next[first])
        return (self.keys[place] == key) & (s.length[first] > 0) & beyond, first


def _fin(s: Segments, at: Ints) -> Mask:
    found: Mask = (s.flags[at] & FIN) != 0
    return found
