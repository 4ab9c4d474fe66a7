"""A connection refused: SYN answered by RST (RFC 9293 section 3.10.7.1)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.glance import Groups, glance, opened
from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.findings.base import Finding, Severity, name_of, of_talk
from lab.packets.distinct import distinct
from lab.tcp.model import Handshake
from lab.text import Text

WORDS = Text(
    "{server} refused the connection: nothing listened on port {port} of that address.",
    "{server} 拒绝了连接：该地址的端口 {port} 上没有程序监听。",
)
SEVERAL = Text(
    "{server} refused {count} connections to {ports} of its ports: nothing listened there.",
    "{server} 拒绝了发往其 {ports} 个端口的 {count} 个连接：这些端口上没有程序监听。",
)
NEXT = Text(
    "On {server}, `ss -ltn` shows who listens where. The program may not run yet, or be bound to another "
    "address. A firewall that rejects with a RST looks the same.",
    "在 {server} 上用 `ss -ltn` 查看监听情况：程序可能尚未启动，或绑定在别的地址上；以 RST 拒绝的防火墙看起来也一样。",
)
ONE_BY_ONE = 10
"""Connections between two hosts told one by one; more are told together."""


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """One finding a refused connection, or one two hosts that had many."""
    refused = glance(evidence.view, opened(suspects.columns, {Handshake.REFUSED}))
    together: set[int] = set()
    for group in Groups(refused.client, refused.server).of_at_least(ONE_BY_ONE + 1):
        together.update(refused.stream[group].tolist())
        server, count = refused.ends(group[0])[1], f"{len(group):,}"
        ports = len(distinct(refused.server_port[group]))
        words = SEVERAL.fill(server=server.address, count=count, ports=ports)
        frames = tuple((refused.row[group] + 1).tolist())
        then = NEXT.fill(server=name_of(evidence, server))
        yield Finding("refused", Severity.ERROR, words, frames, next=then)
    for one in suspects.closely:
        if one.handshake is Handshake.REFUSED and one.stream not in together:
            host = name_of(evidence, one.server)
            words, then = WORDS.fill(server=host, port=one.server.port), NEXT.fill(server=host)
            yield of_talk(one, "refused", Severity.ERROR, words, one.handshake_frames, then)
