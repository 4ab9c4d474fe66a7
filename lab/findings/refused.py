"""A connection refused: SYN answered by RST (RFC 9293 section 3.10.7.1)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, name_of
from lab.tcp.model import Handshake
from lab.text import Text

WORDS = Text(
    "{server} refused the connection: nothing listened on port {port} of that address.",
    "{server} 拒绝了连接：该地址的端口 {port} 上没有程序监听。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a refused connection."""
    for connection in evidence.view.connections:
        if connection.handshake is Handshake.REFUSED:
            yield Finding(
                "refused",
                Severity.ERROR,
                WORDS.fill(
                    server=name_of(evidence, connection.server), port=connection.server.port
                ),
                connection.handshake_frames,
                "tcp",
                connection.stream,
            )
