"""A SYN,ACK sent again although the capture shows the third segment: the server did not take it.

The ACK was lost beyond the capture, or the accept queue was full: Linux then ignores the ACK and
lets the client believe that the connection is open (tcp_abort_on_overflow 0).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.resent import Why
from lab.evidence.talk import ACK, SYN, Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.text import Text

LOST = Text(
    "{server} sent its SYN,ACK again ({times} in all): the ACK of it was lost on the way.",
    "{server} 重发了 SYN,ACK（共 {times}）：对它的 ACK 在途中丢失。",
)
IGNORED = Text(
    "{server} sent its SYN,ACK again ({times} in all) though the ACK of it reached its port. Its accept "
    "queue was full, or it waits for data (TCP_DEFER_ACCEPT).",
    "{server} 重发了 SYN,ACK（共 {times}），而对它的 ACK 已到达其端口：全连接队列已满，或在等待数据（TCP_DEFER_ACCEPT）。",
)
EITHER = Text(
    "{server} sent its SYN,ACK again ({times} in all) though the ACK of it is in the capture. That ACK "
    "was lost later, or the accept queue was full.",
    "{server} 重发了 SYN,ACK（共 {times}），而抓包中已有对它的 ACK：该 ACK 随后丢失，或全连接队列已满。",
)
NEXT = Text(
    "On the server: `ss -lt` shows the queue (Recv-Q against Send-Q), and `nstat` the counters "
    "TcpExtListenOverflows and TcpExtListenDrops.",
    "在服务器上用 `ss -lt` 查看队列（Recv-Q 与 Send-Q 对照），用 `nstat` 查看 TcpExtListenOverflows 与 TcpExtListenDrops 计数器。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection."""
    again = [i for i, one in talk.resent.items() if one.why is Why.SYN_ACK]
    if not again:
        return
    side = int(talk.side[again[0]])
    before = np.arange(len(talk)) < again[-1]
    third = np.flatnonzero((talk.side != side) & ((talk.flags & (SYN | ACK)) == ACK) & before)
    again = [i for i in again if len(third) and i > third[0]]
    if not again:
        return
    words = _what(talk, int(third[0])).fill(server=talk.name(side), times=times(len(again) + 1))
    frames = talk.numbers[[int(third[0]), *again]].tolist()
    yield of_talk(talk, "repeated_syn_ack", Severity.WARNING, words, frames, NEXT)


def _what(talk: Talk, third: int) -> Text:
    """The two vantage points know whether the ACK arrived."""
    match = talk.case.evidence.match
    row = talk.connection.rows[third]
    if match is None:
        return EITHER
    return LOST if row in match.only_first else IGNORED if row in match.first else EITHER
