"""Connections that were open before the capture began: their handshakes are not in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.glance import opened
from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.findings.base import Finding, Severity
from lab.tcp.columns import Mask, Segments
from lab.tcp.model import Handshake
from lab.tcp.segments import SYN
from lab.text import Text

ONE = Text(
    "A connection was open before the capture began: its window scale, MSS and first round trip are unknown.",
    "有 1 个连接在抓包开始之前已建立：窗口扩大因子、MSS 与初始往返时间未知。",
)
SEVERAL = Text(
    "{count} connections were open before the capture began: their window scale, MSS and first round "
    "trip are unknown.",
    "有 {count} 个连接在抓包开始之前已建立：窗口扩大因子、MSS 与初始往返时间未知。",
)
NEXT = Text(
    "Start the capture first, then the program; windows and window-full cannot be judged otherwise.",
    "先开始抓包，再启动程序；否则无法判断窗口大小与窗口是否用满。",
)


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    columns = suspects.columns
    with_syn = np.concatenate([_with_syn(part.segments) for part in columns.parts()])
    old = np.flatnonzero(opened(columns, {Handshake.NOT_SEEN}) & ~with_syn)
    if len(old):
        words = (ONE if len(old) == 1 else SEVERAL).fill(count=f"{len(old):,}")
        frames = tuple((columns.begins()[old] + 1).tolist())
        single = int(old[0]) if len(old) == 1 else None
        protocol = "tcp" if single is not None else ""
        yield Finding("mid_stream", Severity.NOTE, words, frames, protocol, single, NEXT)


def _with_syn(s: Segments) -> Mask:
    found: Mask = np.logical_or.reduceat((s.flags & SYN) != 0, s.first)
    return found
