"""Timestamps that run backwards: the clock was set, or several queues were written out of order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, times
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
SMALL = 10_000_000
"""ns: queues of one machine differ by less; a clock that is set jumps further."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    time = evidence.view.capture.frames.time
    steps = np.diff(time)
    back = np.flatnonzero(steps < 0)
    if not len(back):
        return
    most = -int(steps.min())
    words = WORDS.fill(times=times(len(back)), span=short_span(most))
    small = most < SMALL
    yield Finding(
        "clock_backwards",
        Severity.NOTE if small else Severity.WARNING,
        words,
        tuple((back + 2).tolist()),
        next=JITTER if small else STEP,
    )
