"""Files that a command writes: they appear whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from lab.errors import NotWritten


@contextmanager
def written(name: str | Path) -> Iterator[None]:
    """Turn what the system says of a write into NotWritten; a closed pipe stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        detail = error.strerror or errno.errorcode.get(error.errno or 0, "")
        raise NotWritten(file=name, detail=detail) from error


@contextmanager
def appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that gets its name once the block has ended well; else nothing is left.

    Raises NotWritten.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        with written(path):
            with fresh.open("wb") as file:
                yield file
            fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
