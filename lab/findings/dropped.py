"""Frames that the kernel saw and the recording lacks."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.text import Text

WORDS = Text(
    "The recording lacks {dropped} frames on {where}: the kernel could not keep them.",
    "录制缺少 {where} 上的 {dropped} 帧：内核未能保存。",
)
NEXT = Text(
    "Loss and retransmission in this capture prove nothing. Record again with a larger buffer "
    "(tcpdump -B), a filter, or only the first octets of each frame (-s 128).",
    "此抓包中的丢包与重传不能作为证据。请加大缓冲区（tcpdump -B）、加过滤器，或只截取每帧开头（-s 128）后重新录制。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a tap, or an interface of the file, that dropped frames."""
    for where, dropped in _counters(evidence):
        if dropped:
            words = WORDS.fill(dropped=f"{dropped:,}", where=where)
            yield Finding("dropped", Severity.ERROR, words, next=NEXT)


def _counters(evidence: Evidence) -> Iterator[tuple[str, int]]:
    for tap in evidence.manifest.taps:
        yield tap.host, tap.dropped
    if not evidence.manifest.taps:
        for number, interface in enumerate(evidence.view.capture.interfaces):
            yield interface.name or f"interface {number}", interface.dropped or 0
