"""Octets sent more than once: their first copy, or its ACK, was lost or late."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, flagged
from lab.tcp.model import Analysis
from lab.text import Text

KINDS = Analysis.RETRANSMISSION | Analysis.FAST_RETRANSMISSION | Analysis.SPURIOUS_RETRANSMISSION

ONE = Text("A segment was sent again.", "有 1 个报文段被重传。")
SEVERAL = Text("{count} segments were sent again.", "有 {count} 个报文段被重传。")


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a connection with retransmissions; a repeated SYN that nobody answers is another kind."""
    for connection in evidence.view.connections:
        if frames := flagged(connection, KINDS):
            words = (ONE if len(frames) == 1 else SEVERAL).fill(count=len(frames))
            yield Finding(
                "retransmission", Severity.WARNING, words, frames, "tcp", connection.stream
            )
