"""A connection refused: SYN answered by RST (RFC 9293 section 3.10.7.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, name_of, of_talk
from lab.tcp.model import Connection, Handshake
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
    "On {server}, `ss -ltn` shows who listens where: the program may not run yet, or be bound to another "
    "address; a firewall that rejects with a RST looks the same.",
    "在 {server} 上用 `ss -ltn` 查看监听情况：程序可能尚未启动，或绑定在别的地址上；以 RST 拒绝的防火墙看起来也一样。",
)
ONE_BY_ONE = 10
"""Connections between two hosts told one by one; more are told together."""


def survey(evidence: Evidence, suspects: Sequence[Connection]) -> Iterator[Finding]:
    """One finding a refused connection, or one two hosts that had many."""
    groups = defaultdict[tuple[str, str], list[Connection]](list)
    for one in suspects:
        if one.handshake is Handshake.REFUSED:
            groups[one.client.address, one.server.address].append(one)
    for group in groups.values():
        server = name_of(evidence, group[0].server)
        then = NEXT.fill(server=server)
        if len(group) > ONE_BY_ONE:
            ports, count = len({one.server.port for one in group}), f"{len(group):,}"
            words = SEVERAL.fill(server=group[0].server.address, count=count, ports=ports)
            frames = tuple(int(one.rows[0]) + 1 for one in group)
            yield Finding("refused", Severity.ERROR, words, frames, next=then)
            continue
        for one in group:
            words = WORDS.fill(server=server, port=one.server.port)
            yield of_talk(one, "refused", Severity.ERROR, words, one.handshake_frames, then)
