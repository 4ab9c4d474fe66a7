"""Which way each connection went: the segments that can matter for its outcome, as codes.

A segment without SYN, FIN or RST changes nothing if one of the same kind has passed since the
last that had one. Streams whose sequence numbers tell more than codes can hold are left out.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.distinct import begins, distinct
from lab.tcp.columns import NOWHERE, Ints, Mask, Segments, Standing
from lab.tcp.gaps import gaps
from lab.tcp.outcomes import Code
from lab.tcp.segments import ACK, CONTROL, FIN, RST, SYN

CODE_BITS = 12
POWERS = 10 ** np.arange(19)
"""Zeek writes down the first, tenth, hundredth … event of a kind."""


class Ways(Struct, frozen=True):
    """The codes of the segments that matter, stream after stream."""

    codes: NDArray[np.uint16]
    at: Ints  # their positions
    first: Ints  # (streams,) where each stream's begin
    strange: Ints  # (few,) streams of which the codes do not tell enough

    def counts(self) -> Ints:
        """How many segments of each stream matter."""
        return np.diff(np.append(self.first, len(self.codes)))

    def bounds(self, stream: int) -> slice:
        """Where the codes of one stream stand."""
        end = self.first[stream + 1] if stream + 1 < len(self.first) else len(self.codes)
        return slice(int(self.first[stream]), int(end))


class Ends(Struct, frozen=True):
    """Of each direction (two a stream), what its SYN and FIN are."""

    syn: Mask  # (2, streams) it begins with a SYN
    fin_at: Ints  # (2, streams) position of the first FIN; beyond all where there is none
    fin_end: Ints  # (2, streams) the number after it


def ways(s: Segments, stand: Standing, unsure: Ints) -> Ways:
    """Reduce streams to what matters; ``unsure``: those whose numbers are not to be relied on."""
    ends = _ends(s, stand)
    closed = _first_of_stream(s, stand, np.flatnonzero((s.flags & (FIN | RST)) != 0))
    after = stand.index >= closed[stand.stream]
    codes = _codes(s, stand, ends, after)
    strange = [unsure, _odd_controls(s, stand, ends), _acked_unseen(s, stand)]
    strange += [_mark_resets(s, stand, codes), _mark_counted(s, stand, codes, after, closed)]
    kept = _kept(s, stand, codes, after)
    first = np.searchsorted(kept, s.first)
    return Ways(codes[kept], kept, first, distinct(np.concatenate(strange)))


def _first_of_stream(s: Segments, stand: Standing, at: Ints) -> Ints:
    """The first of these positions in each stream; beyond all where there is none."""
    found = np.full(len(s.first), len(s.row))
    found[stand.stream[at][::-1]] = at[::-1]
    return found


def _ends(s: Segments, stand: Standing) -> Ends:
    shape = (2, len(s.first))
    syn, at = np.zeros(shape, np.bool_), np.full(shape, len(s.row))
    fin_end = np.zeros(shape, np.int64)
    syns, fins = np.flatnonzero((s.flags & SYN) != 0), np.flatnonzero((s.flags & FIN) != 0)[::-1]
    syn[s.second[syns].astype(np.int64), stand.stream[syns]] = True
    side = s.second[fins].astype(np.int64), stand.stream[fins]
    at[side], fin_end[side] = fins, stand.end[fins]
    return Ends(syn, at, fin_end)


def _codes(s: Segments, stand: Standing, ends: Ends, after: Mask) -> NDArray[np.uint16]:
    codes = s.flags & np.uint16(CONTROL | ACK)
    codes |= s.second * np.uint16(Code.SECOND.value)
    codes |= (s.length > 0) * np.uint16(Code.DATA.value)
    codes |= stand.acks * np.uint16(Code.COVERS_SYN.value)
    below = np.flatnonzero(stand.acks & stand.heard & (stand.acknowledgment < 1))
    below = below[ends.syn[(~s.second[below]).astype(np.int64), stand.stream[below]]]
    codes[below] &= np.uint16(~Code.COVERS_SYN.value & 0xFFFF)
    closing = np.flatnonzero(after & stand.acks)
    theirs = (~s.second[closing]).astype(np.int64), stand.stream[closing]
    covers = (ends.fin_at[theirs] < closing) & (
        stand.acknowledgment[closing] >= ends.fin_end[theirs]
    )
    codes[closing[covers]] |= Code.COVERS_FIN.value
    return codes


def _odd_controls(s: Segments, stand: Standing, ends: Ends) -> Ints:
    """Streams whose SYNs and FINs are not where one SYN and one FIN a direction would be."""
    at = np.flatnonzero((s.flags & SYN) != 0)
    odd = (stand.sequence[at] != 0) | (s.length[at] > 0) | ((s.flags[at] & (FIN | RST)) != 0)
    odd |= stand.known[at] & ((stand.next[at] > 1) | ((s.flags[stand.own[at]] & SYN) == 0))
    syns, at = at[odd], np.flatnonzero((s.flags & FIN) != 0)
    side = s.second[at].astype(np.int64), stand.stream[at]
    odd = (stand.end[at] != ends.fin_end[side]) | ((s.flags[at] & RST) != 0)
    odd |= (s.length[at] > 0) & (at != ends.fin_at[side])
    odd |= ends.syn[side] & (stand.sequence[at] < 1)
    found: Ints = stand.stream[np.concatenate((syns, at[odd]))]
    return found


def _mark_resets(s: Segments, stand: Standing, codes: NDArray[np.uint16]) -> Ints:
    """Whether each RST lies where the last one did; streams in which more than that matters."""
    at = np.flatnonzero((s.flags & RST) != 0)
    if not len(at):
        return at
    first = _first_of_stream(s, stand, at)[stand.stream[at]] == at
    own, other = stand.own[at], stand.other[at]
    acked = np.where(stand.heard[at] & stand.acks[other], stand.acknowledgment[other], NOWHERE)
    number = stand.sequence[at]
    accepted = (number >= acked) | (stand.known[at] & (number == stand.next[at]))
    before = stand.known[at] & ((s.flags[own] & RST) != 0)
    codes[at[before & (s.sequence[at] != s.sequence[own])]] |= Code.ELSEWHERE.value
    odd = (s.length[at] > 0) | (stand.known[at] & (number > stand.next[at])) | (first & ~accepted)
    # More than the codes tell: what a reset end still sends, and its ACKs without the flag.
    odd |= first & stand.heard[at] & ~stand.acks[other] & ((s.flags[other] & SYN) == 0)
    late = np.flatnonzero(stand.known & ((s.flags & RST) == 0))
    late = late[(s.flags[stand.own[late]] & RST) != 0]
    return np.concatenate((stand.stream[at[odd]], stand.stream[late]))


def _acked_unseen(s: Segments, stand: Standing) -> Ints:
    """Streams with a RST in which an ACK tells of data that was not seen: were they empty?"""
    reset = np.zeros(len(s.first), np.bool_)
    reset[stand.stream[(s.flags & RST) != 0]] = True
    stream = stand.stream[stand.acks & stand.heard & (stand.acknowledgment > stand.other_next)]
    return stream[reset[stream]]


def _mark_counted(
    s: Segments, stand: Standing, codes: NDArray[np.uint16], after: Mask, closed: Ints
) -> Ints:
    """Zero windows, data sent again and gaps, as Zeek counts them.

    Returns streams in which windows are zero after a close, or data come again with a FIN.
    """
    shut = np.flatnonzero((s.window == 0) & ((s.flags & RST) == 0))
    repeats = np.flatnonzero((s.length > 0) & stand.known & (stand.end <= stand.next))
    odd = (s.flags[repeats] & CONTROL) != 0
    counted = (
        (shut, Code.ZERO_WINDOW.value),
        (repeats, Code.REPEATS.value),
        (gaps(s, stand, closed), Code.GAP.value),
    )
    for at, mark in counted:
        direction = stand.direction(s, at)
        order = np.argsort(direction, kind="stable")
        ranked = direction[order]
        nth = np.arange(len(at)) - np.searchsorted(ranked, ranked) + 1
        codes[at[order[POWERS[np.searchsorted(POWERS, nth)] == nth]]] |= mark
    return np.concatenate((stand.stream[repeats[odd]], stand.stream[shut[after[shut]]]))


def _kept(s: Segments, stand: Standing, codes: NDArray[np.uint16], after: Mask) -> Ints:
    """Positions of the segments that matter."""
    marked = (codes & np.uint16(CONTROL | Code.ZERO_WINDOW | Code.REPEATS | Code.GAP)) != 0
    kept = marked | after
    kept[s.first] = True
    since = np.maximum.accumulate(np.where(kept, stand.index, 0))
    # Most are as the one before them in their direction, or as the one that was kept last.
    known = (stand.own >= since) & (codes[stand.own] == codes) | (codes[since] == codes)
    new = np.flatnonzero(~(kept | known))
    bits = len(codes).bit_length()
    packed = np.sort((since[new] << CODE_BITS | codes[new]) << bits | new)
    kept[packed[begins(packed >> bits)] & ((1 << bits) - 1)] = True
    return np.flatnonzero(kept)
