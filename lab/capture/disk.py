"""Writing to the run folder: files that appear whole, and a disk that may be full."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import DiskFull, RecordingError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Turn what the system says of a write into DiskFull or RecordingError, naming ``name``."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(file=name) from error
        raise RecordingError(detail=f"{name}: {error.strerror}") from error


def write_whole(path: Path, octets: bytes) -> None:
    """Write a file that appears under its name only when it is complete."""
    hidden = path.with_name(f".{path.name}.new")
    hidden.write_bytes(octets)
    hidden.rename(path)


def point(link: Path, target: str) -> None:
    """Make or move a symbolic link in one step; ``target`` is relative to the link's folder."""
    # Its own name: sniffers of runs side by side may all have the same process id.
    hidden = link.with_name(f".{link.name}.{os.urandom(8).hex()}")
    hidden.symlink_to(target)
    hidden.replace(link)
