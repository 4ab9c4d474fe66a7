"""A SYN that nobody answered: lost, filtered, or sent to an address where nobody is."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.packets.frames import Flags
from lab.tcp.model import Connection, Handshake
from lab.text import Text

WORDS = Text(
    "No answer from {server}: the SYN was sent {times}.",
    "{server} 没有应答：SYN 共发送 {times}。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a connection whose SYN stayed unanswered."""
    for connection in evidence.view.connections:
        if connection.handshake is Handshake.UNANSWERED:
            frames = _syns(evidence, connection)
            words = WORDS.fill(server=connection.server, times=_times(len(frames)))
            yield Finding("unanswered", Severity.ERROR, words, frames, "tcp", connection.stream)


def _syns(evidence: Evidence, connection: Connection) -> tuple[int, ...]:
    flags = evidence.view.capture.frames.flags[connection.rows]
    return tuple(int(row) + 1 for row in connection.rows[(flags & int(Flags.SYN)) != 0])


def _times(count: int) -> Text:
    return Text("once" if count == 1 else f"{count} times", f"{count} 次")
