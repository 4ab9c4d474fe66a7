"""A connection's segments as plain values, for the rules that read them one after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.distinct import among
from lab.packets.frames import ABSENT, Flags, Frames
from lab.packets.options import Options, parse_options
from lab.packets.pages import stretches

HALF, MODULUS = 1 << 31, 1 << 32
CLIENT, SERVER = 0, 1
# Plain numbers: an operation on an IntFlag costs twenty times as much.
SYN, FIN, RST, ACK = int(Flags.SYN), int(Flags.FIN), int(Flags.RST), int(Flags.ACK)
CONTROL = SYN | FIN | RST
FIXED_HEADER, DATA_OFFSET = 20, 12  # octets: its size, where the whole header's size stands
TOGETHER = 1 << 14
"""Segments whose options are read before the file's pages are given back."""


def distance(later: int, earlier: int) -> int:
    """Octets from ``earlier`` to ``later`` in sequence space, the shorter way round, signed."""
    return (later - earlier + HALF) % MODULUS - HALF


class Segment(Struct, frozen=True, gc=False):
    """One segment. Numbers are absolute and as sent; the window is the field, unscaled."""

    frame: int
    time: int  # ns since 1970-01-01 UTC
    side: int  # who sent it: CLIENT or SERVER
    sequence: int
    acknowledgment: int
    flags: int  # Flags
    window: int
    length: int  # octets of payload
    options: Options | None = None  # None: no options
    whole: bool = True  # its options are all there: the snap length cut none off

    @property
    def end(self) -> int:
        """The sequence number after it: SYN and FIN each consume one (RFC 9293 section 3.4)."""
        return (self.sequence + self.length + self.syn + self.fin) % MODULUS

    @property
    def syn(self) -> bool:
        """SYN is set."""
        return bool(self.flags & SYN)

    @property
    def fin(self) -> bool:
        """FIN is set."""
        return bool(self.flags & FIN)

    @property
    def rst(self) -> bool:
        """RST is set."""
        return bool(self.flags & RST)

    @property
    def ack(self) -> bool:
        """ACK is set."""
        return bool(self.flags & ACK)

    @property
    def control(self) -> bool:
        """SYN, FIN or RST is set."""
        return bool(self.flags & CONTROL)

    @property
    def sack(self) -> tuple[tuple[int, int], ...]:
        """Its SACK blocks (RFC 2018): (left edge, right edge) each."""
        return self.options.sack if self.options else ()

    @property
    def selective(self) -> bool:
        """It carries SACK blocks, captured or not."""
        return self.options is not None and (bool(self.options.sack) or self.options.sack_cut)

    def acknowledges(self, number: int) -> bool:
        """Whether its ACK covers everything before ``number``."""
        return self.ack and distance(self.acknowledgment, number) >= 0


def segments(
    frames: Frames,
    rows: NDArray[np.int64],
    from_client: NDArray[np.bool_],
    *,
    options: bool = True,
) -> list[Segment]:
    """Read one connection's rows; entry i is row i. ``options``: whether to read those too."""
    columns = zip(
        (rows + 1).tolist(),
        frames.time[rows].tolist(),
        np.where(from_client, CLIENT, SERVER).tolist(),
        frames.sequence[rows].tolist(),
        frames.acknowledgment[rows].tolist(),
        frames.flags[rows].tolist(),
        frames.window[rows].tolist(),
        frames.payload_length[rows].tolist(),
        _options(frames, rows) if options else [None] * len(rows),
        (frames.payload[rows] != ABSENT).tolist(),
        strict=True,
    )
    return [Segment(*values) for values in columns]


def without_length(frames: Frames, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows leave nothing to analyse, as in Wireshark: nothing tells how long they are.

    Their data offset is wrong, or the packet is in fragments that were not captured whole.
    """
    found: NDArray[np.bool_] = frames.malformed[rows]
    wrong = np.flatnonzero(found)  # mostly none
    found[wrong] = frames.payload[rows[wrong]] == ABSENT
    if len(frames.unmeasured):
        found |= among(rows, frames.unmeasured)
    return found


def options_end(
    frames: Frames, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offsets in the file where the options of these segments end, or are cut off.

    Returns:
        Those as far as captured, and those that the headers claim. ABSENT where the data offset is
        wrong.
    """
    end = frames.payload[rows]
    some = np.flatnonzero((end == ABSENT) & ~frames.malformed[rows])
    cut = rows[some]
    header = frames.octets[frames.transport[cut] + DATA_OFFSET] >> 4
    end[some] = frames.transport[cut] + 4 * header.astype(np.int64)
    held = end.copy()
    held[some] = np.minimum(end[some], frames.start[cut] + frames.captured[cut])
    return held, end


def _options(frames: Frames, rows: NDArray[np.int64]) -> Sequence[Options | None]:
    """Parse the options of the segments that have any."""
    found: list[Options | None] = [None] * len(rows)
    start = frames.transport[rows] + FIXED_HEADER
    end, claimed = options_end(frames, rows)
    size = claimed - start
    some = np.flatnonzero(end > start)
    for part in stretches(frames.octets, start[some], TOGETHER, len(frames)):
        for i in some[part].tolist():
            found[i] = parse_options(frames.octets[start[i] : end[i]].tobytes(), int(size[i]))
    return found
