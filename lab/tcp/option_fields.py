"""Options that the analysis of all streams needs, read for many segments at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.packets.distinct import either
from lab.packets.frames import ABSENT, Frames
from lab.packets.options import END, NO_OPERATION, SACK, WINDOW_SCALE
from lab.packets.pages import stretches
from lab.tcp.columns import Ints, Mask, Segments
from lab.tcp.flags import LARGEST_SHIFT
from lab.tcp.segments import FIXED_HEADER, SYN, options_end

NOT_KNOWN = -1
TOGETHER = 1 << 13
"""Segments whose options are read before the file's pages are given back."""

Words = NDArray[np.uint32]
Kinds = NDArray[np.uint64]
"""Bit n is set where there is an option of kind n."""
KINDS = 64
"""Those of these sets: higher ones (TCP-ENO, AccECN, experiments) nobody asks about yet."""


def shifts(s: Segments, frames: Frames, streams: Ints) -> tuple[Ints, Ints]:
    """The window shift of each end of these streams (ascending); shape (2, streams).

    Both ends must offer one (RFC 7323 section 2.2), so a SYN without it tells of both;
    else NOT_KNOWN where an end's SYN was not seen, or its options were cut off. And positions
    among the streams: those in which a SYN comes again, or late, so that it changes.
    """
    part, _ = s.only(streams)
    at = np.flatnonzero((part.flags & SYN) != 0)
    stream = np.searchsorted(part.first, at, side="right") - 1
    side = part.second[at].astype(np.int64)
    seen = np.zeros((2, len(streams)), np.bool_)
    whole = frames.payload[part.row[at]] != ABSENT
    seen[side[whole], stream[whole]] = True
    offered = np.full(seen.shape, NOT_KNOWN)
    for row, kind, value, size in each_option(frames, part.row[at]):
        here = np.flatnonzero((kind == WINDOW_SCALE) & (size == 3))
        syn, number = row[here][::-1], frames.octets[value[here]][::-1]  # the first SYN counts
        fresh = offered[side[syn], stream[syn]] == NOT_KNOWN
        syn = syn[fresh]
        offered[side[syn], stream[syn]] = np.minimum(number[fresh], LARGEST_SHIFT)
    offered[:, (seen & (offered == NOT_KNOWN)).any(axis=0)] = 0
    syns = np.bincount(2 * stream + side, minlength=2 * len(streams)).reshape(-1, 2)
    late = at - part.first[stream] >= syns.sum(axis=1)[stream]
    return offered, either(np.flatnonzero((syns > 1).any(axis=1)), stream[late])


def kinds(frames: Frames, rows: Ints) -> Kinds:
    """The kinds of option that each of these segments carries."""
    found = np.zeros(len(rows), np.uint64)
    for at, kind, _, _ in each_option(frames, rows):
        small = kind < KINDS
        found[at[small]] |= np.uint64(1) << kind[small].astype(np.uint64)
    return found


def carries_sack(frames: Frames, rows: Ints) -> Mask:
    """Which of these segments carry SACK blocks (RFC 2018)."""
    found = np.zeros(len(rows), np.bool_)
    for at, kind, _, size in each_option(frames, rows):
        here = (kind == SACK) & (size % 8 == 2)
        found[at[here]] = size[here] > 2
    return found


def sack_leaves_out(frames: Frames, rows: Ints, begin: Words, end: Words, base: Words) -> Mask:
    """Which of these segments carry SACK blocks of which none covers ``begin`` to ``end``.

    ``base``: the blocks count from there, while the numbers are as sent (see `lab.tcp.flags`).
    """
    found = np.zeros(len(rows), np.bool_)
    for row, kind, values, size in each_option(frames, rows):
        here = (kind == SACK) & (size % 8 == 2)
        at, value = row[here], values[here]
        held = options_end(frames, rows[at])[0] - value  # the snap length may have cut some off
        blocks = np.minimum(size[here] - 2, held) // 8
        covered = np.zeros(len(at), np.bool_)
        for block in range(int(blocks.max(initial=0))):
            there = np.flatnonzero(blocks > block)
            left = _word(frames.octets, value[there] + 8 * block)
            right = _word(frames.octets, value[there] + 8 * block + 4)
            one = at[there]
            covered[there] |= (left - base[one] <= begin[one]) & (end[one] <= right - base[one])
        found[at] = (blocks > 0) & ~covered
    return found


def _word(octets: NDArray[np.uint8], at: Ints) -> Words:
    found = np.zeros(len(at), np.uint32)
    for i in range(4):
        found = found << np.uint32(8) | octets[at + i]
    return found


def each_option(frames: Frames, rows: Ints) -> Iterator[tuple[Ints, NDArray[np.uint8], Ints, Ints]]:
    """Walk the options of all these segments together, one option of each at a time.

    Yields:
        Positions in ``rows``, kinds, offsets of the values, lengths. An option whose length
        cannot be ends its segment's walk, as in `lab.packets.options`; of those that the snap
        length cut, only SACK is among them.
    """
    for some in stretches(frames.octets, frames.transport[rows], TOGETHER, len(frames)):
        for at, kind, value, size in _each_option(frames, rows[some]):
            yield some[at], kind, value, size


def _each_option(
    frames: Frames, rows: Ints
) -> Iterator[tuple[Ints, NDArray[np.uint8], Ints, Ints]]:
    octets, row = frames.octets, np.arange(len(rows))
    at, (end, claimed) = frames.transport[rows] + FIXED_HEADER, options_end(frames, rows)
    while (held := at < end).any():
        row, at, end, claimed = _kept(held, row, at, end, claimed)
        kind, size = octets[at], np.ones(len(at), np.int64)
        long = np.flatnonzero(kind > NO_OPERATION)
        size[long] = np.where(
            at[long] + 1 < end[long], octets[np.minimum(at[long], end[long] - 2) + 1], 0
        )
        good = (kind != END) & ((kind == NO_OPERATION) | (size >= 2)) & (at + size <= claimed)
        good &= (at + size <= end) | (kind == SACK)
        row, at, end, claimed, kind, size = _kept(good, row, at, end, claimed, kind, size)
        yield row, kind, at + 2, size
        at = at + size


def _kept(wanted: Mask, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """What is wanted of each column: mostly all of it."""
    return columns if wanted.all() else tuple(column[wanted] for column in columns)
