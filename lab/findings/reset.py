"""A connection that ended by RST.

A RST that carries ACK was sent on purpose: the program closed while data lay unread in its
receive buffer (RFC 2525 section 2.17), or asked for an abort (SO_LINGER 0; RFC 9293 section
3.10.5). A RST without ACK answers a segment for a connection that no longer exists there
(RFC 9293 section 3.10.7.1).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, name_of
from lab.packets.frames import Flags
from lab.tcp.model import Connection, Teardown
from lab.text import Text

ABORTED = Text(
    "{who} reset the connection: it was closed with data unread, or aborted (SO_LINGER 0).",
    "{who} 复位了连接：关闭时仍有数据未读，或主动中止（SO_LINGER 0）。",
)
UNREAD = Text(
    "{who} reset the connection: it was closed with {octets} octets unread.",
    "{who} 复位了连接：关闭时仍有 {octets} 字节未读。",
)
GONE = Text(
    "{who} answered with RST: a segment arrived for a connection it no longer had.",
    "{who} 以 RST 应答：收到的报文段所属的连接在该端已不存在。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a connection that was reset, for its first RST."""
    for connection in evidence.view.connections:
        if connection.teardown is Teardown.RESET:
            yield _reset(evidence, connection)


def _reset(evidence: Evidence, connection: Connection) -> Finding:
    flags = evidence.view.capture.frames.flags[connection.rows]
    resets = np.flatnonzero(flags & int(Flags.RST))
    first = int(resets[0]) if len(resets) else len(flags) - 1
    by_client = bool(connection.from_client[first])
    who = name_of(evidence, connection.client if by_client else connection.server)
    unread = _unread(evidence, connection, by_client)
    words = UNREAD if unread else ABORTED if flags[first] & int(Flags.ACK) else GONE
    frames = tuple(int(connection.rows[index]) + 1 for index in resets)
    return Finding(
        "reset",
        Severity.WARNING,
        words.fill(who=who, octets=unread),
        frames,
        "tcp",
        connection.stream,
    )


def _unread(evidence: Evidence, connection: Connection, by_client: bool) -> int:
    """Octets that arrived but were never taken by a recv, by the call log; 0 without a log."""
    own, peer = connection.client, connection.server
    if not by_client:
        own, peer = peer, own
    taken = [
        call.octets or 0
        for calls in evidence.calls.values()
        for call in calls
        if call.function.startswith("recv")
        and call.local == [own.address, own.port]
        and call.peer == [peer.address, peer.port]
    ]
    arrived = connection.octets[1 if by_client else 0]
    return max(arrived - sum(taken), 0) if taken else 0
