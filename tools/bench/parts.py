"""``lab explain`` on a file several times the memory that it may take: the bound, and what it costs.

Processor time is compared, which other work on the machine changes little.
"""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.bench.analyze import LAB, MILLION
from tools.bench.figure import Figure, alternate, peak, quietly
from tools.bench.traffic import KINDS, write

BOUND = 128
"""MiB."""
TIMES = 3
SLOWER = 4.0


def figures() -> Iterator[Figure]:
    """Memory over the bound, and time over that of reading the file whole."""
    for kind in KINDS:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            yield from _of_kind(kind, Path(folder) / f"{kind}.pcap")


def _of_kind(kind: str, file: Path) -> Iterator[Figure]:
    write(file, KINDS[kind](MILLION))
    bounded, free = ((*LAB, str(file), "--memory", size) for size in (f"{BOUND}M", "64G"))
    used, whole, size = peak(*bounded), peak(*free), file.stat().st_size
    detail = f"{used / MILLION:,.0f} MB for {size / MILLION:,.0f} MB; without it {whole / MILLION:,.0f} MB"
    yield Figure(f"lab explain in parts, {kind}: memory / bound", used / (BOUND << 20), 1.0, detail)
    parts, once = alternate(TIMES, lambda: _processor(*bounded), lambda: _processor(*free))
    seconds = f"{parts:.2f} s of processor time, whole {once:.2f} s"
    yield Figure(f"lab explain in parts / whole, {kind}", parts / once, SLOWER, seconds)


def _processor(*command: str) -> float:
    """Seconds of processor time that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quietly(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
