"""How much memory the analysis of a capture may take, and what is done if it would take more."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from lab.capture.folder import read_octets
from lab.errors import MatchTooLarge, NotWritten, UnreadableFile
from lab.packets.pages import staying
from lab.packets.reader import read_capture
from lab.packets.scratch import OURS, Mapped, Scratch, mapped_with

LOOKED_AT = 1 << 20
"""Octets of a file by which it is told how many frames it has."""
A_FRAME, A_NAME = 400, 150
"""Octets that the analysis of a frame takes at most, and its name while two captures are matched."""
SMALLEST_RECORD = 64
"""Octets: files of smaller ones are not worth a look."""
LARGE = Path("/var/tmp")  # noqa: S108
"""Where temporary files may be large and outlive a restart: on a disk, where /tmp may be memory."""
MEMORY = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
LIMITS = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""The files of a cgroup, versions 2 and 1: its limit, and what of it is taken."""


@contextmanager
def in_bounds(octets: bytes | mmap, path: Path, memory: int | None) -> Iterator[bytes | mmap]:
    """A capture's octets as they are, or with a scratch if its analysis would not fit.

    ``memory``: octets that the process may take; None: those that are free. Raises UnreadableFile,
    and NotWritten in place of what the system says while the block works.
    """
    bound = free_memory() if memory is None else memory
    if not isinstance(octets, mmap) or _needed(octets, path, bound) <= bound:
        yield octets
        return
    try:
        yield _mapped(path, Scratch(_fresh, bound))
    except OSError as error:
        detail = error.strerror or errno.errorcode.get(error.errno or 0, "")
        raise NotWritten(file=folder(), detail=detail) from error


def match_in_bounds(first: Path, second: Path, memory: int | None) -> None:
    """Raise MatchTooLarge if two captures cannot be analysed and matched in memory.

    ``memory``: as for `in_bounds`. Raises what reading them raises, too.
    """
    bound = free_memory() if memory is None else memory
    taken = sum(_together(path) for path in (first, second) if path.is_file())
    needed = OURS + taken
    if taken and needed > bound:
        raise MatchTooLarge(first=first, second=second, needed=-(-needed >> 20), bound=bound >> 20)


def _together(path: Path) -> int:
    """Octets that a large capture takes in memory while it is matched with another, about."""
    octets = read_octets(path)
    if not isinstance(octets, mmap):
        return 0
    return len(octets) + (A_FRAME + A_NAME) * _frames(octets, path)


def _needed(octets: mmap, path: Path, bound: int) -> int:
    """Octets that the analysis takes in memory, about; the frames are counted if it is close."""
    size = len(octets)
    if OURS + size + A_FRAME * size // SMALLEST_RECORD <= bound:
        return 0
    frames = _frames(octets, path)
    return OURS + staying(memoryview(octets), frames) + A_FRAME * frames


def _frames(octets: mmap, path: Path) -> int:
    """About how many there are, by the first of them."""
    beginning = memoryview(octets)[:LOOKED_AT]
    return len(read_capture(beginning, name=str(path)).frames) * len(octets) // len(beginning)


def _mapped(path: Path, scratch: Scratch) -> Mapped:
    try:
        with path.open("rb") as file:
            return mapped_with(scratch, file)
    except (OSError, ValueError) as error:
        raise UnreadableFile(file=path, detail=str(error)) from error


def folder() -> Path:
    """Where temporary files go: TMPDIR, else where they may be large."""
    named = os.environ.get("TMPDIR")
    return Path(named) if named else LARGE if LARGE.is_dir() else Path("/tmp")  # noqa: S108


def _fresh() -> IO[bytes]:
    return TemporaryFile(dir=folder())


def free_memory() -> int:
    """Octets that can be had without swapping, by the system and by the cgroup."""
    found = [1 << 62]
    with suppress(OSError, ValueError, IndexError):
        lines = MEMORY.read_text().splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    for limit, taken in LIMITS:
        with suppress(OSError, ValueError):  # there is no limit, or none is told
            most, now = (int((CGROUP / name).read_text()) for name in (limit, taken))
            found.append(most - now)
    return max(min(found), 0)
