"""Columns that are kept in files, for a capture that is too large to be analysed in memory.

They are mapped as the capture is: the system keeps of both what it has room for, and who works
through them gives back what has been read (`lab.packets.pages`). What is computed of a
capture finds its scratch through the capture's own octets, so nothing has to be handed on.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from mmap import ACCESS_READ, MADV_DONTNEED, mmap
from typing import IO, Any, TypeVar
from weakref import WeakSet

import numpy as np
from numpy.typing import DTypeLike, NDArray

_Number = TypeVar("_Number", bound=np.generic)

_Map = Callable[[IO[bytes], int, DTypeLike], NDArray[Any]]
"""Maps so many octets of a file as a column."""

OURS = 96 << 20
"""Octets that the analyzer itself takes, with NumPy."""
LEAST = 32 << 20
"""Octets that are worked with however small the bound."""
SHARE = 8
"""The part of what there is for work that may stay mapped between two times of giving back."""


class Scratch:
    """Temporary files, one a column; each is gone once its column is no longer used."""

    def __init__(self, fresh: Callable[[], IO[bytes]], bound: int) -> None:
        """``fresh``: gives empty files without a name; ``bound``: octets of memory for all."""
        self._fresh = fresh
        self._maps: WeakSet[mmap] = WeakSet()
        self.work = max(bound - OURS, LEAST)  # octets
        self.stretch = self.work // SHARE  # octets
        self.parts = 1  # in which the connections are analysed
        self._read = self._near = 0  # octets since pages were given back, and where that was

    def zeros(self, count: int, kind: DTypeLike) -> NDArray[Any]:
        """A column of zeros. Raises OSError if the disk is full."""
        size = count * np.dtype(kind).itemsize
        with self._fresh() as file:
            if size:
                os.posix_fallocate(file.fileno(), 0, size)
            return self._mapped(file, size, kind)

    def joined(self, parts: Iterable[NDArray[_Number]], kind: DTypeLike) -> NDArray[_Number]:
        """A column of what comes, part after part. Raises OSError if the disk is full."""
        column = self.growing(kind)
        for part in parts:
            column.add(part)
        return column.whole()

    def growing(self, kind: DTypeLike) -> Growing:
        """A column to which parts are added."""
        return Growing(self._fresh(), kind, self._mapped)

    def _mapped(self, file: IO[bytes], size: int, kind: DTypeLike) -> NDArray[Any]:
        if not size:
            return np.zeros(0, kind)
        column = Mapped(file.fileno(), size)
        column.scratch = self
        self._maps.add(column)
        return np.frombuffer(column, kind)

    def is_much(self, at: int, octets: int) -> bool:
        """Whether with these octets as much has been read as may stay mapped, or far away.

        Then it is counted anew. ``at``: where in the capture.
        """
        self._read += octets
        if self._read <= self.stretch and abs(at - self._near) <= self.stretch:
            return False
        self._read, self._near = 0, at
        return True

    def leave(self) -> None:
        """Give back the pages of all columns; they are read, or written, again if asked for."""
        for column in list(self._maps):
            column.madvise(MADV_DONTNEED)

    def settle(self) -> None:
        """Give back besides what has been freed in memory, after much work."""
        self.leave()
        with suppress(AttributeError):  # not every C library has it
            ctypes.CDLL(None).malloc_trim(0)


class Growing:
    """A column that is written part after part, and read once it is whole."""

    def __init__(self, file: IO[bytes], kind: DTypeLike, mapped: _Map) -> None:
        self._file, self._kind, self._mapped, self._size = file, kind, mapped, 0

    def add(self, part: NDArray[Any]) -> None:
        """Write the next part. Raises OSError if the disk is full."""
        self._size += self._file.write(np.ascontiguousarray(part, self._kind).data)

    def whole(self) -> NDArray[Any]:
        """The column; nothing can be added any more."""
        with self._file as file:
            file.flush()
            return self._mapped(file, self._size, self._kind)


class Mapped(mmap):
    """A mapped file that has a scratch: a capture, or a column in the scratch itself."""

    scratch: Scratch


def mapped_with(scratch: Scratch, file: IO[bytes]) -> Mapped:
    """Map a capture file that is to be read with a scratch. Raises OSError, ValueError if empty."""
    found = Mapped(file.fileno(), 0, access=ACCESS_READ)
    found.scratch = scratch
    return found


def mapping_of(octets: object) -> mmap | None:
    """The mapping that some octets, or a column, are a part of."""
    held: Any = octets
    while held is not None and not isinstance(held, mmap):
        held = held.obj if isinstance(held, memoryview) else getattr(held, "base", None)
    return held


def scratch_of(octets: object) -> Scratch | None:
    """The scratch of a capture, found by its octets or by a column; None: it is read in memory."""
    held = mapping_of(octets)
    return held.scratch if isinstance(held, Mapped) else None


def zeros(octets: object, count: int, kind: DTypeLike) -> NDArray[Any]:
    """A column of zeros for what is computed of a capture: in its scratch, or in memory."""
    scratch = scratch_of(octets)
    return scratch.zeros(count, kind) if scratch else np.zeros(count, kind)


def joined(octets: object, parts: Iterable[NDArray[_Number]], kind: DTypeLike) -> NDArray[_Number]:
    """What is computed of a capture part after part, as one column."""
    if scratch := scratch_of(octets):
        return scratch.joined(parts, kind)
    return np.concatenate([np.zeros(0, kind), *parts])
