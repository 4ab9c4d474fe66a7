"""Captures made in a test: segments and datagrams given by their fields, read back as columns.

>>> conversation(sent(">", "S"), sent("<", "SA", ack=1), sent(">", "A", seq=1, ack=1))
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from lab.packets.frames import Capture
from lab.packets.pcapng_writer import interface_description, packet_block, section_header
from lab.packets.reader import read_capture
from lab.tcp.connections import connections
from lab.tcp.model import Connection
from tests.handmade import CLIENT, SERVER, ethernet, ipv4, tcp

LETTERS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "W": 128}
MODULUS = 1 << 32
EPOCH = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One segment; numbers are relative to the ISNs that `conversation` is given."""

    way: str
    flags: str
    seq: int = 0
    ack: int | None = None
    length: int = 0
    window: int = 64240
    after: int = MILLISECOND  # ns since the segment before
    options: bytes = b""
    sack: tuple[tuple[int, int], ...] = ()
    ports: tuple[int, int] = (40000, 80)
    host: str = CLIENT


sent = Sent


def mss(octets: int) -> bytes:
    return struct.pack(">BBH", 2, 4, octets)


def scale(shift: int) -> bytes:
    return struct.pack(">BBBB", 3, 3, shift, 0)


def conversation(
    *segments: Sent, isn: tuple[int, int] = (1000, 5000), snap: int | None = None
) -> Capture:
    """The capture of these segments: ">" goes from client to server, "<" back."""
    time, blocks = EPOCH, []
    for segment in segments:
        time += segment.after
        blocks.append((time, _frame(segment, isn)))
    return capture(blocks, snap)


def capture(frames: Iterable[tuple[int, bytes]], snap: int | None = None) -> Capture:
    """Frames as (time, octets), through the lab's own writer and reader; ``snap``: octets kept."""
    blocks = (packet_block(time, octets[:snap], length=len(octets)) for time, octets in frames)
    return read_capture(section_header() + interface_description("eth0") + b"".join(blocks))


def one(
    *segments: Sent, isn: tuple[int, int] = (1000, 5000), snap: int | None = None
) -> Connection:
    """The only connection of these segments."""
    (connection,) = connections(conversation(*segments, isn=isn, snap=snap))
    return connection


def _frame(segment: Sent, isn: tuple[int, int]) -> bytes:
    forth = segment.way == ">"
    mine, theirs = isn if forth else isn[::-1]
    ends = (segment.host, SERVER) if forth else (SERVER, segment.host)
    ack = 0 if segment.ack is None else (theirs + segment.ack) % MODULUS
    body = tcp(
        bytes(segment.length),
        sum(LETTERS[letter] for letter in segment.flags),
        sequence=(mine + segment.seq) % MODULUS,
        acknowledgment=ack,
        options=segment.options + _sack(segment, theirs),
        window=segment.window,
        ports=segment.ports if forth else segment.ports[::-1],
        ends=ends,
    )
    return ethernet(ipv4(body, 6, source=ends[0], destination=ends[1]))


def _sack(segment: Sent, theirs: int) -> bytes:
    if not segment.sack:
        return b""
    edges = b"".join(
        struct.pack(">I", (theirs + edge) % MODULUS) for block in segment.sack for edge in block
    )
    return struct.pack(">BBBB", 1, 1, 5, 2 + len(edges)) + edges


OPEN = (sent(">", "S"), sent("<", "SA", ack=1), sent(">", "A", seq=1, ack=1))
"""A three-way handshake; data starts at 1 on both sides."""
