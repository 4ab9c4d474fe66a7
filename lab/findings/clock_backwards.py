"""Timestamps that run backwards: the clock was set, or several queues were written out of order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, times
from lab.packets.pages import blocks
from lab.text import Text
from lab.units import short_span

WORDS = Text(
    "Time runs backwards {times}, by up to {span}: every delay across these frames is wrong.",
    "时间戳倒退 {times}，最多 {span}：跨越这些帧的时延都不正确。",
)
STEP = Text(
    "The clock was set while capturing, or files were joined without order: see `reordercap`, `mergecap`.",
    "抓包期间时钟被调整，或文件未按时间合并：参见 `reordercap`、`mergecap`。",
)
JITTER = Text(
    "Frames of several interfaces or receive queues were written as they came: sort them by time "
    "(`reordercap`) before measuring.",
    "多个接口或接收队列的帧按到达顺序写入：测量之前先按时间排序（`reordercap`）。",
)
TOGETHER = 1 << 16
"""Frames that are compared at once."""
SMALL = 10_000_000
"""ns: queues of one machine differ by less; a clock that is set jumps further."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    rows, most = _back(evidence.view.capture.frames.time)
    if not len(rows):
        return
    words = WORDS.fill(times=times(len(rows)), span=short_span(most))
    small = most < SMALL
    yield Finding(
        "clock_backwards",
        Severity.NOTE if small else Severity.WARNING,
        words,
        tuple((rows + 1).tolist()),
        next=JITTER if small else STEP,
    )


def _back(time: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The rows that come before the one above them, and by how much at most (ns)."""
    found, most = [np.zeros(0, np.int64)], 0
    for at in blocks(time, TOGETHER):
        steps = np.diff(time[max(at.start - 1, 0) : at.stop])
        found.append(np.flatnonzero(steps < 0) + max(at.start, 1))
        most = max(most, -int(steps.min(initial=0)))
    return np.concatenate(found), most
