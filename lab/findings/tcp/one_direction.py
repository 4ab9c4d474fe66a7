"""Connections of which only one direction is in the capture, though the other was there.

Acknowledgments that move on prove that the other end sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.packets.frames import Flags
from lab.tcp.model import Connection
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


def survey(evidence: Evidence, suspects: Sequence[Connection]) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    lonely = [one for one in suspects if _is_lonely(evidence, one)]
    if lonely:
        end = lonely[0].client if lonely[0].from_client[0] else lonely[0].server
        words = (ONE if len(lonely) == 1 else SEVERAL).fill(count=f"{len(lonely):,}", end=end)
        frames = tuple(int(one.rows[0]) + 1 for one in lonely)
        single = lonely[0].stream if len(lonely) == 1 else None
        protocol = "tcp" if single is not None else ""
        yield Finding("one_direction", Severity.WARNING, words, frames, protocol, single, NEXT)


def _is_lonely(evidence: Evidence, one: Connection) -> bool:
    if len(one.rows) < LEAST or one.from_client.any() != one.from_client.all():
        return False
    frames = evidence.view.capture.frames
    acks = one.rows[(frames.flags[one.rows] & int(Flags.ACK)) != 0]
    return len(np.unique(frames.acknowledgment[acks])) >= LEAST
