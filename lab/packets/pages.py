"""The pages of a mapped file: fetched ahead of who reads them, and given back once they are read.

A page that is given back is still in the system's cache and is read again if it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from mmap import MADV_DONTNEED, PAGESIZE, mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOM = 1 << 32
"""Octets of a file that may stay mapped while it is read; of a larger file, what is being read."""

COMPUTED = 250
"""Octets that the columns of a frame and its segment take, about."""

AROUND = 1 << 16
"""Octets that Linux maps at once around the one that is asked for."""

AT_ONCE = 1 << 28
"""Octets after which it is told how many have been fetched."""

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
        self._octets, self._left, self._stays = octets, 0, may_stay(octets, frames)
        self._told = told

    def reached(self, offset: int) -> None:
        """All before the offset has been read, or nearly all: what has not is mapped again."""
        self._told(offset / len(self._octets))
        if not self._stays and offset - self._left >= self.STRETCH:
            begin, self._left = self._left, offset
            release(self._octets, begin, offset)


def release(octets: memoryview | NDArray[np.uint8], begin: int = 0, end: int | None = None) -> None:
    """Give back the pages between two offsets, if these are the octets of a mapped file."""
    held: Any = octets
    while held is not None and not isinstance(held, mmap):
        held = held.obj if isinstance(held, memoryview) else getattr(held, "base", None)
    if held is None or not memoryview(held).readonly:
        return
    first = -(-begin // PAGESIZE) * PAGESIZE
    last = len(held) if end is None else end // PAGESIZE * PAGESIZE
    if first < last:
        held.madvise(MADV_DONTNEED, first, last - first)


def may_stay(octets: memoryview | NDArray[np.uint8], frames: int = 0) -> bool:
    """Whether a file may stay mapped: with what is computed of it, it takes little more memory."""
    return 2 * COMPUTED * frames <= len(octets) <= ROOM


def release_if_large(
    octets: memoryview | NDArray[np.uint8], begin: int = 0, end: int | None = None, frames: int = 0
) -> None:
    """Give the pages between two offsets back, unless all of the file may stay."""
    if not may_stay(octets, frames):
        release(octets, begin, end)
