"""The segments of many streams as columns, and what each stood before when it was sent.

Sequence numbers become plain integers that count from the first number of their direction, so
that modular comparisons are ordinary ones; running maxima of all streams are one accumulation,
because each stream's numbers are lifted above those of the streams before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.distinct import distinct
from lab.packets.each import Each, one_by_one
from lab.packets.frames import Frames
from lab.tcp.segments import ACK, FIN, SYN

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FAR = 1 << 30
"""Octets: numbers further apart than this are compared one by one, as the modulus asks for."""

LIFT = 38
"""Bits of sequence space that one stream has for itself in a running maximum."""

NOWHERE = -(1 << (LIFT - 1))


class Segments(Struct, frozen=True):
    """The segments of some streams: one stream after another, each in capture order."""

    first: Ints  # (streams,) where each stream begins
    row: Ints  # index into the capture's columns
    second: Mask  # sent by the end that did not send the stream's first segment
    time: Ints  # ns
    sequence: NDArray[np.uint32]
    acknowledgment: NDArray[np.uint32]
    flags: NDArray[np.uint16]
    window: NDArray[np.uint16]
    length: Ints  # octets of payload

    def counts(self) -> Ints:
        """Segments of each stream."""
        return np.diff(np.append(self.first, len(self.row)))

    def streams(self) -> Ints:
        """The stream of each segment."""
        return np.repeat(np.arange(len(self.first)), self.counts())

    def bounds(self, stream: int) -> slice:
        """Where the segments of one stream stand."""
        end = int(self.first[stream + 1]) if stream + 1 < len(self.first) else len(self.row)
        return slice(int(self.first[stream]), end)

    def part(self, begin: int, end: int) -> Segments:
        """The streams from ``begin`` up to ``end``."""
        at = slice(int(self.first[begin]), self.bounds(end - 1).stop)
        return Segments(
            self.first[begin:end] - self.first[begin], *(c[at] for c in self._columns())
        )

    def only(self, streams: Ints, counts: Ints | None = None) -> tuple[Segments, Ints]:
        """The streams named, in order, and where their segments stand in these columns.

        ``counts``: the segments of every stream, where those do not reach to the next one.
        """
        at, first = taken(self.first, self.counts() if counts is None else counts, streams)
        return Segments(first, *(column[at] for column in self._columns())), at

    def _columns(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__[1:])


def taken(first: Ints, counts: Ints, which: Ints) -> tuple[Ints, Ints]:
    """The positions of some groups, one group after another; and where each begins among them."""
    counts = counts[which]
    begins = np.cumsum(counts) - counts
    found = np.repeat(first[which] - begins, counts)
    found += np.arange(len(found))
    return found, begins


def bounds(first: Ints, together: int) -> Iterator[tuple[int, int]]:
    """Cut streams into parts of so many segments, or more where one has more: from, up to."""
    cuts = np.searchsorted(first, np.arange(0, int(first[-1]) + 1 if len(first) else 0, together))
    yield from pairwise(distinct(np.append(cuts, len(first))).tolist())


def gather(
    frames: Frames, rows: Ints, first: Ints, second: Mask, each: Each = one_by_one
) -> Segments:
    """Fetch the columns of these rows."""
    names = ("time", "sequence", "acknowledgment", "flags", "window", "payload_length")
    columns = each(lambda name: getattr(frames, name)[rows], names)
    time, sequence, acknowledgment, flags, window, length = columns
    return Segments(
        first=first,
        row=rows,
        second=second,
        time=time,
        sequence=sequence,
        acknowledgment=acknowledgment,
        flags=flags,
        window=window,
        length=length.astype(np.int64),
    )


class Standing(Struct, frozen=True):
    """What each segment stands before; one entry a segment unless said otherwise."""

    stream: Ints  # position of its stream among these
    index: Ints
    own: Ints  # the segment before it in its direction; means nothing unless `known`
    known: Mask
    other: Ints  # the last segment of the other direction; means nothing unless `heard`
    heard: Mask
    acks: Mask  # ACK is set
    says: Mask  # its ACK field has a number, with the flag or without
    sequence: Ints  # relative to its direction's first
    end: Ints  # the number after it, SYN and FIN counted
    acknowledgment: Ints  # relative to the other direction's first
    next: Ints  # the highest end of its direction before it
    other_next: Ints  # the same of the other direction
    apart: NDArray[np.int64]  # (few,) streams whose numbers cannot be compared like this

    def direction(self, s: Segments, at: Ints) -> Ints:
        """A number for the direction of each of these segments: two a stream."""
        return self.stream[at] * 2 + s.second[at]


def standing(s: Segments, *, long: bool = False) -> Standing:
    """Compute it.

    Args:
        s: the streams.
        long: unwrap the numbers step by step, for streams that pass more than a GiB.
    """
    index, stream = np.arange(len(s.row)), s.streams()
    begin = s.first[stream]
    own, other = _each_way(
        s.second, [_exclusive(_latest(s.second == side, index)) for side in (0, 1)]
    )
    known, heard = own >= begin, other >= begin
    start, origin = _origins(s, index, stream)
    relative = _signed(s.sequence - start)
    sequence = _unwrapped(s, own, known, begin) if long else relative
    end = sequence + s.length + ((s.flags & SYN) != 0) + ((s.flags & FIN) != 0)
    after, other_after = _running(end, s.second, stream)
    near = np.where(heard, other_after, 0) if long else 0
    acknowledgment = near + _signed(s.acknowledgment - origin - np.asarray(near).astype(np.uint32))
    acks = (s.flags & ACK) != 0
    far = np.abs(sequence - np.where(known, after, 0) if long else sequence) >= FAR
    far |= (np.abs(acknowledgment - near) >= FAR) & acks
    bare = ~acks & (s.acknowledgment != 0)
    if bare.any():  # a number that nothing answers for is measured by data that follows it alone
        far |= heard & (s.length > 0) & bare[other]
    return Standing(
        stream=stream,
        index=index,
        own=own,
        known=known,
        other=other,
        heard=heard,
        acks=acks,
        says=acks | bare,
        sequence=sequence,
        end=end,
        acknowledgment=acknowledgment,
        next=after,
        other_next=other_after,
        apart=distinct(stream[far]),
    )


def running(values: Ints, counted: Mask, stream: Ints) -> Ints:
    """The highest of the values counted so far in each stream, itself included; else far below."""
    lift = stream << LIFT
    lifted = np.where(counted, values, NOWHERE) + lift
    found: Ints = np.maximum.accumulate(lifted) - lift
    return found


def _running(values: Ints, second: Mask, stream: Ints) -> tuple[Ints, Ints]:
    """The highest value before each segment: of its own direction, of the other."""
    lift = stream << LIFT
    lifted, low = values + lift, lift + NOWHERE
    firsts = _exclusive(np.maximum.accumulate(np.where(second, low, lifted)), NOWHERE)
    seconds = _exclusive(np.maximum.accumulate(np.where(second, lifted, low)), NOWHERE)
    own, other = _each_way(second, [firsts, seconds])
    return own - lift, other - lift


def _each_way(second: Mask, sides: list[Ints]) -> tuple[Ints, Ints]:
    """(value of the segment's own side, value of the other side)."""
    return np.where(second, sides[1], sides[0]), np.where(second, sides[0], sides[1])


def _latest(mask: Mask, index: Ints) -> Ints:
    found: Ints = np.maximum.accumulate(np.where(mask, index, -1))
    return found


def _exclusive(values: Ints, nothing: int = -1) -> Ints:
    """The value before each."""
    found = np.empty_like(values)
    found[1:] = values[:-1]
    found[:1] = nothing
    return found


def _origins(
    s: Segments, index: Ints, stream: Ints
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The number each direction counts from: its first, or the first acknowledged of a silent one."""
    none = len(index)
    answer = np.minimum.reduceat(np.where(s.second, index, none), s.first)
    silent = answer == none
    told = s.sequence[np.where(silent, 0, answer)]
    if silent.any():
        acks = silent[stream] & ((s.flags & ACK) != 0)
        first = np.minimum.reduceat(np.where(acks, index, none), s.first)
        told = np.where(silent, s.acknowledgment[np.minimum(first, none - 1)], told)
    theirs = told[stream]
    mine = s.sequence[s.first][stream]
    return np.where(s.second, theirs, mine), np.where(s.second, mine, theirs)


def _signed(difference: NDArray[np.uint32]) -> Ints:
    """Distances in sequence space, the shorter way round (RFC 9293 section 3.4)."""
    signed: NDArray[np.int32] = difference.view(np.int32)
    return signed.astype(np.int64)


def _unwrapped(s: Segments, own: Ints, known: Mask, begin: Ints) -> Ints:
    """Each direction's numbers without the wrap: the sum of its steps, each the shorter way."""
    steps = np.where(known, _signed(s.sequence - s.sequence[np.where(known, own, 0)]), 0)
    sums = [np.cumsum(np.where(s.second == side, steps, 0)) for side in (0, 1)]
    firsts, seconds = (total - total[begin] for total in sums)
    found: Ints = np.where(s.second, seconds, firsts)
    return found
