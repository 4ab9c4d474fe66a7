"""Frames that the kernel saw and the recording lacks."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, counted
from lab.text import Text, same

WORDS = Text(
    "The recording lacks {dropped} on {where}: the kernel could not keep them.",
    "录制缺少 {where} 上的 {dropped}：内核未能保存。",
)
NAMELESS = Text("interface {number}", "接口 {number}")
NEXT = Text(
    "Loss and retransmission in this capture prove nothing. Record again with a larger buffer "
    "(tcpdump -B), a filter, or only the first octets of each frame (-s 128).",
    "此抓包中的丢包与重传不能作为证据。请加大缓冲区（tcpdump -B）、加过滤器，或只截取每帧开头（-s 128）后重新录制。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a tap, or an interface of the file, that dropped frames."""
    for where, dropped in _counters(evidence):
        if dropped:
            words = WORDS.fill(dropped=counted(dropped, "frame", "帧"), where=where)
            yield Finding("dropped", Severity.ERROR, words, next=NEXT)


def _counters(evidence: Evidence) -> Iterator[tuple[Text, int]]:
    for tap in evidence.manifest.taps:
        yield same(tap.host), tap.dropped
    if not evidence.manifest.taps:
        for number, interface in enumerate(evidence.view.capture.interfaces):
            named = same(interface.name) if interface.name else NAMELESS.fill(number=number)
            yield named, interface.dropped or 0
