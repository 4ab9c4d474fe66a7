"""Captures of a million packets for the benches: many short connections, bulk transfers, loss.

Everything is drawn from a seed and computed as arrays, so that a million packets take seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MSS, WINDOW = 1448, 4096
HEADERS = 14 + 20 + 20
TIMESTAMPS, SACK = 12, 24  # octets of options, the latter with one block
EPOCH = 1_700_000_000
MAGIC = 0xA1B23C4D  # nanoseconds
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Packets:
    """Columns, one entry a packet. Numbers are relative: each side's SYN is 0."""

    time: NDArray[np.float64]  # seconds
    connection: Ints
    side: Ints  # 0: client
    flags: Ints
    sequence: Ints
    acknowledgment: Ints
    length: Ints
    options: Ints  # octets
    sacked: Ints  # the end of the SACK block, where there is one

    @staticmethod
    def joined(parts: Iterable[Packets]) -> Packets:
        """All of them in order of time."""
        rows = list(parts)
        columns = [
            np.concatenate([getattr(part, name) for part in rows]) for name in Packets.__slots__
        ]
        order = np.argsort(columns[0], kind="stable")
        return Packets(*(column[order] for column in columns))


Step = tuple[int, int, int]
"""(side, flags, which of a connection's drawn lengths: 0 none; negative: that one again)."""

OPENING: tuple[Step, ...] = ((0, SYN, 0), (1, SYN | ACK, 0), (0, ACK, 0))
REQUEST: tuple[Step, ...] = ((0, PSH | ACK, 1), (1, ACK, 0), (1, PSH | ACK, 2), (0, ACK, 0))
MORE: tuple[Step, ...] = ((0, PSH | ACK, 3), (1, ACK, 4), (1, PSH | ACK, 5), (0, ACK, 0))
FOUR: tuple[Step, ...] = ((0, FIN | ACK, 0), (1, ACK, 0), (1, FIN | ACK, 0), (0, ACK, 0))
THREE: tuple[Step, ...] = ((1, FIN | ACK, 0), (0, FIN | ACK, 0), (1, ACK, 0))
SHAPES: tuple[tuple[float, tuple[Step, ...]], ...] = (
    (0.30, OPENING + REQUEST + FOUR),
    (0.25, OPENING + REQUEST + MORE + THREE),
    (0.15, OPENING + REQUEST + MORE + MORE + FOUR),
    (0.10, OPENING + REQUEST + ((0, RST | ACK, 0),)),
    (0.05, OPENING + REQUEST + THREE[:2] + ((0, RST, 0),)),
    (0.05, ((0, SYN, 0), (1, RST | ACK, 0))),
    (0.04, ((0, SYN, 0),) * 3),
    (0.03, (*OPENING, REQUEST[0], (0, PSH | ACK, -1), REQUEST[2], *THREE)),
    (0.02, ((0, SYN, 0), *OPENING, *REQUEST, *FOUR)),
    (0.01, OPENING + REQUEST),
)


def short(connections: int, seconds: float, random: np.random.Generator) -> Iterable[Packets]:
    """Short connections of the usual shapes, a few of them with trouble."""
    shape = random.choice(len(SHAPES), connections, p=[share for share, _ in SHAPES])
    begin = random.uniform(0, seconds, connections)
    for kind, (_, steps) in enumerate(SHAPES):
        yield _played(steps, np.flatnonzero(shape == kind), begin[shape == kind], random)


def _played(
    steps: Sequence[Step], ids: Ints, begin: NDArray[np.float64], random: np.random.Generator
) -> Packets:
    """All connections of one shape: arrays of (steps, connections)."""
    lengths = random.integers(1, MSS + 1, (6, len(ids)))
    lengths[0] = 0
    gaps = random.exponential(0.002, (len(steps), len(ids)))
    sent = [np.zeros(len(ids), np.int64) for _ in (0, 1)]
    columns: list[list[Ints]] = [[], [], []]
    for side, flags, which in steps:
        length = lengths[abs(which)]
        again = which < 0 or (flags & SYN > 0 and bool(sent[side].any()))
        consumed = length + (flags & SYN > 0) + (flags & FIN > 0)
        begins = sent[side] - consumed * again
        for column, values in zip(columns, (begins, sent[1 - side], length), strict=True):
            column.append(values if flags & ACK or column is not columns[1] else 0 * length)
        sent[side] = begins + consumed
    shape = (len(steps), len(ids))
    numbers = [np.array(column).reshape(shape).ravel() for column in columns]
    repeated = [np.repeat([step[i] for step in steps], len(ids)) for i in (0, 1)]
    return Packets(
        time=(begin + np.cumsum(gaps, axis=0)).ravel(),
        connection=np.tile(ids, len(steps)),
        side=repeated[0],
        flags=repeated[1],
        sequence=numbers[0],
        acknowledgment=numbers[1],
        length=numbers[2],
        options=np.full(repeated[0].shape, TIMESTAMPS),
        sacked=np.zeros(repeated[0].shape, np.int64),
    )


def bulk(
    number: int, segments: int, seconds: float, loss: float, random: np.random.Generator
) -> Iterable[Packets]:
    """One download: ``loss`` of its segments are seen by the receiver only when sent again.

    The capture is taken at the receiver of every second one, which never sees the first copy.
    """
    yield _played(OPENING, np.array([number]), np.array([-1.0]), random)
    gap = seconds / segments
    first = np.arange(segments) * gap + random.uniform(0, gap / 2, segments)
    lost = np.flatnonzero((random.random(segments) < loss) & (np.arange(segments) < segments - 99))
    arrives = first.copy()
    arrives[lost] += 40.3 * gap
    yield _data(number, np.arange(segments), first, kept=number % 2 == 0, lost=lost)
    yield _data(number, lost, arrives[lost], kept=True, lost=lost)
    yield _acknowledged(number, arrives, gap)


def _data(number: int, which: Ints, time: NDArray[np.float64], kept: bool, lost: Ints) -> Packets:
    if not kept:
        which, time = np.delete(which, lost), np.delete(time, lost)
    return _one_way(number, 1, 1 + which * MSS, time, np.ones_like(which), MSS)


def _acknowledged(number: int, arrives: NDArray[np.float64], gap: float) -> Packets:
    """An ACK for every second segment, and for each of them while one is missing."""
    whole = np.maximum.accumulate(arrives)
    time = np.sort(arrives) + gap / 7
    held = np.searchsorted(whole, time, side="right")
    highest = np.searchsorted(np.sort(arrives), time, side="right")
    wanted = (held < highest) | (np.arange(len(time)) % 2 == 1)
    held, highest, time = held[wanted], highest[wanted], time[wanted]
    sacked = np.where(highest > held, 1 + (highest + 1) * MSS, 0)
    return _one_way(number, 0, np.ones_like(held), time, 1 + held * MSS, 0, sacked)


def _one_way(
    number: int,
    side: int,
    sequence: Ints,
    time: NDArray[np.float64],
    acknowledgment: Ints,
    length: int,
    sacked: Ints | None = None,
) -> Packets:
    shape = sequence.shape
    sacked = np.zeros(shape, np.int64) if sacked is None else sacked
    return Packets(
        time=time,
        connection=np.full(shape, number),
        side=np.full(shape, side),
        flags=np.full(shape, ACK),
        sequence=sequence,
        acknowledgment=acknowledgment,
        length=np.full(shape, length),
        options=np.where(sacked > 0, SACK, TIMESTAMPS),
        sacked=sacked,
    )


def mixed(packets: int, seed: int = 1) -> Packets:
    """Half of the packets in bulk transfers with 1 % loss, half in short connections."""
    random = np.random.default_rng(seed)
    count, seconds = max(packets // 40_000, 2), packets / 20_000
    small = packets // 23
    parts = list(short(small, seconds, random))
    for number in range(small, small + count):
        parts += bulk(number, packets // 2 // count * 20 // 34, seconds, 0.01, random)
    return Packets.joined(parts)


def many(packets: int, seed: int = 1) -> Packets:
    """Short connections only."""
    return Packets.joined(short(packets // 11, packets / 20_000, np.random.default_rng(seed)))


def write(path: Path, packets: Packets, seed: int = 1, together: int = 1 << 18) -> None:
    """Write a pcap file, with ports and initial sequence numbers drawn from the seed."""
    random = np.random.default_rng(seed)
    count = int(packets.connection.max()) + 1
    isn = random.integers(0, 1 << 32, (count, 2))
    with path.open("wb") as file:
        file.write(np.array([MAGIC, 2 | 4 << 16, 0, 0, 65535, 1], "<u4").tobytes())
        for begin in range(0, len(packets.time), together):
            rows = slice(begin, begin + together)
            part = Packets(*(getattr(packets, name)[rows] for name in Packets.__slots__))
            file.write(_records(part, isn).tobytes())


def _records(packets: Packets, isn: Ints) -> NDArray[np.uint8]:
    """Record header, Ethernet, IPv4, TCP and its options of each packet; payloads are zeros."""
    size = HEADERS + packets.options + packets.length
    ends = np.cumsum(size + 16)
    heads = _heads(packets, isn, size).view(np.uint8).reshape(len(size), -1)
    octets = np.zeros(int(ends[-1]) + heads.shape[1], np.uint8)
    for options in (TIMESTAMPS, SACK):
        these = packets.options == options
        width = 16 + HEADERS + options
        windows = np.ndarray((len(octets) - width,), f"V{width}", octets.data, strides=(1,))
        kept = np.ascontiguousarray(heads[these, :width])
        windows[(ends - size - 16)[these]] = kept.view(f"V{width}").ravel()
    return octets[: ends[-1]]


HEAD = np.dtype(
    [
        ("seconds", "<u4"),
        ("fraction", "<u4"),
        ("captured", "<u4"),
        ("length", "<u4"),
        ("ethernet", "V14"),
        ("version", ">u2"),
        ("total", ">u2"),
        ("identification", ">u4"),
        ("ttl", ">u2"),
        ("checksum", ">u2"),
        ("source", ">u4"),
        ("destination", ">u4"),
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("sequence", ">u4"),
        ("acknowledgment", ">u4"),
        ("flags", ">u2"),
        ("window", ">u2"),
        ("rest", ">u4"),
        ("timestamps", "V12"),
        ("sack", ">u4", 3),
    ]
)


def _heads(packets: Packets, isn: Ints, size: Ints) -> NDArray[np.void]:
    heads = np.zeros(len(size), HEAD)
    nanoseconds = ((packets.time + 2) * 1e9).astype(np.int64)
    heads["seconds"] = EPOCH + nanoseconds // 1_000_000_000
    heads["fraction"] = nanoseconds % 1_000_000_000
    heads["captured"] = heads["length"] = size
    heads["ethernet"] = np.void(bytes.fromhex("0200000000020200000000010800"))
    heads["version"], heads["total"], heads["ttl"] = 0x4500, size - 14, 0x4006
    client, server = packets.connection // 60_000, packets.connection % 250
    ends = np.array([0x0A000001 + client, 0xC0A80001 + server])
    ports = np.array([1024 + packets.connection % 60_000, 443 + 0 * server])
    side, row = packets.side, np.arange(len(size))
    heads["source"], heads["destination"] = ends[side, row], ends[1 - side, row]
    heads["source_port"], heads["destination_port"] = ports[side, row], ports[1 - side, row]
    mine, theirs = isn[packets.connection, side], isn[packets.connection, 1 - side]
    acks = (packets.flags & ACK) > 0
    heads["sequence"] = (mine + packets.sequence) % (1 << 32)
    heads["acknowledgment"] = np.where(acks, theirs + packets.acknowledgment, 0) % (1 << 32)
    heads["flags"] = (5 + packets.options // 4) << 12 | packets.flags
    heads["window"] = WINDOW
    heads["timestamps"] = np.void(bytes.fromhex("0101080a0000000100000002"))
    heads["sack"][:, 0] = 0x0101050A
    heads["sack"][:, 1] = (theirs + packets.acknowledgment + MSS) % (1 << 32)
    heads["sack"][:, 2] = (theirs + packets.sacked) % (1 << 32)
    return heads


KINDS = {"mixed": mixed, "short": many}


def main() -> None:
    """Write one: python -m tools.bench.traffic mixed 1000000 FILE."""
    kind, packets, path = sys.argv[1:]
    write(Path(path), KINDS[kind](int(packets)))


if __name__ == "__main__":
    main()
