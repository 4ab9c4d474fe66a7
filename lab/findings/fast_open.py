"""Data in the SYN itself: whether the server took it with the SYN,ACK (RFC 7413)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.offers import answers, by_server
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, name_of, of_answers
from lab.packets.parts import fetched
from lab.tcp.segments import MODULUS
from lab.text import Text

TAKEN = Text(
    "{count} SYNs carried data and {server} took it at once: TCP Fast Open saved a round trip.",
    "{count} 个 SYN 携带数据，{server} 立即接收：TCP Fast Open 省去一个往返。",
)
TAKEN_ONE = Text(
    "The SYN carried data and {server} took it at once: TCP Fast Open saved a round trip.",
    "SYN 携带数据，{server} 立即接收：TCP Fast Open 省去一个往返。",
)
REFUSED = Text(
    "{count} SYNs carried data that {server} did not take: it has to be sent again after the handshake.",
    "{count} 个 SYN 携带数据，而 {server} 没有接收：握手之后必须重发。",
)
REFUSED_ONE = Text(
    "The SYN carried data and {server} did not take it: it has to be sent again after the handshake.",
    "SYN 携带数据，而 {server} 没有接收：握手之后必须重发。",
)
NEXT_TAKEN = Text(
    "A SYN that the network doubles delivers its data twice: only requests that may be repeated belong "
    "there (RFC 7413 section 2.1).",
    "若网络复制了 SYN，数据会被交付两次：只有可以重复的请求才适合放在其中（RFC 7413 第 2.1 节）。",
)
NEXT_REFUSED = Text(
    "The server needs bit 2 of net.ipv4.tcp_fastopen and a program that sets TCP_FASTOPEN; the client's "
    "cookie may be out of date.",
    "服务器的 net.ipv4.tcp_fastopen 须含数值 2，程序须设置 TCP_FASTOPEN；也可能是客户端的 cookie 已失效。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a server for what it took, one for what it did not."""
    every = answers(evidence.view)
    frames = every.frames
    told = every.only(fetched(frames.payload_length, every.syn) > 0)
    after = (frames.sequence[told.syn].astype("int64") + 1) % MODULUS
    taken = frames.acknowledgment[told.answer] != after
    for which, kind, words, then in (
        (taken, "fast_open", (TAKEN, TAKEN_ONE), NEXT_TAKEN),
        (~taken, "fast_open_refused", (REFUSED, REFUSED_ONE), NEXT_REFUSED),
    ):
        for server, some in by_server(evidence.view, told.only(which)):
            text = words[len(some) == 1].fill(
                server=name_of(evidence, server), count=f"{len(some):,}"
            )
            yield of_answers(some, kind, Severity.NOTE, text, then)
