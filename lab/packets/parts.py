"""The frames of a capture in parts, each with all that passed between some pairs of endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lab.packets.distinct import among
from lab.packets.each import Each, one_by_one
from lab.packets.frames import ABSENT, Frames, Protocol
from lab.packets.pages import blocks, release
from lab.packets.scratch import joined, scratch_of

_Number = TypeVar("_Number", bound=np.generic)
_Result = TypeVar("_Result")
Rows = NDArray[np.int64]

TOGETHER = 1 << 15
"""Frames that are looked at, or copied, at once."""
STRETCH = 1 << 18
"""Frames of one column."""

FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93], np.uint64)
BUCKETS = 1 << 13
"""Into which frames are sorted by their endpoints, before some make up a part."""
NO_COLUMNS = {"octets", "fragments", "unmeasured"}
NAMES = tuple(name for name in Frames.__struct_fields__ if name not in NO_COLUMNS)
"""The columns."""


def some(frames: Frames, at: slice | Rows) -> Frames:
    """Some of the frames, with the octets of the whole file; which are fragments is left out."""
    columns = {name: getattr(frames, name)[at] for name in NAMES}
    return Frames(octets=frames.octets, **columns)


def each_part(frames: Frames) -> Iterator[tuple[int, Frames]]:
    """All frames, many at a time, each time with the row of the first of them.

    With a scratch, what was read of the file and the columns is given back after each.
    """
    for at in blocks(frames.time, TOGETHER):
        yield at.start, some(frames, at)
        if scratch_of(frames.octets):
            release(frames.octets)


def over_parts(
    frames: Frames, do: Callable[[Frames], _Result], each: Each = one_by_one
) -> Iterable[_Result]:
    """What ``do`` makes of each part that `each_part` yields."""

    def done(at: slice) -> _Result:
        result = do(some(frames, at))
        if scratch_of(frames.octets):
            release(frames.octets)
        return result

    return each(done, blocks(frames.time, TOGETHER))


def span(time: NDArray[np.int64]) -> tuple[int, int]:
    """The earliest and the latest of the times of frames, of which there is at least one (ns)."""
    parts = [(int(time[at].min()), int(time[at].max())) for at in blocks(time, STRETCH)]
    return min(first for first, _ in parts), max(last for _, last in parts)


def where(frames: Frames, test: Callable[[Frames], NDArray[np.bool_]]) -> Rows:
    """The rows of the frames for which a test holds; it is asked of many frames at a time."""
    found = (np.flatnonzero(test(part)) + begin for begin, part in each_part(frames))
    return joined(frames.octets, found, np.int64)


def with_header(frames: Frames, *protocols: Protocol) -> Rows:
    """The rows of the frames that carry one of these protocols, with its header."""
    return where(frames, partial(_has_header, protocols=protocols))


def _has_header(frames: Frames, protocols: tuple[Protocol, ...]) -> NDArray[np.bool_]:
    wanted = [frames.protocol == int(protocol) for protocol in protocols]
    found: NDArray[np.bool_] = np.logical_or.reduce(wanted) & (frames.transport != ABSENT)
    return found


def only(frames: Frames, rows: Rows) -> Frames:
    """A copy in memory of some frames' columns; which are fragments is left out."""
    columns = {name: fetched(getattr(frames, name), rows) for name in NAMES}
    unmeasured = np.flatnonzero(among(rows, frames.unmeasured))
    return Frames(octets=frames.octets, unmeasured=unmeasured, **columns)


def fetched(column: NDArray[_Number], rows: Rows) -> NDArray[_Number]:
    """What a column says of some frames; with a scratch, stretch after stretch of it is read."""
    if scratch_of(column) is None:
        return column[rows]
    found = np.empty((len(rows), *column.shape[1:]), column.dtype)
    order = np.argsort(rows, kind="stable")
    bounds = np.searchsorted(rows[order], np.arange(0, len(column) + STRETCH, STRETCH))
    for at, (begin, end) in zip(blocks(column, STRETCH), pairwise(bounds.tolist()), strict=True):
        found[order[begin:end]] = column[at][rows[order[begin:end]] - at.start]
    return found


def parts(frames: Frames, protocol: Protocol, together: int) -> Iterator[Rows]:
    """Split the frames with a header of one protocol, at most so many in a part where that can be.

    All frames between two endpoints are in the same part; there is at least one part.
    """
    wanted = partial(_has_header, protocols=(protocol,))
    buckets = (
        np.where(wanted(part), 1 + _mixed(part) % np.uint64(BUCKETS), 0)
        for _, part in each_part(frames)
    )
    bucket = joined(frames.octets, buckets, np.uint16)
    counts = np.zeros(BUCKETS + 1, np.int64)
    for at in blocks(bucket, STRETCH):
        counts += np.bincount(bucket[at], minlength=BUCKETS + 1)
    number = _packed(counts, together)
    for part in range(1, int(number.max()) + 1):
        found = [
            np.flatnonzero(number[bucket[at]] == part) + at.start for at in blocks(bucket, STRETCH)
        ]
        yield np.concatenate([np.zeros(0, np.int64), *found])


def _packed(counts: NDArray[np.int64], together: int) -> NDArray[np.int64]:
    """The number, from 1, of the part to which each bucket goes; bucket 0 goes to none."""
    number, part, load = np.zeros(BUCKETS + 1, np.int64), 1, 0
    for bucket in (np.argsort(-counts[1:], kind="stable") + 1).tolist():
        if load and load + int(counts[bucket]) > together:
            part, load = part + 1, 0
        number[bucket] = part
        load += int(counts[bucket])
    return number


def _mixed(frames: Frames) -> NDArray[np.uint64]:
    """A number for the two endpoints of each frame, whichever sent it."""
    found = _end(frames.source, frames.source_port)
    found += _end(frames.destination, frames.destination_port)
    found ^= found >> np.uint64(31)
    found *= FACTORS[2]
    return found >> np.uint64(32)


def _end(address: NDArray[np.uint64], port: NDArray[np.uint16]) -> NDArray[np.uint64]:
    found: NDArray[np.uint64] = address[:, 0] * FACTORS[0] + address[:, 1]
    found = (found ^ found >> np.uint64(29)) * FACTORS[1] + port
    found ^= found >> np.uint64(32)
    found *= FACTORS[2]
    found ^= found >> np.uint64(29)
    return found
