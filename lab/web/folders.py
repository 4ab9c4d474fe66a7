"""What a page may read: the run folders in captures/, and the files that lie in them.

Nothing is opened by a name that a request made up: names are looked for among those that are
there, and a link is not followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from lab.capture.folder import RUN, runs
from lab.errors import RunNotFound, UnreadableFile
from lab.text import Text

PIECE = 1 << 16
LISTED = Text("the list at /", "见 / 上的列表")


def published(captures: Path) -> list[Path]:
    """Every run, newest first, then the samples."""
    return [*reversed(runs(captures)), *samples(captures)]


def newest(captures: Path) -> dict[str, str]:
    """The newest whole run of each scenario: name of its folder by name of the scenario there."""
    every = (RUN.fullmatch(path.name) for path in runs(captures))  # oldest first
    return {one[3]: one[0] for one in every if one and not one[4]}


def samples(captures: Path) -> list[Path]:
    """The runs that come with the lab."""
    return sorted(_folders(captures / "samples"))


def folder(captures: Path, name: str) -> Path:
    """The folder of a run or of a sample; raises RunNotFound."""
    where = captures if RUN.fullmatch(name) else captures / "samples"
    for path in _folders(where):
        if path.name == name:
            return path
    raise RunNotFound(run=name[:80], near=LISTED)


def _folders(where: Path) -> Iterator[Path]:
    try:
        with os.scandir(where) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    yield Path(entry)
    except OSError:
        return


def files(run: Path) -> dict[str, int]:
    """The plain files of a run that may be taken away, with their sizes."""
    try:
        with os.scandir(run) as entries:
            found = {
                entry.name: entry.stat(follow_symlinks=False).st_size
                for entry in entries
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
            }
    except OSError:
        return {}
    return dict(sorted(found.items()))


def open_file(run: Path, name: str) -> tuple[int, int]:
    """A file of a run as an open descriptor, with its size; raises UnreadableFile."""
    if name not in files(run):
        raise UnreadableFile(file=name[:80], detail=os.strerror(2))
    try:
        descriptor = os.open(run / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableFile(file=name, detail=error.strerror) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise UnreadableFile(file=name, detail=os.strerror(22))
    return descriptor, found.st_size


def octets(descriptor: int, size: int) -> Iterator[bytes]:
    """As many octets of a file as it had when it was opened, however it grows; closes it."""
    with os.fdopen(descriptor, "rb") as file:
        while size > 0 and (piece := file.read(min(PIECE, size))):
            size -= len(piece)
            yield piece
