"""Window scaling that only one end offered: then neither window is scaled (RFC 7323 section 2.2)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.glance import table
from lab.evidence.offers import by_server, left_out
from lab.evidence.run import Evidence, View
from lab.findings.base import Finding, Severity, name_of, of_answers
from lab.packets.options import WINDOW_SCALE
from lab.tcp.answers import Answers
from lab.tcp.judging import NO_RTT
from lab.tcp.model import Analysis
from lab.text import Text

WORDS = Text(
    "The SYN offered window scaling and {server} did not: no window exceeds 65,535 octets{bound}.",
    "SYN 提出了窗口扩大，而 {server} 没有：双方的窗口都不超过 65,535 字节{bound}。",
)
SEVERAL = Text(
    "{server} offered no window scaling in {count} connections whose SYN did: no window exceeds 65,535 "
    "octets{bound}.",
    "有 {count} 个连接的 SYN 提出了窗口扩大，而 {server} 没有：窗口都不超过 65,535 字节{bound}。",
)
BOUND = Text(
    ", {rate} Mbit/s each way at this round-trip time", "，按此往返时延，每个方向最多 {rate} Mbit/s"
)
NOTHING = Text("", "")
NEXT = Text(
    "On the server, see net.ipv4.tcp_window_scaling; an old load balancer or firewall may have removed the "
    "option. Compare both ends' SYNs.",
    "查看服务器的 net.ipv4.tcp_window_scaling；旧的负载均衡器或防火墙也可能删除该选项。请比较两端抓到的 SYN。",
)
LARGEST = 65_535
"""Octets: the largest window that is not scaled."""

TAKES_LONG = True
"""It reads the octets of many frames: begun before others."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a server; a warning where it held data back."""
    view = evidence.view
    for server, some in by_server(view, left_out(view, WINDOW_SCALE)):
        told = (WORDS if len(some) == 1 else SEVERAL).fill(
            server=name_of(evidence, server), count=f"{len(some):,}", bound=_bound(view, some)
        )
        severity = Severity.WARNING if _suffered(view, some) else Severity.NOTE
        yield of_answers(some, "window_scale_refused", severity, told, NEXT)


def _bound(view: View, some: Answers) -> Text:
    """The throughput that a window of `LARGEST` octets allows, of the shortest way."""
    rtt = table(view).rtt[some.stream]
    known = rtt[(rtt != NO_RTT) & (rtt > 0)]
    if not len(known):
        return NOTHING
    return BOUND.fill(rate=f"{LARGEST * 8 / int(known.min()) * 1e3:,.1f}")


def _suffered(view: View, some: Answers) -> bool:
    """Whether a sender filled the window."""
    full = table(view).carrying(Analysis.WINDOW_FULL)
    return bool(np.any(full[some.stream]))
