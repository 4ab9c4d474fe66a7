"""Which segments belong to one connection: an endpoint pair may carry several, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.packets.distinct import among, begins, grouped, ranked
from lab.packets.each import Each, one_by_one
from lab.packets.frames import ABSENT, Frames, Protocol
from lab.packets.pages import blocks
from lab.tcp.columns import Ints, Mask, Segments, gather, taken
from lab.tcp.segments import ACK, CONTROL, FIN, MODULUS, RST, SYN

ORDERLY = FIN | ACK
ROUNDS = 8
"""How often ports are split all at once; those reused more often, segment by segment."""

FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93], np.uint64)
TRIES = 4
BLOCK = 1 << 16
"""Segments whose pairs are computed at once."""
SIDES = ("source", "destination")


class Streams(Struct, frozen=True):
    """Every TCP connection of a capture, in order of the first segment (tcp.stream)."""

    segments: Segments
    reused: Mask  # (streams,) its ports had carried an earlier connection


def streams(frames: Frames, each: Each = one_by_one) -> Streams:
    """Sort a capture's TCP segments into connections."""
    rows = np.flatnonzero((frames.protocol == Protocol.TCP) & (frames.transport != ABSENT))
    if not len(rows):
        nothing = np.zeros(0, np.int64)
        return Streams(gather(frames, rows, nothing, nothing > 0), nothing > 0)
    rows, first, from_low = _by_pair(frames, rows, each)
    whole = gather(frames, rows, first, _not_as_first(from_low, first), each)
    return _split(whole, from_low)


def _by_pair(frames: Frames, rows: Ints, each: Each) -> tuple[Ints, Ints, Mask]:
    """Segments sorted by endpoint pair, pair after pair by the first of each.

    Returns:
        Their rows; where each pair begins; which segments the lower endpoint sent.
    """
    low, high, from_low = _pairs(frames, rows, each)
    order, first = _grouped(low, high, each)
    del low, high  # what is held at a time decides how fast this is
    order, first = _as_they_came(order, first)
    return rows[order], first, from_low[order]


def _pairs(frames: Frames, rows: Ints, each: Each) -> tuple[Ints, Ints, Mask]:
    """Of each segment the lower endpoint, the higher, and whether the lower one sent it."""
    low, high = np.empty_like(rows), np.empty_like(rows)
    from_low, numbers = np.empty(len(rows), np.bool_), _six(frames, rows)

    def fill(at: slice) -> None:
        source, destination = (_ends(frames, rows[at], side, numbers) for side in SIDES)
        np.minimum(source, destination, out=low[at])
        np.maximum(source, destination, out=high[at])
        np.less(source, destination, out=from_low[at])

    _each_block(each, fill, rows)
    return low, high, from_low


def _each_block(each: Each, do: Callable[[slice], None], column: NDArray[Any]) -> None:
    """Do something with a column, not much of it at a time: new memory costs more than arithmetic."""
    deque(each(do, blocks(column, BLOCK)), maxlen=0)


def _not_as_first(from_low: Mask, first: Ints) -> Mask:
    """Which segments travel the other way than the first of their stream."""
    counts = np.diff(np.append(first, len(from_low)))
    other: Mask = from_low != np.repeat(from_low[first], counts)
    return other


def _ends(frames: Frames, rows: Ints, side: str, six: Mapping[str, Ints]) -> Ints:
    """A number for each source or destination: equal where address and port are."""
    found: Ints = getattr(frames, side)[:, 1][rows].view(np.int64)
    found &= 0xFFFFFFFF
    if six and len(at := np.flatnonzero(frames.ip_version[rows] != 4)):
        found[at] = six[side][np.searchsorted(six["rows"], rows[at])]
    found <<= 16
    found |= getattr(frames, f"{side}_port")[rows]
    return found


def _six(frames: Frames, rows: Ints) -> Mapping[str, Ints]:
    """The rows of IPv6, and a number for the source and the destination of each; nothing if none is."""
    rows = rows[np.flatnonzero(frames.ip_version[rows] != 4)]
    if not len(rows):
        return {}
    both = _numbered(np.concatenate([getattr(frames, side)[rows] for side in SIDES])) + (1 << 32)
    return {"rows": rows, **dict(zip(SIDES, np.split(both, 2), strict=True))}


def _numbered(addresses: NDArray[np.uint64]) -> Ints:
    """Number addresses of two halves densely."""
    halves = [ranked(addresses[:, i])[1] for i in (0, 1)]
    return ranked(halves[0] << 32 | halves[1])[1]


def _grouped(low: Ints, high: Ints, each: Each) -> tuple[Ints, Ints]:
    """Sort by unordered endpoint pair.

    Returns:
        Positions, pair after pair; and where each pair begins.
    """
    for attempt in range(TRIES):
        order, first = _hashed(low.view(np.uint64), high.view(np.uint64), attempt, each)
        if len(_changes(low, high, order, each)) == len(first):  # no two pairs have one hash
            break
    else:  # no luck with hashes: the sure way
        order = np.lexsort((high, low))
        first = _changes(low, high, order, each)
    return order, first


def _as_they_came(order: Ints, first: Ints) -> tuple[Ints, Ints]:
    """The same with the pairs in order of their first segments."""
    counts = np.diff(np.append(first, len(order)))
    places, first = taken(first, counts, np.argsort(order[first]))
    return order[places], first


def _changes(low: Ints, high: Ints, order: Ints, each: Each) -> Ints:
    """Where in this order another pair begins."""
    found = np.zeros(len(order), np.bool_)

    def fill(at: slice) -> None:
        before = max(at.start - 1, 0)
        for ends in (low, high):
            found[at] |= begins(ends[order[before : at.stop]])[at.start - before :]

    _each_block(each, fill, order)
    return np.flatnonzero(found)


def _hashed(
    low: NDArray[np.uint64], high: NDArray[np.uint64], attempt: int, each: Each
) -> tuple[Ints, Ints]:
    """Sort by a hash with the position in its lower bits: faster than sorting positions."""
    keys, bits = np.empty_like(low), np.uint64(len(low).bit_length())

    def fill(at: slice) -> None:
        mixed = low[at] * FACTORS[0] + (high[at] + np.uint64(attempt)) * FACTORS[1]
        mixed ^= mixed >> np.uint64(31)
        mixed *= FACTORS[2]
        keys[at] = mixed >> bits << bits | np.arange(at.start, at.stop, dtype=np.uint64)

    _each_block(each, fill, low)
    keys.sort()
    first = np.flatnonzero(begins(keys >> bits))
    keys &= (np.uint64(1) << bits) - np.uint64(1)
    return keys.view(np.int64), first


# ---------------------------------------------------------------- several on the same ports


def _split(whole: Segments, from_low: Mask) -> Streams:
    """Begin another stream at each SYN that cannot belong to the one before it."""
    starts, left, at = [whole.first], whole, np.zeros(0, np.int64)
    for turn in range(ROUNDS + 1):
        news = _news(left) if turn < ROUNDS else _news_one_by_one(left)
        if not len(news):
            break
        at = at if turn else np.arange(len(whole.row))  # mostly there are none
        starts.append(at[news])
        left, at = _tails(left, at, from_low, news)
    if len(starts) == 1:
        return Streams(whole, np.zeros(len(whole.first), np.bool_))
    first = np.sort(np.concatenate(starts))
    reused = ~among(first, whole.first)
    order = np.argsort(whole.row[first])
    parts = replace(whole, first=first, second=_not_as_first(from_low, first))
    return Streams(parts.only(order)[0], reused[order])


def _news(s: Segments) -> Ints:
    """Where each stream first shows a SYN that opens another; by position, few."""
    syns, opens = np.flatnonzero((s.flags & SYN) != 0), np.zeros(len(s.row), np.bool_)
    opens[s.first] = True
    syns = syns[~opens[syns]]
    answers = opens[syns - 1] & s.second[syns] & (s.flags[syns - 1] & (CONTROL | ACK) == SYN)
    syns = syns[~answers]
    if not len(syns):
        return np.zeros(0, np.int64)
    stream = np.searchsorted(s.first, syns, side="right") - 1
    streams, position = ranked(stream)
    part, at = s.only(streams)
    inside = syns - s.first[stream] + part.first[position]
    isn, since = first_numbers(part)
    side = part.second[inside].astype(np.int64)
    differs = isn[side, position] != part.sequence[inside]
    news = (since[side, position] < inside) & (differs | (_closed(part)[position] < inside))
    _, which, _ = grouped(position[news])
    found: Ints = at[inside[news][which]]
    return found


def first_numbers(s: Segments) -> tuple[NDArray[np.uint32], Ints]:
    """Each side's ISN, seen or inferred, and from where on it is known; shape (2, streams)."""
    index, none = np.arange(len(s.row)), len(s.row)
    isn = np.zeros((2, len(s.first)), np.uint32)
    since = np.full((2, len(s.first)), none)
    for side in (0, 1):
        sent = np.minimum.reduceat(np.where(s.second == side, index, none), s.first)
        acks = (s.second != side) & ((s.flags & ACK) != 0)
        acked = np.minimum.reduceat(np.where(acks, index, none), s.first)
        own, theirs = np.minimum(sent, none - 1), np.minimum(acked, none - 1)
        seen = s.sequence[own] - ((s.flags[own] & SYN) == 0).astype(np.uint32)
        inferred = s.acknowledgment[theirs] - np.uint32(1)
        isn[side] = np.where(sent < acked, seen, inferred)
        since[side] = np.minimum(sent, acked)
    return isn, since


def _closed(s: Segments) -> Ints:
    """Where each stream first shows a RST or FIN,ACK."""
    closes = ((s.flags & RST) != 0) | (s.flags & ORDERLY == ORDERLY)
    found: Ints = np.minimum.reduceat(np.where(closes, np.arange(len(s.row)), len(s.row)), s.first)
    return found


def _tails(s: Segments, at: Ints, from_low: Mask, news: Ints) -> tuple[Segments, Ints]:
    """What follows in the streams that have just been split."""
    stop = np.append(s.first, len(s.row))[np.searchsorted(s.first, news, side="right")]
    tails = replace(s, first=news)
    part, inside = tails.only(np.arange(len(news)), stop - news)
    rows = at[inside]
    return replace(part, second=_not_as_first(from_low[rows], part.first)), rows


def _news_one_by_one(s: Segments) -> Ints:
    bounds = np.append(s.first, len(s.row)).tolist()
    return np.array(
        [at for begin, end in pairwise(bounds) for at in _starts(s, begin, end)], np.int64
    )


def _starts(s: Segments, begin: int, end: int) -> Iterator[int]:
    """Positions at which a SYN or SYN,ACK opens another connection on the same ports."""
    seen, at = _Seen(), slice(begin, end)
    columns = zip(
        s.second[at].tolist(),
        s.sequence[at].tolist(),
        s.acknowledgment[at].tolist(),
        s.flags[at].tolist(),
        strict=True,
    )
    for i, (side, sequence, acknowledgment, flags) in enumerate(columns, begin):
        if flags & SYN and seen.is_news(side, sequence):
            yield i
            seen = _Seen()
        seen.learn(side, sequence, acknowledgment, flags)


class _Seen:
    """The initial sequence numbers of both ends, and whether the connection has been closed."""

    def __init__(self) -> None:
        self.isn: dict[bool, int] = {}
        self.closed = False

    def is_news(self, side: bool, sequence: int) -> bool:
        """Whether a SYN with this number cannot belong to this connection."""
        return side in self.isn and (self.closed or self.isn[side] != sequence)

    def learn(self, side: bool, sequence: int, acknowledgment: int, flags: int) -> None:
        """Take in one segment; an ISN not seen is inferred from the numbers that follow it."""
        syn = flags & SYN
        self.isn.setdefault(side, sequence if syn else (sequence - 1) % MODULUS)
        if flags & ACK:
            self.isn.setdefault(not side, (acknowledgment - 1) % MODULUS)
        self.closed |= bool(flags & RST) or flags & ORDERLY == ORDERLY
