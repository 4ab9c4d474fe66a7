"""The same IP packet twice in a capture: recorded at two places, or duplicated on the way.

A kernel numbers its IPv4 packets anew when it sends octets again; a copy keeps the number.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, counted
from lab.packets.distinct import distinct
from lab.packets.frames import Frames, Protocol
from lab.packets.pages import blocks, release_if_large, stretches
from lab.packets.parts import fetched, where
from lab.text import Text

TWICE = Text(
    "{share} of all segments are in the capture twice ({count}): it was taken at two places at once.",
    "{share} 的报文段在抓包中出现两次（{count}）：同时在两处抓取。",
)
SOME = Text(
    "{count} came twice, with the same IP identification: duplicated on the way.",
    "{count}以相同的标识出现两次：在途中被复制。",
)
NEXT_TWICE = Text(
    "Retransmissions and duplicate ACKs here are no such thing. Capture on one interface, or take the "
    "copies out (`editcap -d`).",
    "此处的重传与重复 ACK 并非真实。请只在一个接口上抓包，或去除副本（`editcap -d`）。",
)
NEXT_SOME = Text(
    "Look for a loop at layer 2, a retransmitting radio link, or a mirror port that copies both directions.",
    "检查二层环路、会重发的无线链路，或同时复制两个方向的镜像端口。",
)
Rows = NDArray[np.int64]

NEAR = 4
"""Frames between a packet and its copy, at most."""
TOGETHER, AT_ONCE = 1 << 12, 1 << 16
"""Packets that are read, and compared, at once."""
SOON = 5_000_000  # ns
LEAST = 3
"""Different identifications: a stack may give all packets the same one (RFC 6864)."""
MANY = 0.2


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    rows = where(frames, lambda some: (some.protocol == Protocol.TCP) & (some.ip_version == 4))
    copies = _copies(frames, rows)
    if not len(copies):
        return
    share = len(copies) / len(rows)
    everywhere = share * 2 >= MANY and len(copies) > 1
    words = (TWICE if everywhere else SOME).fill(
        share=f"{min(2 * share, 1):.0%}", count=counted(len(copies), "packet", "个 IP 包")
    )
    yield Finding(
        "captured_twice" if everywhere else "duplicated",
        Severity.WARNING,
        words,
        tuple((copies + 1).tolist()),
        next=NEXT_TWICE if everywhere else NEXT_SOME,
    )


def _copies(frames: Frames, rows: Rows) -> Rows:
    """The rows that repeat one of the few before them; an identification of 0 says nothing."""
    found = [rows[:0]]
    for at in blocks(rows, AT_ONCE):
        before = max(at.start - NEAR, 0)
        some = _copies_among(frames, rows[before : at.stop])
        found.append(some[some >= rows[at.start]])
        release_if_large(frames.octets, frames=len(frames))
    copies = np.concatenate(found)
    return copies if len(copies) and _tells_apart(frames, rows) else copies[:0]


def _copies_among(frames: Frames, rows: Rows) -> Rows:
    again = np.zeros(len(rows), np.bool_)
    sequence, acknowledgment = frames.sequence[rows], frames.acknowledgment[rows]
    for step in range(1, NEAR + 1):
        alike = sequence[step:] == sequence[:-step]
        alike &= acknowledgment[step:] == acknowledgment[:-step]
        at = np.flatnonzero(alike) + step
        at = at[_same_segment(frames, rows[at], rows[at - step])]
        again[at[_same_number(frames, rows[at], rows[at - step])]] = True
    return rows[again]


def _same_number(frames: Frames, rows: Rows, before: Rows) -> NDArray[np.bool_]:
    """Which of these packets have the same number as those; 0 is none."""
    number = _identification(frames, rows)
    same: NDArray[np.bool_] = (number == _identification(frames, before)) & (number != 0)
    return same


def _same_segment(frames: Frames, rows: Rows, before: Rows) -> NDArray[np.bool_]:
    """Which of these segments are those again, told by all but their sequence numbers."""
    same: NDArray[np.bool_] = frames.time[rows] - frames.time[before] < SOON
    for column in (
        frames.flags,
        frames.payload_length,
        frames.source_port,
        frames.destination_port,
        frames.source[:, 1],
        frames.destination[:, 1],
    ):
        same &= column[rows] == column[before]
    return same


def _identification(frames: Frames, rows: Rows) -> NDArray[np.uint16]:
    """The packets' numbers, read so many at a time that few pages of a large file are held."""
    found = np.empty(len(rows), np.uint16)
    places = fetched(frames.network, rows) + 4
    for some in stretches(frames.octets, places, TOGETHER, len(frames)):
        at = places[some]
        found[some] = frames.octets[at].astype(np.uint16) << np.uint16(8) | frames.octets[at + 1]
    return found


def _tells_apart(frames: Frames, rows: Rows) -> bool:
    """Whether the stacks number their packets at all."""
    seen: set[int] = set()
    for at in blocks(rows, AT_ONCE):
        seen.update(distinct(_identification(frames, rows[at]))[:LEAST].tolist())
        if len(seen) >= LEAST:
            return True
    return False
