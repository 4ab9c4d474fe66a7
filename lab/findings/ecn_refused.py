"""Explicit congestion notification that was asked for and not granted (RFC 3168 section 6.1.1)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.offers import answers, by_server
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, name_of, of_answers
from lab.packets.kinds import Flags
from lab.packets.parts import fetched
from lab.text import Text

WORDS = Text(
    "The SYN offered ECN (ECE, CWR) and {server} did not agree: routers must drop where they could mark.",
    "SYN 请求 ECN（ECE、CWR），而 {server} 没有同意：路由器只能丢包，不能打标记。",
)
SEVERAL = Text(
    "{server} did not agree to ECN in {count} connections whose SYN offered it (ECE, CWR).",
    "有 {count} 个连接的 SYN 请求 ECN（ECE、CWR），而 {server} 没有同意。",
)
REFLECTED = Text(
    "{server} sent the SYN's ECE and CWR back unread: a broken stack, and ECN stays off.",
    "{server} 原样送回了 SYN 的 ECE 与 CWR：协议栈有缺陷，ECN 不会启用。",
)
NEXT = Text(
    "On the server, see net.ipv4.tcp_ecn (0 never agrees, 2 agrees if asked). If it does agree, something "
    "on the path cleared the flags: compare both ends' captures.",
    "查看服务器的 net.ipv4.tcp_ecn（0 表示从不同意，2 表示应请求同意）。若它同意，则途中有设备清除了标志：请比较两端的抓包。",
)
ECE, CWR, AE = int(Flags.ECE), int(Flags.CWR), int(Flags.AE)
ASKED = ECE | CWR


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a server and way to refuse."""
    every = answers(evidence.view)
    flags = every.frames.flags
    asked = every.only((fetched(flags, every.syn) & ASKED) == ASKED)
    said = fetched(flags, asked.answer) & (AE | ASKED)
    for answer, one, several in ((0, WORDS, SEVERAL), (ASKED, REFLECTED, REFLECTED)):
        for server, some in by_server(evidence.view, asked.only(said == answer)):
            words = (one if len(some) == 1 else several).fill(
                server=name_of(evidence, server), count=f"{len(some):,}"
            )
            yield of_answers(some, "ecn_refused", Severity.NOTE, words, NEXT)
