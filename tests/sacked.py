"""Data of which some arrived out of turn: an ACK with SACK blocks, made by hand."""

from __future__ import annotations

import struct

from lab.evidence.build import alone, view
from lab.evidence.run import Evidence
from tests import handmade
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import Wire

ISN = 2**32 - 105  # numbers wrap within the data


def acknowledge(wire: Wire, time: int, number: int, *blocks: tuple[int, int]) -> None:
    """An ACK of the server with SACK blocks; numbers are relative to the client's ISN."""
    edges = [(ISN + edge) % 2**32 for block in blocks for edge in block]
    option = b"\x01\x01" + struct.pack(f">BB{len(edges)}I", 5, 2 + 4 * len(edges), *edges)
    segment = handmade.tcp(
        b"",
        ACK,
        sequence=500,
        acknowledgment=(ISN + number) % 2**32,
        options=option,
        ports=(12345, 41234),
        ends=(SERVER, CLIENT),
    )
    packet = handmade.ipv4(segment, 6, source=SERVER, destination=CLIENT, identification=9)
    wire.frames.append((time, handmade.ethernet(packet), False))


def sent(*blocks: tuple[int, int], number: int = 101) -> Evidence:
    """Five segments of 100 octets, frames 4 to 8; then an ACK with these blocks."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, ISN)
    wire.tcp(10, SERVER, SYN | ACK, 499, ISN + 1)
    wire.tcp(20, CLIENT, ACK, ISN + 1, 500)
    for place in range(5):
        wire.tcp(100 + place, CLIENT, PSH | ACK, ISN + 1 + 100 * place, 500, bytes(100))
    acknowledge(wire, 200, number, *blocks)
    return alone(view("", "sacked", wire.pcapng()))
