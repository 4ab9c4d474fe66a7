"""Headers, frames and capture files made by hand, independent of the code under test."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
CLIENT6, SERVER6 = "fd00::1", "fd00::2"
CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
SYN, ACK, FIN, PSH = 0x02, 0x10, 0x01, 0x08


def checksum(octets: bytes) -> int:
    octets += bytes(len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ethernet(payload: bytes, kind: int = 0x0800, tags: Sequence[int] = ()) -> bytes:
    """``tags``: the EtherType of each VLAN tag, outermost first."""
    shim = b"".join(struct.pack(">HH", tag, 7) for tag in tags)
    return SERVER_MAC + CLIENT_MAC + shim + struct.pack(">H", kind) + payload


def ipv4(
    payload: bytes,
    protocol: int,
    *,
    source: str = CLIENT,
    destination: str = SERVER,
    options: bytes = b"",
    fragment: int = 0x4000,
    total: int | None = None,
    identification: int = 1,
    ttl: int = 64,
) -> bytes:
    size = 20 + len(options)
    length = size + len(payload) if total is None else total
    head = struct.pack(
        ">BBHHHBBH", 0x40 | size // 4, 0, length, identification, fragment, ttl, protocol, 0
    )
    head += ip_address(source).packed + ip_address(destination).packed + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(payload: bytes, following: int, *, length: int | None = None) -> bytes:
    size = len(payload) if length is None else length
    head = struct.pack(">IHBB", 0x60000000, size, following, 64)
    return head + ip_address(CLIENT6).packed + ip_address(SERVER6).packed + payload


def pseudo(length: int, protocol: int, source: str, destination: str) -> bytes:
    ends = ip_address(source).packed + ip_address(destination).packed
    return ends + struct.pack(">IxxxB", length, protocol)


def tcp(
    payload: bytes = b"",
    flags: int = ACK,
    *,
    sequence: int = 1000,
    acknowledgment: int = 2000,
    options: bytes = b"",
    window: int = 502,
    ports: tuple[int, int] = (40000, 80),
    ends: tuple[str, str] = (CLIENT, SERVER),
) -> bytes:
    offset = (20 + len(options)) // 4 << 12 | flags
    head = struct.pack(">HHIIHHHH", *ports, sequence, acknowledgment, offset, window, 0, 0)
    segment = head + options + payload
    total = checksum(pseudo(len(segment), 6, *ends) + segment)
    return segment[:16] + struct.pack(">H", total) + segment[18:]


def udp(
    payload: bytes = b"",
    *,
    ports: tuple[int, int] = (50000, 53),
    ends: tuple[str, str] = (CLIENT, SERVER),
) -> bytes:
    datagram = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    total = checksum(pseudo(len(datagram), 17, *ends) + datagram) or 0xFFFF
    return datagram[:6] + struct.pack(">H", total) + datagram[8:]


def icmp(kind: int, code: int, payload: bytes = b"", rest: int = 0) -> bytes:
    message = struct.pack(">BBHI", kind, code, 0, rest) + payload
    return message[:2] + struct.pack(">H", checksum(message)) + message[4:]


def arp(operation: int = 1) -> bytes:
    return (
        struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
        + CLIENT_MAC
        + ip_address(CLIENT).packed
        + bytes(6)
        + ip_address(SERVER).packed
    )


# ------------------------------------------------------------------------------ files


def pcap(
    frames: Iterable[bytes],
    *,
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    link_type: int = 1,
    fraction: int = 5,
    cut: int | None = None,
) -> bytes:
    """A pcap file; frame i is of second i. ``cut`` is the snap length."""
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, cut or 262144, link_type)]
    for second, frame in enumerate(frames):
        kept = frame[:cut]
        parts.append(struct.pack(order + "IIII", second, fraction, len(kept), len(frame)) + kept)
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<", version: int = 1) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, version, 0, -1), order)


def interface(
    order: str = "<", link_type: int = 1, snap_length: int = 0, options: bytes = b""
) -> bytes:
    return block(1, struct.pack(order + "HHI", link_type, 0, snap_length) + options, order)


def packet(
    frame: bytes, ticks: int = 0, number: int = 0, order: str = "<", options: bytes = b""
) -> bytes:
    head = struct.pack(
        order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)
    )
    return block(6, head + frame + bytes(-len(frame) % 4) + options, order)
