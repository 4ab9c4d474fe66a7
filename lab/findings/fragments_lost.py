"""IPv4 datagrams of which fragments are missing: not one octet of them reaches a program (RFC 791)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.packets.addresses import address_text
from lab.packets.frames import Frames
from lab.text import Text

ONE = Text(
    "A fragmented packet of {source} is not whole: {missing} of its octets never came, so all of it is lost.",
    "{source} 的 1 个分片的 IP 包不完整：缺少 {missing} 字节，整个包因此作废。",
)
SEVERAL = Text(
    "{count} fragmented packets, of {source} for one, are not whole: each is lost as a whole.",
    "{count} 个分片的 IP 包不完整（例如来自 {source}）：每一个都整体作废。",
)
NEXT = Text(
    "Fragments are lost more often than packets, and many firewalls drop all but the first. Send datagrams "
    "that fit the path MTU.",
    "分片比完整的包更易丢失，许多防火墙还会丢弃除首片以外的分片。请发送不超过路径 MTU 的数据报。",
)
MORE, OFFSET = 0x2000, 0x1FFF
AT_MOST = 100_000
"""Fragments that are looked at."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    lacking = {key: rows for key, rows in _packets(frames).items() if _missing(frames, rows)}
    if lacking:
        (rows, *_) = lacking.values()
        high, low = frames.source[rows[0]].tolist()
        words = (ONE if len(lacking) == 1 else SEVERAL).fill(
            source=address_text(high, low),
            missing=f"{_missing(frames, rows):,}",
            count=f"{len(lacking):,}",
        )
        numbers = tuple(sorted(row + 1 for rows in lacking.values() for row in rows))
        yield Finding("fragments_lost", Severity.WARNING, words, numbers, next=NEXT)


def _packets(frames: Frames) -> Mapping[tuple[int, ...], list[int]]:
    """The rows of each fragmented packet, by what identifies it (RFC 791 section 3.2)."""
    rows = np.flatnonzero(frames.ip_version == 4)
    rows = rows[frames.network[rows] + 20 <= frames.start[rows] + frames.captured[rows]]
    rows = rows[(_words(frames, rows, 6) & (MORE | OFFSET)) != 0][:AT_MOST]
    found: dict[tuple[int, ...], list[int]] = {}
    names = zip(
        rows.tolist(),
        frames.source[rows, 1].tolist(),
        frames.destination[rows, 1].tolist(),
        _words(frames, rows, 4).tolist(),
        frames.octets[frames.network[rows] + 9].tolist(),
        strict=True,
    )
    for row, *name in names:
        found.setdefault(tuple(name), []).append(row)
    return found


def _words(frames: Frames, rows: NDArray[np.int64], at: int) -> NDArray[np.int64]:
    place = frames.network[rows] + at
    high: NDArray[np.int64] = frames.octets[place].astype(np.int64) << 8
    return high | frames.octets[place + 1]


def _missing(frames: Frames, rows: list[int]) -> int:
    """Octets that no fragment brought; the size of what would follow the last is unknown: 1."""
    picked = np.array(rows)
    word, length = _words(frames, picked, 6), _words(frames, picked, 2)
    header = (frames.octets[frames.network[picked]].astype(np.int64) & 15) * 4
    begin = (word & OFFSET) * 8
    reached, missing = 0, 0
    for start, end in sorted(zip(begin.tolist(), (begin + length - header).tolist(), strict=True)):
        missing += max(start - reached, 0)
        reached = max(reached, end)
    return missing + (1 if (word & MORE).all() else 0)
