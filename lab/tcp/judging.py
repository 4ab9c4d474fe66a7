"""Wireshark's analysis flags for all streams at once; the rules are those of `lab.tcp.flags`.

Each rule there looks at what came before a segment in its own and in the other direction. Here
that is `Standing`, so a rule is one comparison of columns. What such columns cannot tell is left
to `lab.tcp.flags`, stream by stream: numbers that jump, zero window probes, unusual handshakes.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.distinct import among, distinct, either, ranked
from lab.packets.frames import Frames
from lab.tcp.columns import Ints, Mask, Segments, Standing, standing
from lab.tcp.model import Analysis
from lab.tcp.option_fields import carries_sack, shifts
from lab.tcp.segments import ACK, CONTROL, FIN, RST, SYN
from lab.tcp.troubled import Shown, Trouble, duplicates, resent

RETRANSMISSION, SPURIOUS = int(Analysis.RETRANSMISSION), int(Analysis.SPURIOUS_RETRANSMISSION)
DUPLICATE, KEEP_ALIVE = int(Analysis.DUPLICATE_ACK), int(Analysis.KEEP_ALIVE)
KEEP_ALIVE_ACK, WINDOW_UPDATE = int(Analysis.KEEP_ALIVE_ACK), int(Analysis.WINDOW_UPDATE)
LOST, ZERO_WINDOW = int(Analysis.LOST_SEGMENT), int(Analysis.ZERO_WINDOW)
WINDOW_FULL = int(Analysis.WINDOW_FULL)
NO_RTT = -(1 << 63)
"""In a column of round-trip times: the capture does not show it."""


class Judged(Struct, frozen=True):
    """The flags of some streams' segments, one entry a segment unless said otherwise."""

    flags: NDArray[np.uint16]  # Analysis
    duplicate: Ints  # positions of the duplicate ACKs
    nth: Ints  # which one each of them is
    rtt: Ints  # (streams,) Wireshark's initial RTT in ns; NO_RTT
    unsure: Ints  # (few,) streams of which this says nothing


def judge(s: Segments, frames: Frames, stand: Standing) -> Judged:
    """Judge all segments.

    Args:
        s: the streams.
        frames: the capture's columns.
        stand: what these streams' segments stand before.
    """
    found = _judge(s, frames, stand)
    if not len(stand.apart):
        return found
    part, at = s.only(stand.apart)  # numbers that pass the wrap, or that make no sense
    again = _judge(part, frames, standing(part, long=True))
    return _with(found, stand, again, at)


def _with(found: Judged, stand: Standing, again: Judged, at: Ints) -> Judged:
    """Put the streams that were judged again in their place."""
    found.flags[at] = again.flags
    found.rtt[stand.apart] = again.rtt
    kept = ~among(stand.stream[found.duplicate], stand.apart)
    duplicate = np.concatenate((found.duplicate[kept], at[again.duplicate]))
    nth = np.concatenate((found.nth[kept], again.nth))
    order = np.argsort(duplicate)
    return Judged(
        flags=found.flags,
        duplicate=duplicate[order],
        nth=nth[order],
        rtt=found.rtt,
        unsure=either(found.unsure[~among(found.unsure, stand.apart)], stand.apart[again.unsure]),
    )


def _judge(s: Segments, frames: Frames, stand: Standing) -> Judged:
    flags = np.zeros(len(s.row), np.uint16)
    control = (s.flags & CONTROL) != 0
    flags |= ((s.window == 0) & ~control) * np.uint16(ZERO_WINDOW)
    ahead = stand.known & (stand.sequence > stand.next) & ((s.flags & RST) == 0)
    flags |= ahead * np.uint16(LOST)
    behind = np.flatnonzero(stand.known & (stand.sequence < stand.next))
    _mark_keep_alives(s, stand, flags, behind[~control[behind]])
    pure = (s.length == 0) & ~control & stand.known & (s.window != 0)
    pure &= stand.sequence == stand.next
    _mark_pure(s, frames, stand, flags, np.flatnonzero(pure))
    data = np.flatnonzero((s.length > 0) & stand.heard)
    rescaled = _mark_by_acknowledged(s, stand, flags, data, frames)
    rtt, since = initial_rtts(s, stand)
    counted = duplicates(s, stand, flags)
    trouble = _trouble(s, stand, flags, behind)
    unsure = resent(s, frames, stand, flags, Shown(trouble, counted, rtt, since))
    doubtful = (stand.apart, _probed(s, stand), _opened_again(s, stand), rescaled, unsure)
    return Judged(
        flags=flags,
        duplicate=counted.at[counted.is_one],
        nth=counted.nth(),
        rtt=rtt,
        unsure=distinct(np.concatenate(doubtful)),
    )


def _trouble(s: Segments, stand: Standing, flags: NDArray[np.uint16], behind: Ints) -> Trouble:
    stepped = stand.known & (stand.end > stand.next) & (stand.sequence != stand.next)
    carries = (s.length[behind] > 0) | ((s.flags[behind] & (SYN | FIN)) != 0)
    carries &= (flags[behind] & (KEEP_ALIVE | SPURIOUS)) == 0
    by_one = stand.sequence[behind] == stand.next[behind] - 1
    return Trouble(
        late=behind[carries & ~(by_one & (s.length[behind] > 1))],
        stepped=np.flatnonzero(stepped),
        beyond=np.flatnonzero(stand.acks & stand.heard & (stand.acknowledgment > stand.other_next)),
    )


def _probed(s: Segments, stand: Standing) -> Ints:
    """Streams that show what may be a zero window probe."""
    octet = np.flatnonzero((s.length == 1) & stand.heard & stand.known)
    octet = octet[s.window[stand.other[octet]] == 0]
    found: Ints = stand.stream[octet[stand.sequence[octet] == stand.next[octet]]]
    return found


def _opened_again(s: Segments, stand: Standing) -> Ints:
    """Streams in which a SYN comes once more, after what follows it."""
    syn = np.flatnonzero(s.flags & (SYN | ACK) == SYN)
    found: Ints = stand.stream[syn[stand.known[syn] & (stand.next[syn] > stand.end[syn])]]
    return found


def _mark_keep_alives(s: Segments, stand: Standing, flags: NDArray[np.uint16], at: Ints) -> None:
    near = (s.length[at] <= 1) & (stand.sequence[at] == stand.next[at] - 1)
    flags[at[near]] |= KEEP_ALIVE


def _mark_pure(
    s: Segments, frames: Frames, stand: Standing, flags: NDArray[np.uint16], at: Ints
) -> None:
    """Window updates, duplicate ACKs and keep-alives' ACKs: nothing is new but perhaps the window."""
    before = stand.own[at]
    same = stand.says[before] & (s.acknowledgment[at] == s.acknowledgment[before])
    at, before = at[same], before[same]
    changed = s.window[at] != s.window[before]
    selective = np.zeros(len(at), np.bool_)
    selective[changed] = carries_sack(frames, s.row[at[changed]])
    flags[at[changed & ~selective]] |= WINDOW_UPDATE
    answers = ~changed & stand.heard[at]
    answers[answers] = (flags[stand.other[at[answers]]] & KEEP_ALIVE) != 0
    flags[at[answers]] |= KEEP_ALIVE_ACK
    flags[at[~answers & (~changed | selective)]] |= DUPLICATE


def _mark_by_acknowledged(
    s: Segments, stand: Standing, flags: NDArray[np.uint16], at: Ints, frames: Frames
) -> Ints:
    """Spurious retransmissions and full windows: data measured by what the other end said last.

    Returns the streams of which this cannot tell.
    """
    said = stand.other[at]
    known = stand.acks[said]
    at, said = at[known], said[known]
    reached = stand.acknowledgment[said]
    stop = stand.sequence[at] + s.length[at]
    old = (stop <= reached) & ((flags[at] & KEEP_ALIVE) == 0)
    flags[at[old]] |= RETRANSMISSION | SPURIOUS
    room, window = stop - reached, s.window[said].astype(np.int64)
    near = np.flatnonzero(_times_power(room, window))  # whatever the shift
    near = near[(s.flags[at[near]] & CONTROL) == 0]
    at, said, room, window = at[near], said[near], room[near], window[near]
    streams, which = ranked(stand.stream[at])
    by_end, unsure = shifts(s, frames, streams)
    shift = by_end[(~s.second[at]).astype(np.int64), which]
    shift = np.where((s.flags[said] & SYN != 0) & (shift >= 0), 0, shift)
    fills = (shift >= 0) & (window << np.maximum(shift, 0) == room)
    flags[at[fills]] |= WINDOW_FULL
    return streams[unsure]


def _times_power(room: Ints, window: Ints) -> Mask:
    """Whether each room is its window times a power of two, 1 included: both have the same odd part."""
    same = room * (window & -window) == window * (room & -room)
    found: Mask = same & (room >= window) & ((window > 0) | (room == 0))
    return found


def initial_rtts(s: Segments, stand: Standing) -> tuple[Ints, Ints]:
    """Wireshark's initial RTT, from the latest SYN to the first ACK after one; from either end.

    Returns:
        ns (NO_RTT) and the position of that ACK (-1 where there is none), one a stream each.
    """
    rtt, since = np.full(len(s.first), NO_RTT), np.full(len(s.first), -1)
    syns = np.flatnonzero(s.flags & (SYN | ACK) == SYN)
    acks = np.flatnonzero(s.flags & (SYN | ACK) == ACK)
    opens = syns[np.append(True, np.diff(stand.stream[syns]) != 0)[: len(syns)]]
    place = np.searchsorted(acks, opens)
    while len(opens):
        inside = place < len(acks)
        opens, place = opens[inside], place[inside]
        inside = stand.stream[acks[place]] == stand.stream[opens]
        opens, place = opens[inside], place[inside]
        at = acks[place]
        took = s.time[at] - s.time[syns[np.searchsorted(syns, at) - 1]]
        found = took != 0  # at the very time of the SYN: the next one may tell
        rtt[stand.stream[at[found]]], since[stand.stream[at[found]]] = took[found], at[found]
        opens, place = opens[~found], place[~found] + 1
    return rtt, since
