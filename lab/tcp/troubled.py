"""What loss and reordering leave behind: duplicate ACKs counted, segments sent again or late.

Few segments are concerned, and only the streams that hold one are looked at more closely. See
`lab.tcp.flags` for the rules.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.frames import Frames
from lab.tcp.columns import Ints, Mask, Segments, Standing
from lab.tcp.edges import Edges, edges
from lab.tcp.flags import DEFAULT_RTT, FAST_RETRANSMISSION_WITHIN
from lab.tcp.held import held
from lab.tcp.model import Analysis
from lab.tcp.option_fields import sack_leaves_out
from lab.tcp.reached import reach
from lab.tcp.segments import FIN

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
    same = stand.known[at] & stand.acks[own] & (s.acknowledgment[at] == s.acknowledgment[own])
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
    found = edges(s, stand, reached, stepped, beyond)
    inside, unsure = held(s, stand, reached, late)
    fast = _is_fast(s, frames, stand, shown.duplicates, late)
    early = _is_early(s, stand, shown, late)
    reordered = ~fast & early & ~inside & ~_at_edge(s, stand, found, late)
    flags[late] |= np.where(reordered, OUT_OF_ORDER, RETRANSMISSION).astype(np.uint16)
    flags[late[fast]] |= FAST
    flags[found.unseen] |= UNSEEN
    return unsure


def _is_fast(s: Segments, frames: Frames, stand: Standing, counted: Duplicates, late: Ints) -> Mask:
    """Asked for by duplicate ACKs, a moment ago."""
    found = stand.heard[late] & (counted.of_other(late) >= 2)
    found[found] = _since_other(s, stand, late[found]) < FAST_RETRANSMISSION_WITHIN
    at = late[found]
    other = stand.other[at]
    asked = stand.acks[other] & (stand.acknowledgment[other] == stand.sequence[at])
    begin = s.sequence[at]
    end = begin + s.length[at].astype(np.uint32)
    found[found] = asked | sack_leaves_out(frames, s.row[other], begin, end)
    return found


def _is_early(s: Segments, stand: Standing, shown: Shown, late: Ints) -> Mask:
    """Sooner after the other end's last segment than a round trip takes."""
    stream = stand.stream[late]
    known = (shown.since[stream] >= 0) & (shown.since[stream] < late)
    patience = np.where(known, shown.rtt[stream], DEFAULT_RTT)
    return _since_other(s, stand, late) < patience


def _since_other(s: Segments, stand: Standing, at: Ints) -> Ints:
    """ns; since 1970 where the other end has sent nothing."""
    return s.time[at] - np.where(stand.heard[at], s.time[stand.other[at]], 0)


def _at_edge(s: Segments, stand: Standing, found: Edges, late: Ints) -> Mask:
    """Ends where the data without a hole end."""
    stop = stand.sequence[late] + s.length[late] + ((s.flags[late] & FIN) != 0)
    there: Mask = stop == found.before(stand.direction(s, late), late, stand.next[late])
    return there
