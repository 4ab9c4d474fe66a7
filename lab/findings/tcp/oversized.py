"""Segments with more octets than the receiver's MSS allows: no link carried them so.

Segmentation offload: the kernel hands the network card one large segment (TSO), or the card hands
the kernel several as one (GRO, LRO); the capture sits between the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, counted
from lab.packets.frames import Protocol
from lab.tcp.model import Connection
from lab.text import Text

WORDS = Text(
    "{count} carried more than the MSS of the receiver (up to {most} octets, MSS {mss}): "
    "segmentation offload; smaller ones went over the wire.",
    "{count}超过接收方的 MSS（最大 {most} 字节，MSS 为 {mss}）：分段卸载；线路上的报文段更小。",
)
NEXT = Text(
    "Segment counts and sizes are not the wire's. Turn offload off before capturing (`ethtool -K DEV tso off "
    "gso off gro off`), or capture elsewhere.",
    "报文段的数量和大小与线路上不同。抓包前关闭卸载（`ethtool -K 网卡 tso off gso off gro off`），或换一处抓包。",
)
ETHERNET_MSS = 1460
"""Octets: only segments above it are looked at; a smaller MSS is exceeded by true ones, too."""


def survey(evidence: Evidence, suspects: Sequence[Connection]) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    large = (frames.protocol == Protocol.TCP) & (frames.payload_length > ETHERNET_MSS)
    if not large.any():
        return
    found: list[int] = []
    limit = 0
    for one in suspects:
        rows, mss = _too_large(one, large, frames.payload_length)
        found += rows
        limit = limit or (mss if rows else 0)
    if found:
        most = int(frames.payload_length[found].max())
        words = WORDS.fill(
            count=counted(len(found), "segment", "个报文段"), most=f"{most:,}", mss=f"{limit:,}"
        )
        numbers = tuple(row + 1 for row in sorted(found))
        yield Finding("oversized", Severity.NOTE, words, numbers, next=NEXT)


def _too_large(one: Connection, large: np.ndarray, payload: np.ndarray) -> tuple[list[int], int]:
    """The rows above the receiver's MSS, and the smaller of those that apply."""
    if None in one.mss or not large[one.rows].any():
        return [], 0
    client, server = (mss or 0 for mss in one.mss)
    limit = np.where(one.from_client, server, client)
    over = large[one.rows] & (payload[one.rows] > limit)
    return one.rows[over].tolist(), int(limit[over].min()) if over.any() else 0
