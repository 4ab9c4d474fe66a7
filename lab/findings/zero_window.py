"""A receiver that announced a window of 0: it could take no more (RFC 9293 section 3.8.6)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, flagged
from lab.tcp.model import Analysis
from lab.text import Text

WORDS = Text(
    "The receive buffer was full: a window of 0 was announced {times}.",
    "接收缓冲区已满：通告窗口为 0 共 {count} 次。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a connection in which a zero window was announced."""
    for connection in evidence.view.connections:
        if frames := flagged(connection, Analysis.ZERO_WINDOW):
            times = "once" if len(frames) == 1 else f"{len(frames)} times"
            words = WORDS.fill(times=times, count=len(frames))
            yield Finding("zero_window", Severity.WARNING, words, frames, "tcp", connection.stream)
