"""The pages of a mapped file: fetched ahead of who reads them, and given back once they are read.

A page that is given back is still in the system's cache and is read again if it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from mmap import MADV_DONTNEED, PAGESIZE

import numpy as np
from numpy.typing import NDArray

from lab.packets.scratch import mapping_of, scratch_of

ROOM = 1 << 32
"""Octets of a file that may stay mapped while it is read; of a larger file, what is being read."""

COMPUTED = 200
"""Octets that the columns of a frame and its segment take, about."""

WHOLE = 1.3
"""How much of a file's size that and what stays mapped may take together."""

AROUND, FOLIO = 1 << 16, 1 << 21
"""Octets that Linux maps at once around the one that is asked for, at least and at most."""

AT_ONCE = 1 << 28
"""Octets after which it is told how many have been fetched."""

LEAST_TOGETHER = 128
"""Frames of a file that are read at once, however little memory there is."""
MANY = 100
"""Places of a file after which it is worth it to give back what was mapped around them."""

Share = Callable[[float], None]
"""Hears which share of a file has been read, 0 to 1."""


def _unheard(_share: float) -> None:
    """Nobody waits."""


def fetch(octets: memoryview, told: Share = _unheard) -> None:
    """Have the pages mapped, as far as they may stay: much faster than when each is missed."""
    every = np.frombuffer(octets, np.uint8)[:ROOM]
    for begin in range(0, len(every), AT_ONCE):
        every[begin : begin + AT_ONCE : AROUND].max(initial=0)
        told(min(begin + AT_ONCE, len(every)) / len(octets))


class Trail:
    """Gives back what has been read of a large file, a stretch at a time: each time costs much."""

    STRETCH = 1 << 26  # octets

    def __init__(
        self, octets: memoryview | NDArray[np.uint8], frames: int = 0, told: Share = _unheard
    ) -> None:
        self._octets, self._left, self._stays = octets, 0, staying(octets, frames)
        self._told, self._little = told, scratch_of(octets) is not None

    def reached(self, offset: int, end: int | None = None) -> None:
        """All before the offset has been read, or nearly all: what has not is mapped again.

        ``end``: where what has just been read ends. With a scratch that is given back at once, as
        several threads read, and another may be far ahead.
        """
        self._told(offset / len(self._octets))
        if self._little:
            release(self._octets, max(offset - FOLIO, 0), end or offset + AROUND)
        elif offset - self._left >= self.STRETCH and offset > self._stays:
            begin, self._left = max(self._left, self._stays), offset
            release(self._octets, begin, offset)


def release(octets: memoryview | NDArray[np.uint8], begin: int = 0, end: int | None = None) -> None:
    """Give back the pages between two offsets, if these are the octets of a mapped file.

    Of a file that has a scratch, those of all columns too.
    """
    if scratch := scratch_of(octets):
        scratch.leave()
    held = mapping_of(octets)
    if held is None or not memoryview(held).readonly:
        return
    first = -(-begin // PAGESIZE) * PAGESIZE
    last = len(held) if end is None else end // PAGESIZE * PAGESIZE
    if first < last:
        held.madvise(MADV_DONTNEED, first, last - first)


def staying(octets: memoryview | NDArray[np.uint8], frames: int = 0) -> int:
    """How much of a file may stay mapped, from its beginning: with what is computed of so many frames,
    it takes little more memory than its size. To map it again takes as long as to look at it."""
    if scratch_of(octets) is not None:
        return 0
    room = int(WHOLE * len(octets)) - COMPUTED * frames
    return max(0, min(room, ROOM, len(octets)))


def release_if_large(
    octets: memoryview | NDArray[np.uint8], begin: int = 0, end: int | None = None, frames: int = 0
) -> None:
    """Give the pages between two offsets back, as far as they may not stay."""
    stays = staying(octets, frames)
    if stays < len(octets):
        release(octets, max(begin, stays), end)


def window_of(octets: memoryview) -> int:
    """How many octets of a file may be gone through at once to find its records."""
    scratch = scratch_of(octets)
    return scratch.stretch if scratch else len(octets)


def frames_of(octets: memoryview | NDArray[np.uint8], count: int, together: int) -> int:
    """How many of a file's frames may be read at once: so many, or with a scratch few."""
    scratch = scratch_of(octets)
    if scratch is None or not count:
        return together
    return min(together, max(count * scratch.stretch // len(octets), LEAST_TOGETHER))


def stretches(
    octets: NDArray[np.uint8], at: NDArray[np.int64], together: int, frames: int
) -> Iterator[NDArray[np.int64]]:
    """Cut places of a file that are read into parts, as positions in ``at``; give back after each.

    With a scratch, those of a part lie in one stretch of the file, for a page that is asked for
    brings many around it; else there are so many in a part.
    """
    if scratch := scratch_of(octets):
        order = np.argsort(at, kind="stable")
        cuts = np.flatnonzero(np.diff(at[order] // scratch.stretch)) + 1
        for part in np.split(order, cuts) if len(order) else ():
            yield part
            first, last = int(at[part[0]]), int(at[part[-1]])
            if len(order) >= MANY:
                release(octets, max(first - FOLIO, 0), last + FOLIO)
            else:
                touched(octets, first, len(part))
        return
    for begin in range(0, len(at), together):
        part = np.arange(begin, min(begin + together, len(at)))
        yield part
        if len(at) >= MANY:
            release_if_large(octets, frames=frames)


def touched(octets: NDArray[np.uint8], at: int, frames: int) -> None:
    """So many frames have been read, from that offset on: give back if that is far, or were many."""
    scratch = scratch_of(octets)
    if scratch and scratch.is_much(at, frames * COMPUTED):
        release(octets)


def leave(column: NDArray[np.generic]) -> None:
    """Give back what has been read of a capture's columns, if they are in a scratch."""
    if scratch := scratch_of(column):
        scratch.leave()


def blocks(column: NDArray[np.generic], together: int) -> Iterator[slice]:
    """Cut the columns of a capture into parts; with a scratch, give them back after each."""
    for begin in range(0, len(column), together):
        yield slice(begin, min(begin + together, len(column)))
        leave(column)
