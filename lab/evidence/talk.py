"""One connection under examination: its columns and what they suggest, made when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lab.evidence.causes import too_big_errors
from lab.evidence.resent import Again, resent
from lab.evidence.run import Evidence, View
from lab.evidence.witnesses import Witnesses
from lab.packets.frames import Flags, Frames
from lab.tcp.model import Analysis, Connection
from lab.tcp.segments import HALF, MODULUS

SYN, FIN, RST, ACK, ECE, CWR = (
    int(flag) for flag in (Flags.SYN, Flags.FIN, Flags.RST, Flags.ACK, Flags.ECE, Flags.CWR)
)


class Case:
    """The evidence with what is worth computing once for all connections."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @cached_property
    def witnesses(self) -> Witnesses | None:
        """What kernels said; None where nobody was asked."""
        told = self.evidence.events or self.evidence.kernel
        return Witnesses(self.evidence) if told else None

    @cached_property
    def too_big(self) -> tuple[int, ...]:
        """When ICMP errors that tell of a smaller path MTU passed (ns)."""
        return too_big_errors(self.evidence.view.capture.frames)


class Talk:
    """A connection of one view. All arrays have one entry a segment, in capture order."""

    def __init__(self, case: Case, connection: Connection, view: View | None = None) -> None:
        self.case, self.connection = case, connection
        self.view = view or case.evidence.view

    def __len__(self) -> int:
        return len(self.connection.rows)

    @property
    def stream(self) -> int:
        return self.connection.stream

    @property
    def frames(self) -> Frames:
        return self.view.capture.frames

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Frame numbers."""
        return self.connection.rows + 1

    @cached_property
    def time(self) -> NDArray[np.int64]:
        """ns since 1970-01-01 UTC."""
        return self.frames.time[self.connection.rows]

    @cached_property
    def flags(self) -> NDArray[np.uint16]:
        return self.frames.flags[self.connection.rows]

    @cached_property
    def length(self) -> NDArray[np.int64]:
        """Octets of payload."""
        return self.frames.payload_length[self.connection.rows].astype(np.int64)

    @cached_property
    def side(self) -> NDArray[np.int64]:
        """Who sent it: CLIENT or SERVER."""
        return np.where(self.connection.from_client, 0, 1)

    @cached_property
    def analysis(self) -> NDArray[np.int64]:
        """Wireshark's flags."""
        found = np.zeros(len(self), np.int64)
        if marked := self.connection.flags:
            at = np.searchsorted(self.numbers, np.fromiter(marked, np.int64, len(marked)))
            found[at] = np.fromiter((int(one) for one in marked.values()), np.int64, len(marked))
        return found

    @cached_property
    def sequence(self) -> NDArray[np.int64]:
        """From the first number that its sender is seen to use on; does not wrap."""
        raw = self.frames.sequence[self.connection.rows].astype(np.int64)
        found = np.zeros(len(self), np.int64)
        for side in (0, 1):
            found[self.side == side] = _unwrapped(raw[self.side == side])
        return found

    @cached_property
    def end(self) -> NDArray[np.int64]:
        """The sequence number after it."""
        after: NDArray[np.int64] = self.sequence + self.length
        after += (self.flags & SYN) != 0
        after += (self.flags & FIN) != 0
        return after

    @cached_property
    def acknowledgment(self) -> NDArray[np.int64]:
        """In the numbers of ``sequence`` of the other side; -1 without ACK."""
        raw = self.frames.acknowledgment[self.connection.rows].astype(np.int64)
        sequences = self.frames.sequence[self.connection.rows].astype(np.int64)
        found = np.full(len(self), -1, np.int64)
        for side in (0, 1):
            mine = (self.side == side) & ((self.flags & ACK) != 0) & ((self.flags & RST) == 0)
            theirs = sequences[self.side != side]
            if mine.any() and len(theirs):
                first = (raw[mine][0] - theirs[0] + HALF) % MODULUS - HALF
                found[mine] = _unwrapped(raw[mine]) + first
        return found

    @cached_property
    def resent(self) -> Mapping[int, Again]:
        """What was sent more than once, by its position."""
        return resent(self)

    def at(self, wanted: NDArray[np.bool_]) -> tuple[int, ...]:
        """Frame numbers of the segments that a mask picks."""
        return tuple(self.numbers[wanted].tolist())

    def has(self, wanted: Analysis) -> NDArray[np.bool_]:
        """Mask of the segments with any of these flags."""
        return np.asarray((self.analysis & int(wanted)) != 0)

    def name(self, side: int) -> str:
        """The host of an end, else its address and port."""
        end = self.connection.server if side else self.connection.client
        for host in self.case.evidence.manifest.hosts:
            if end.address in host.addresses:
                return host.name
        return str(end)


def _unwrapped(raw: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers modulo 2^32 as distances from the first, each the shorter way from the one before."""
    if not len(raw):
        return raw
    steps = (np.diff(raw) + HALF) % MODULUS - HALF
    return np.concatenate([[0], np.cumsum(steps)])
