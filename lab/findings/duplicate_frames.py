"""The same IP packet twice in a capture: recorded at two places, or duplicated on the way.

A kernel numbers its IPv4 packets anew when it sends octets again; a copy keeps the number.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, counted
from lab.packets.frames import Frames, Protocol
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
NEAR = 4
"""Frames between a packet and its copy, at most."""
SOON = 5_000_000  # ns
LEAST = 3
"""Different identifications: a stack may give all packets the same one (RFC 6864)."""
MANY = 0.2


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    rows = np.flatnonzero((frames.protocol == Protocol.TCP) & (frames.ip_version == 4))
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


def _copies(frames: Frames, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows that repeat one of the few before them; an identification of 0 says nothing."""
    at = frames.network[rows] + 4
    number = frames.octets[at].astype(np.uint16) << np.uint16(8) | frames.octets[at + 1]
    again = np.zeros(len(rows), np.bool_)
    if np.count_nonzero(np.bincount(number, minlength=1)) < LEAST:
        return rows[again]
    columns = (
        frames.sequence,
        frames.acknowledgment,
        frames.flags,
        frames.payload_length,
        frames.source_port,
        frames.destination_port,
        frames.source[:, 1],
        frames.destination[:, 1],
    )
    for step in range(1, NEAR + 1):
        at = np.flatnonzero((number[step:] == number[:-step]) & (number[step:] != 0)) + step
        same = frames.time[rows[at]] - frames.time[rows[at - step]] < SOON
        for column in columns:
            same &= column[rows[at]] == column[rows[at - step]]
        again[at[same]] = True
    return rows[again]
