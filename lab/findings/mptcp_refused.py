"""Multipath TCP that was asked for and not granted: plain TCP on one path (RFC 8684 section 3.7)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.offers import by_server, left_out
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, name_of, of_answers
from lab.text import Text

WORDS = Text(
    "The SYN asked for MPTCP and {server} did not take it up: the connection is plain TCP.",
    "SYN 请求 MPTCP，而 {server} 没有接受：连接退回普通 TCP。",
)
SEVERAL = Text(
    "{server} did not take up MPTCP in {count} connections whose SYN asked for it: they are plain TCP.",
    "有 {count} 个连接的 SYN 请求 MPTCP，而 {server} 没有接受：它们退回普通 TCP。",
)
NEXT = Text(
    "The server's program must listen with IPPROTO_MPTCP, or be started by `mptcpize run`. If it does, "
    "something on the path removed the option.",
    "服务器程序须以 IPPROTO_MPTCP 监听，或由 `mptcpize run` 启动。若已如此，则途中有设备删除了该选项。",
)
MPTCP = 30
"""The option's kind."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a server."""
    for server, some in by_server(evidence.view, left_out(evidence.view, MPTCP)):
        words = (WORDS if len(some) == 1 else SEVERAL).fill(
            server=name_of(evidence, server), count=f"{len(some):,}"
        )
        yield of_answers(some, "mptcp_refused", Severity.NOTE, words, NEXT)
