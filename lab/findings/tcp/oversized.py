"""Segments with more octets than the receiver's MSS allows: no link carried them so.

Segmentation offload: the kernel hands the network card one large segment (TSO), or the card hands
the kernel several as one (GRO, LRO); the capture sits between the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.findings.base import Finding, Severity, counted
from lab.packets.distinct import ranked
from lab.packets.frames import Frames
from lab.packets.options import MSS
from lab.tcp.columns import Ints, Segments
from lab.tcp.option_fields import each_option
from lab.tcp.segments import SYN
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
NO_MSS = -1
MSS_SIZE = 4
"""Octets of the option (RFC 9293 section 3.2)."""


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    found = [one for part in suspects.columns.parts() for one in _beyond(part.segments, frames)]
    if found:
        rows = np.sort(np.concatenate([one.rows for one in found]))
        words = WORDS.fill(
            count=counted(len(rows), "segment", "个报文段"),
            most=f"{max(one.most for one in found):,}",
            mss=f"{found[0].limit:,}",
        )
        yield Finding("oversized", Severity.NOTE, words, tuple((rows + 1).tolist()), next=NEXT)


class Beyond(NamedTuple):
    """Segments larger than the MSS that the other end announced."""

    rows: Ints
    most: int  # octets of the largest
    limit: int  # MSS in the first connection that has any


def _beyond(s: Segments, frames: Frames) -> Iterator[Beyond]:
    """What is too large in some connections, if anything is."""
    large = np.flatnonzero(s.length > ETHERNET_MSS)
    if not len(large):
        return
    which, place = ranked(np.searchsorted(s.first, large, side="right") - 1)
    announced = _announced(s.only(which)[0], frames)
    limit = announced[1 - s.second[large].astype(np.int64), place]
    known = (announced != NO_MSS).all(axis=0)[place]
    over = known & (s.length[large] > limit)
    if over.any():
        first = place[over] == place[over][0]
        most, least = int(s.length[large[over]].max()), int(limit[over][first].min())
        yield Beyond(s.row[large[over]], most, least)


def _announced(part: Segments, frames: Frames) -> Ints:
    """The MSS of each end of some connections, by who sent the first segment; shape (2, n)."""
    syns = np.flatnonzero((part.flags & SYN) != 0)
    value = np.full(len(syns), NO_MSS)
    for at, kind, place, size in each_option(frames, part.row[syns]):
        here = (kind == MSS) & (size == MSS_SIZE)
        octets = frames.octets[place[here, None] + (0, 1)].astype(np.int64)
        value[at[here]] = octets[:, 0] << 8 | octets[:, 1]
    found = np.full((2, len(part.first)), NO_MSS)
    said = np.flatnonzero(value != NO_MSS)[::-1]  # the first that says so counts
    which = np.searchsorted(part.first, syns[said], side="right") - 1
    found[part.second[syns[said]].astype(np.int64), which] = value[said]
    return found
