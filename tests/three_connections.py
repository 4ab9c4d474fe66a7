"""Three TCP connections whose every frame is known: one that went well, one that lost, one refused."""

from __future__ import annotations

import struct

from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import RST, START, Wire, greeting

RETRANSMITTED, REFUSED_SYN = 15, 17


def traffic() -> Wire:
    """tcp 0: a greeting (frames 1 to 11); tcp 1: data sent twice (12 to 16); tcp 2: refused."""
    wire = Wire()
    greeting(wire, 0, 41000, segments=4)
    ports, c, s = (41001, 443), 5000, 9000
    wire.tcp(200_000, CLIENT, SYN, c, ports=ports)
    wire.tcp(200_100, SERVER, SYN | ACK, s, c + 1, ports=ports)
    wire.tcp(200_200, CLIENT, PSH | ACK, c + 1, s + 1, b"hello", ports=ports)
    wire.tcp(500_000, CLIENT, PSH | ACK, c + 1, s + 1, b"hello", ports=ports)
    wire.tcp(500_100, SERVER, ACK, s + 1, c + 6, ports=ports)
    wire.tcp(600_000, CLIENT, SYN, 1, ports=(41002, 81))
    wire.tcp(600_100, SERVER, RST | ACK, 0, 2, ports=(41002, 81))
    return wire


def as_pcap(wire: Wire) -> bytes:
    """The same frames as a pcap file with nanoseconds."""
    records = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)]
    for at, octets, _ in sorted(wire.frames, key=lambda frame: frame[0]):
        moment = divmod(START + at * 1000, 10**9)
        records += [struct.pack("<IIII", *moment, len(octets), len(octets)), octets]
    return b"".join(records)
