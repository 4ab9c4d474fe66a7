"""Both ends opened or closed at the same time (RFC 9293 sections 3.5, 3.6): rare, and correct."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.findings.base import Finding, Severity, of_talk
from lab.tcp.model import Handshake, Teardown
from lab.text import Text

OPEN = Text(
    "Both ends opened the connection at once: the SYNs crossed, and there is one connection.",
    "双方同时打开连接：两个 SYN 在途中交错，最终只建立一个连接。",
)
CLOSE = Text(
    "Both ends closed at once: the FINs crossed, and both ends go through CLOSING to TIME-WAIT.",
    "双方同时关闭：两个 FIN 在途中交错，双方都经 CLOSING 进入 TIME-WAIT。",
)
NEXT = Text(
    "Nothing is wrong; firewalls and load balancers do not always know this exchange, though.",
    "这并非错误；不过有些防火墙和负载均衡器并不认识这种交换。",
)


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """One finding an opening, one a close."""
    for one in suspects.closely:
        if one.handshake is Handshake.SIMULTANEOUS:
            frames = one.handshake_frames
            yield of_talk(one, "simultaneous_open", Severity.NOTE, OPEN, frames, NEXT)
        if one.teardown is Teardown.SIMULTANEOUS:
            frames = one.teardown_frames
            yield of_talk(one, "simultaneous_close", Severity.NOTE, CLOSE, frames, NEXT)
