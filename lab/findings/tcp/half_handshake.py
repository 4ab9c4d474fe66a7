"""A handshake that got as far as SYN,ACK and no further: the client never completed it."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.talk import RST, Talk
from lab.findings.base import Finding, Severity, of_talk
from lab.tcp.model import Handshake
from lab.text import Text

DROPPED = Text(
    "{client} answered the SYN,ACK of {server} with RST: it had not asked for the connection, or only "
    "wanted to know whether the port is open.",
    "{client} 以 RST 回应 {server} 的 SYN,ACK：它并未请求该连接，或只想知道端口是否开放。",
)
SILENT = Text(
    "{server} answered with SYN,ACK, and {client} never completed the handshake.",
    "{server} 已以 SYN,ACK 应答，{client} 却始终没有完成握手。",
)
NEXT = Text(
    "One such connection is a lost answer or an early end of the capture; many are a SYN flood or a scan. "
    "A source that answers with RST may have been forged.",
    "偶尔一个是应答丢失或抓包提前结束；大量出现则是 SYN 洪泛或扫描。以 RST 回应的来源地址可能是伪造的。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection."""
    one = talk.connection
    if one.handshake is not Handshake.UNFINISHED:
        return
    reset = bool((talk.flags[talk.side == 0] & RST).any())
    words = (DROPPED if reset else SILENT).fill(client=talk.name(0), server=talk.name(1))
    yield of_talk(talk, "half_handshake", Severity.WARNING, words, talk.numbers.tolist(), NEXT)
