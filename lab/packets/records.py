"""What a walk over a capture file finds: where each frame lies and what the file says of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.frames import Damage, Interface, Problem, Skipped
from lab.text import Text

MAXIMUM_FRAME = 262_144
"""No frame is longer unless its interface says so: libpcap's and Wireshark's limit."""

SECOND = 1_000_000_000


class Records(Struct, frozen=True):
    """The records of a file, in file order; the arrays have one entry a frame."""

    file_format: str  # "pcap" or "pcapng"
    time: NDArray[np.int64]  # ns since 1970-01-01 UTC
    interface: NDArray[np.int32]
    direction: NDArray[np.uint8]
    start: NDArray[np.int64]  # offset of the frame's first octet in the file
    captured: NDArray[np.int32]
    length: NDArray[np.int32]
    interfaces: tuple[Interface, ...] = ()
    comments: tuple[tuple[int, str], ...] = ()
    problems: tuple[Problem, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    tls_sessions: int = 0


def no_records(
    file_format: str, interfaces: Sequence[Interface] = (), problem: Problem | None = None
) -> Records:
    """A file in which no frame could be found."""
    wide, narrow = np.zeros(0, np.int64), np.zeros(0, np.int32)
    return Records(
        file_format=file_format,
        time=wide,
        interface=narrow,
        direction=np.zeros(0, np.uint8),
        start=wide,
        captured=narrow,
        length=narrow,
        interfaces=tuple(interfaces),
        problems=(problem,) if problem else (),
    )


def truncated(offset: int, claimed: int, present: int) -> Problem:
    """The file ends before the record at ``offset`` does; both counts are in octets."""
    claim = Text(
        "the record needs {claimed} octets, the file has {present} left",
        "该记录需要 {claimed} 字节，文件只剩 {present} 字节",
    )
    return Problem(Damage.TRUNCATED, offset, claim.fill(claimed=claimed, present=present))


def impossible(offset: int, en: str, zh: str, **values: object) -> Problem:
    """The record at ``offset`` says something that cannot be."""
    return Problem(Damage.IMPOSSIBLE, offset, Text(en, zh).fill(**values))


def clip_length(length: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Lengths on the wire as a column holds them: the field is unsigned, the column is not."""
    return np.minimum(length, np.uint32(2**31 - 1)).astype(np.int32)
