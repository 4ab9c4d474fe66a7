"""A SYN whose maximum segment size was lowered between two vantage points (MSS clamping)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, name_of
from lab.packets.frames import Capture, Protocol
from lab.packets.pairs import ends
from lab.packets.rows import frame
from lab.tcp.segments import SYN
from lab.text import Text

WORDS = Text(
    "The MSS in {who}'s SYN was lowered on the way, from {sent} to {arrived}: a device on the path "
    "knows of a narrower link.",
    "{who} 的 SYN 中的 MSS 在途中由 {sent} 降为 {arrived}：路径上有设备知道某段链路更窄。",
)
NEXT = Text(
    "Meant well (tunnel, PPPoE); but only TCP is helped: check with large UDP datagrams and DF set "
    "what the path takes.",
    "这是善意的做法（隧道、PPPoE），但只对 TCP 有效：可用设置 DF 的大 UDP 数据报测试路径的实际容量。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a SYN that both vantage points saw."""
    if evidence.match is None:
        return
    (first, second), match = (one.capture for one in evidence.views[:2]), evidence.match
    frames = first.frames
    syn = (frames.protocol[match.first] == Protocol.TCP) & ((frames.flags[match.first] & SYN) != 0)
    for at in np.flatnonzero(syn).tolist():
        row, other = int(match.first[at]), int(match.second[at])
        pair = _announced(first, row), _announced(second, other)
        sent, arrived = pair if match.transit[at] >= 0 else pair[::-1]
        if sent and arrived and sent > arrived:
            who = name_of(evidence, ends(frames, row)[0])
            words = WORDS.fill(who=who, sent=sent, arrived=arrived)
            yield Finding("mss_clamped", Severity.NOTE, words, (row + 1,), next=NEXT)


def _announced(capture: Capture, row: int) -> int | None:
    read = frame(capture, row).tcp
    return read.options.mss if read else None
