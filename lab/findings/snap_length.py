"""Frames that were cut off when they were captured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, counted
from lab.packets.distinct import among
from lab.packets.frames import ABSENT, Frames, Protocol
from lab.packets.parts import each_part
from lab.text import Text

PAYLOAD = Text(
    "Cut off after at most {most} octet[|s]: {count}, with whole headers but not the whole payload.",
    "{count}被截断，只留下至多 {most} 字节：首部完整，载荷不完整。",
)
HEADERS = Text(
    "Cut off after at most {most} octet[|s]: {count}, {lacking} of them in the middle of a header.",
    "{count}被截断，只留下至多 {most} 字节，其中 {lacking} 帧连首部都不完整。",
)
NEXT = Text(
    "Checksums and contents cannot be checked. Capture with the whole length (tcpdump -s 0), or at least "
    "with 128 octets for all headers with their options.",
    "无法检验校验和与内容。请完整截取（tcpdump -s 0），或至少截取 128 字节以容纳各层首部及其选项。",
)

FIXED_V4 = 20  # octets of the header
PROTOCOL_V4, NEXT_HEADER_V6 = 9, 6  # where an IP header names what it carries
TRANSPORTS = (1, 6, 17, 58)


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    cut, lacking, most = [np.zeros(0, np.int64)], 0, 0
    for begin, part in each_part(frames):
        rows = np.flatnonzero(part.captured < part.length)
        cut.append(rows + begin)
        lacking += _without_header(part, rows)
        most = max(most, int(part.captured[rows].max(initial=0)))
    numbers = np.concatenate(cut) + 1
    if not len(numbers):
        return
    words = (HEADERS if lacking else PAYLOAD).fill(
        count=counted(len(numbers), "frame", "帧"),
        most=most,
        lacking=f"{lacking:,}",
    )
    severity = Severity.WARNING if lacking else Severity.NOTE
    yield Finding("snap_length", severity, words, tuple(numbers.tolist()), next=NEXT)


def _without_header(frames: Frames, rows: NDArray[np.int64]) -> int:
    """How many of these frames end before the transport header that their IP header promises."""
    known = (frames.protocol[rows] == Protocol.OTHER) & (frames.ip_version[rows] != 0)
    rows = rows[known & (frames.network[rows] != ABSENT)]
    end = frames.start[rows] + frames.captured[rows]
    rows = rows[frames.network[rows] + FIXED_V4 <= end]
    where = np.where(frames.ip_version[rows] == 4, PROTOCOL_V4, NEXT_HEADER_V6)
    return int(among(frames.octets[frames.network[rows] + where], TRANSPORTS).sum())
