"""Compiled templates kept beside them, as Python keeps its own modules: to compile takes longer than
to write a page."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from jinja2.bccache import Bucket, BytecodeCache


class Beside(BytecodeCache):
    """A file a template in ``__pycache__``; where that cannot be written, nothing is kept."""

    def __init__(self, folder: Path) -> None:
        """``folder``: of the templates."""
        self._folder = folder / "__pycache__"

    def _path(self, bucket: Bucket) -> Path:
        return self._folder / f"{bucket.key}.jinja"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read it if it is there; jinja itself sees whether it is of this template and Python."""
        with suppress(OSError), self._path(bucket).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write it, whole or not at all."""
        path = self._path(bucket)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            with fresh.open("wb") as file:
                bucket.write_bytecode(file)
            fresh.replace(path)
