"""A router that could not forward a packet and said how large one may be (RFC 1191, RFC 8201)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.causes import too_big_errors
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, times
from lab.packets.parts import where
from lab.packets.rows import frame
from lab.text import Text

WORDS = Text(
    "{router} said that packets were too big for the next link, which takes {mtu} octets ({times}).",
    "{router} 告知 IP 包过大，下一段链路只能通过 {mtu} 字节（{times}）。",
)
NEXT = Text(
    "This is path MTU discovery at work. The sender should go on with shorter segments at once; if it "
    "does not, see whether these messages reach it.",
    "这是路径 MTU 发现在起作用。发送方应立即改用更短的报文段；若没有，检查这些报文是否到达了它。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a router and size."""
    capture = evidence.view.capture
    times_told = too_big_errors(capture.frames)
    if not times_told:
        return
    rows = where(capture.frames, lambda some: np.isin(some.time, times_told))
    alike: dict[tuple[str, int], list[int]] = {}
    for row in rows.tolist():
        read = frame(capture, row)
        if read.ip and read.icmp:
            mtu = read.icmp.rest if read.ip.version == 6 else read.icmp.rest & 0xFFFF
            alike.setdefault((read.ip.source, mtu), []).append(row + 1)
    for (router, mtu), numbers in alike.items():
        words = WORDS.fill(router=router, mtu=f"{mtu:,}", times=times(len(numbers)))
        yield Finding("path_mtu", Severity.NOTE, words, tuple(numbers), next=NEXT)
