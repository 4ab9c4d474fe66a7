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
from lab.evidence.talk import Talk
from lab.findings.base import Finding, Severity, of_talk
from lab.packets.frames import Flags
from lab.tcp.model import Connection, Handshake, Teardown
from lab.text import Text

ABORTED = Text(
    "{who} reset the connection: it was closed with data unread, or aborted (SO_LINGER 0).",
    "{who} 复位了连接：关闭时仍有数据未读，或主动中止（SO_LINGER 0）。",
)
UNREAD = Text(
    "{who} reset the connection: it was closed with {octets} octet[|s] unread.",
    "{who} 复位了连接：关闭时仍有 {octets} 字节未读。",
)
GONE = Text(
    "{who} answered with RST: a segment arrived for a connection it no longer had.",
    "{who} 以 RST 应答：收到的报文段所属的连接在该端已不存在。",
)
TOLD = {
    "TCP_ABORT_ON_CLOSE": Text(
        "{who} reset the connection: its program closed with data unread, its kernel says.",
        "{who} 复位了连接：据其内核所述，程序关闭时仍有数据未读。",
    ),
    "TCP_KEEPALIVE_TIMEOUT": Text(
        "{who} reset the connection: its keep-alives were not answered, its kernel says.",
        "{who} 复位了连接：据其内核所述，保活探测没有得到应答。",
    ),
    "TCP_STATE": Text(
        "{who} reset the connection: it was aborted (SO_LINGER 0, or its listener was closed before "
        "accept), its kernel says.",
        "{who} 复位了连接：据其内核所述，连接被主动中止（SO_LINGER 0，或监听套接字在 accept 之前关闭）。",
    ),
}
"""By the kernel's reason (include/net/rstreason.h)."""

NEXT = Text(
    "What the peer had sent and not yet read is lost with the connection. Read to the end before "
    "closing, or shut down sending first and then wait for end of file.",
    "对端已发送而未被读取的数据随连接一起丢失。关闭前应读到结尾，或先关闭发送方向，再等待文件结束。",
)
NEXT_GONE = Text(
    "Look at what {who} did before: closed its socket and was written to all the same, restarted, or "
    "lost its state.",
    "看 {who} 此前做了什么：已关闭套接字却仍被写入、重启过，或丢失了连接状态。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection that was reset, for its first RST; one reset before it was open is
    of another kind."""
    one = talk.connection
    if one.teardown is not Teardown.RESET or one.handshake is Handshake.UNFINISHED:
        return
    resets = np.flatnonzero(talk.flags & int(Flags.RST))
    first = int(resets[0]) if len(resets) else len(talk) - 1
    by_client = talk.side[first] == 0
    number = int(talk.numbers[first])
    unread = _unread(talk.case.evidence, talk.connection, bool(by_client))
    aborted = bool(talk.flags[first] & int(Flags.ACK))
    guess = ABORTED if aborted else GONE
    words = UNREAD if unread and aborted else TOLD.get(_reason(talk, number), guess)
    who = talk.name(0 if by_client else 1)
    told = words.fill(who=who, octets=unread)
    then = NEXT if aborted else NEXT_GONE.fill(who=who)
    yield of_talk(talk, "reset", Severity.WARNING, told, talk.numbers[resets].tolist(), then)


def _reason(talk: Talk, number: int) -> str:
    """What the kernel that sent a RST gave as its reason; "" if it was not asked."""
    witnesses = talk.case.witnesses
    if witnesses is None:
        return ""
    for end in witnesses.ends(talk.connection):
        for sent, reason in witnesses.reset_for(end).items():
            if witnesses.first_number(end.view, sent) == number:
                return reason
    return ""


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
