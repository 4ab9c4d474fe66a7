"""An end that answers nothing any more: data or keep-alives repeated until the capture ends.

The other end still takes the connection for open (half-open, RFC 9293 section 3.5.1): its host
lost power or its network, or a middlebox forgot the connection and drops what belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.talk import RST, Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.tcp.model import Analysis, Handshake
from lab.text import Text
from lab.units import short_span

DATA = Text(
    "{who} fell silent: what {other} sent was repeated {times} over {span} and never acknowledged.",
    "{who} 不再回应：{other} 发送的数据在 {span} 内重发 {times}，始终没有得到确认。",
)
PROBES = Text(
    "{who} fell silent: {other} sent keep-alives {times} over {span}, none was answered.",
    "{who} 不再回应：{other} 在 {span} 内发送保活探测 {times}，无一得到应答。",
)
NEXT = Text(
    "Is that host still there (ping, console)? If it is, and has the connection too, look for a firewall "
    "or NAT on the way whose state expired while the connection was idle.",
    "该主机是否还在（ping、控制台）？若在，且仍持有该连接，则检查途中的防火墙或 NAT 是否因连接空闲而清除了状态。",
)
LEAST = 2
"""Repetitions without an answer that make a silence; one may be the end of the capture."""
LONG = 400_000_000
"""ns: two timeouts of the shortest kind."""


def examine(talk: Talk) -> Iterator[Finding]:
    """At most one finding a connection, of its last segments."""
    if talk.connection.handshake in (Handshake.UNANSWERED, Handshake.REFUSED):
        return
    sent = np.flatnonzero((talk.flags & RST) == 0)
    if not len(sent):
        return
    side = int(talk.side[sent[-1]])
    other = np.flatnonzero(talk.side != side)
    since = int(other[-1]) + 1 if len(other) else 0
    keep_alives = talk.has(Analysis.KEEP_ALIVE)
    if not since or (not keep_alives[since:].any() and not talk.resent):
        return
    probes = [i for i in sent.tolist() if i >= since and keep_alives[i]]
    again = [i for i in talk.resent if i >= since and talk.side[i] == side]
    found, words = (again, DATA) if again else (probes, PROBES)
    span = int(talk.time[found[-1]] - talk.time[since]) if found else 0
    if len(found) >= LEAST and span >= LONG:
        told = words.fill(
            who=talk.name(1 - side),
            other=talk.name(side),
            times=times(len(found)),
            span=short_span(span),
        )
        frames = talk.numbers[found].tolist()
        yield of_talk(talk, "peer_silent", Severity.ERROR, told, frames, NEXT)
