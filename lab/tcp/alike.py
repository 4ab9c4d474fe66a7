"""Connections that went the same way have the same outcome: it is told once for all of them."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from lab.packets.distinct import distinct, either, grouped
from lab.packets.frames import Frames
from lab.tcp.columns import Ints, Mask, Segments
from lab.tcp.outcomes import (
    Outcome,
    Places,
    client_sent_first,
    outcome_of_codes,
    outcome_of_segments,
)
from lab.tcp.segments import ACK, SYN
from lab.tcp.segments import segments as read_segments
from lab.tcp.ways import Ways
from lab.tcp.zeek import LIKELY_SERVER_PORTS

FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)
UNTOLD = -1


class Alike(Struct, frozen=True):
    """Which streams went the same way."""

    flipped: Mask  # (streams,) whether the ports say that the first segment came from the server
    examples: Ints  # (ways,) a stream of each way
    which: Ints  # (streams,) the way of each
    alone: Ints  # (few,) streams that only seem alike


def alike(frames: Frames, s: Segments, found: Ways) -> Alike:
    """Sort streams by the way that they went."""
    flipped = likely_flipped(frames, s)
    counts = found.counts()
    rank = np.arange(len(found.codes)) - np.repeat(found.first, counts)
    factor = (rank + 1).astype(np.uint64) * FACTORS[0]
    factor ^= factor >> np.uint64(31)
    factor = factor * FACTORS[1] | np.uint64(1)
    hashed = np.add.reduceat((found.codes.astype(np.uint64) + np.uint64(1)) * factor, found.first)
    hashed += flipped
    _, examples, which = grouped(hashed)
    example = examples[which]
    short = (counts != counts[example]) | (flipped != flipped[example])
    twin = np.repeat(found.first[example], counts) + rank
    differs = found.codes != found.codes[np.minimum(twin, len(found.codes) - 1)]
    alone = np.flatnonzero(short | np.logical_or.reduceat(differs, found.first))
    return Alike(flipped, examples, which, alone)


def likely_flipped(frames: Frames, s: Segments) -> Mask:
    """Whether each stream's first segment came from the server, as `lab.tcp.zeek` tells it."""
    likely = np.zeros(1 << 16, np.bool_)
    likely[list(LIKELY_SERVER_PORTS)] = True
    rows = s.row[s.first]
    source, destination = frames.source_port[rows], frames.destination_port[rows]
    syn, ack = (frames.flags[rows] & SYN) != 0, (frames.flags[rows] & ACK) != 0
    from_server = ~(syn & ~ack) & likely[source]
    other = ~likely[destination] | (~syn & (source < destination))
    found: Mask = from_server & other
    return found


class Outcomes:
    """The outcomes met so far, each with a number; and the places that show them, each with one."""

    def __init__(self) -> None:
        self.known: list[Outcome] = []
        self.places: list[Places] = []
        self._numbers: dict[Outcome, int] = {}
        self._by_codes: dict[tuple[bytes, bool], tuple[int, int]] = {}

    def of(self, frames: Frames, s: Segments, found: Ways, same: Alike) -> Ints:
        """The numbers of each stream's outcome and places; shape (streams, 2).

        UNTOLD for the places of a stream that did not go the way of any other.
        """
        alone = either(same.alone, found.strange)
        told = np.zeros((len(same.examples), 2), np.int64)
        for way in distinct(np.delete(same.which, alone)).tolist():
            stream = int(same.examples[way])
            told[way] = self._by_way(found, stream, bool(same.flipped[stream]))
        numbers = told[same.which]
        for i in alone.tolist():
            numbers[i] = self._by_itself(frames, s, i, bool(same.flipped[i])), UNTOLD
        return numbers

    def _by_way(self, found: Ways, stream: int, flipped: bool) -> tuple[int, int]:
        codes = found.codes[found.bounds(stream)]
        key = codes.tobytes(), flipped
        if key not in self._by_codes:
            outcome, places = outcome_of_codes(codes.tolist(), flipped=flipped)
            self._by_codes[key] = self._number(outcome), len(self.places)
            self.places.append(places)
        return self._by_codes[key]

    def _by_itself(self, frames: Frames, s: Segments, stream: int, flipped: bool) -> int:
        at = s.bounds(stream)
        rows, second = s.row[at], s.second[at]
        client_first = first_is_client(frames, rows, second, flipped=flipped)
        from_client = ~second if client_first else second
        parts = read_segments(frames, rows, from_client, options=False)
        told = outcome_of_segments(parts, flipped=flipped, client_first=client_first)
        return self._number(told)

    def _number(self, outcome: Outcome) -> int:
        if outcome not in self._numbers:
            self._numbers[outcome] = len(self.known)
            self.known.append(outcome)
        return self._numbers[outcome]


def first_is_client(frames: Frames, rows: Ints, second: Mask, *, flipped: bool) -> bool:
    """Whether the sender of a connection's first segment is the client."""
    syns = np.flatnonzero((frames.flags[rows] & SYN) != 0)
    codes = frames.flags[rows[syns]] & (SYN | ACK) | second[syns].astype(np.uint16) << 3
    return client_sent_first(codes.tolist(), flipped=flipped)
