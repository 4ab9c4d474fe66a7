"""Connections of which only one direction is in the capture, though the other was there.

Acknowledgments that move on prove that the other end sent.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.findings.base import Finding, Severity
from lab.packets.distinct import distinct
from lab.packets.pairs import ends
from lab.tcp.columns import Ints, Segments
from lab.tcp.segments import ACK
from lab.tcp.table import Table
from lab.text import Text

ONE = Text(
    "One direction of a connection is missing: {end} acknowledges what is not in the capture.",
    "有 1 个连接缺少一个方向：{end} 确认了抓包中没有的数据。",
)
SEVERAL = Text(
    "One direction of {count} connections is missing, of {end} for one: the other end is acknowledged "
    "but not in the capture.",
    "有 {count} 个连接缺少一个方向（例如只有 {end} 的一侧）：另一端的数据被确认，却不在抓包中。",
)
NEXT = Text(
    "Asymmetric routing, a mirror port that copies one direction, or a capture filter. Most flags say "
    "little about such connections.",
    "可能是非对称路由、只镜像单向流量的端口，或抓包过滤器所致。对这类连接，多数分析标志意义不大。",
)
LEAST = 3  # segments: two may be a retransmission and a reset


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    lonely = _lonely(suspects.columns)
    if len(lonely):
        rows = suspects.columns.begins()[lonely]
        end, _ = ends(evidence.view.capture.frames, int(rows[0]))
        words = (ONE if len(lonely) == 1 else SEVERAL).fill(count=f"{len(lonely):,}", end=end)
        single = int(lonely[0]) if len(lonely) == 1 else None
        protocol, frames = "tcp" if single is not None else "", tuple((rows + 1).tolist())
        yield Finding("one_direction", Severity.WARNING, words, frames, protocol, single, NEXT)


def _lonely(columns: Table) -> Ints:
    """The connections in which one end alone is seen, and acknowledges more and more."""
    found = [_lonely_among(part.segments) + part.begin for part in columns.parts()]
    return np.concatenate(found)


def _lonely_among(s: Segments) -> Ints:
    alone = ~np.logical_or.reduceat(s.second, s.first) & (s.counts() >= LEAST)
    lonely = np.flatnonzero(alone)
    part, _ = s.only(lonely)
    which, acks = part.streams(), (part.flags & ACK) != 0
    different = distinct(which[acks] << 32 | part.acknowledgment[acks])
    return lonely[np.bincount(different >> 32, minlength=len(lonely)) >= LEAST]
