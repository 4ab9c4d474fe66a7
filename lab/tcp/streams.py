"""Which segments belong to one connection: an endpoint pair may carry several, one after another."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.frames import ABSENT, Frames, Protocol
from lab.packets.pairs import pairs, sent_by_first
from lab.tcp.segments import ACK, FIN, MODULUS, RST, SYN

ORDERLY = FIN | ACK


class Stream(Struct, frozen=True):
    """The rows of one connection and which of them its first sender sent."""

    rows: NDArray[np.int64]
    forward: NDArray[np.bool_]
    reused: bool  # its ports had carried an earlier connection


def streams(frames: Frames) -> list[Stream]:
    """Every TCP connection of a capture, in order of the first segment (tcp.stream)."""
    rows = np.flatnonzero((frames.protocol == Protocol.TCP) & (frames.transport != ABSENT))
    found = [stream for group in pairs(frames, rows) for stream in _split(frames, group)]
    return sorted(found, key=lambda stream: int(stream.rows[0]))


def _split(frames: Frames, rows: NDArray[np.int64]) -> list[Stream]:
    forward = sent_by_first(frames, rows)
    syns = np.flatnonzero(frames.flags[rows] & SYN)
    starts = _starts(frames, rows, forward) if len(syns) and syns[-1] > 0 else []
    parts = np.split(rows, starts)
    return [Stream(part, sent_by_first(frames, part), i > 0) for i, part in enumerate(parts)]


def _starts(frames: Frames, rows: NDArray[np.int64], forward: NDArray[np.bool_]) -> list[int]:
    """Positions at which a SYN or SYN,ACK opens another connection on the same ports."""
    starts: list[int] = []
    seen = _Seen()
    columns = zip(
        forward.tolist(),
        frames.sequence[rows].tolist(),
        frames.acknowledgment[rows].tolist(),
        frames.flags[rows].tolist(),
        strict=True,
    )
    for i, (side, sequence, acknowledgment, flags) in enumerate(columns):
        if flags & SYN and seen.is_news(side, sequence):
            starts.append(i)
            seen = _Seen()
        seen.learn(side, sequence, acknowledgment, flags)
    return starts


class _Seen:
    """The initial sequence numbers of both ends, and whether the connection has been closed."""

    def __init__(self) -> None:
        self.isn: dict[bool, int] = {}
        self.closed = False

    def is_news(self, side: bool, sequence: int) -> bool:
        """Whether a SYN with this number cannot belong to this connection."""
        return self.closed or (side in self.isn and self.isn[side] != sequence)

    def learn(self, side: bool, sequence: int, acknowledgment: int, flags: int) -> None:
        """Take in one segment; an ISN not seen is inferred from the numbers that follow it."""
        syn = flags & SYN
        self.isn.setdefault(side, sequence if syn else (sequence - 1) % MODULUS)
        if flags & ACK:
            self.isn.setdefault(not side, (acknowledgment - 1) % MODULUS)
        self.closed |= bool(flags & RST) or flags & ORDERLY == ORDERLY
