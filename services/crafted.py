"""TCP segments made by hand: what a program sends when no socket of its kernel would send it.

    with crafted.RawTcp() as raw:
        raw.send(Segment("198.51.100.7", server, 40000, 12345, flags=SYN))
        answer = raw.receive(0.5)

A raw socket with IP_HDRINCL sends whatever header it is given (raw(7)); it needs CAP_NET_RAW. It
also gets a copy of each segment that reaches this host, beside the kernel, which treats it as ever.

Whatever claims to come from elsewhere must not leave the lab: `RawTcp.send` refuses a destination
outside the networks of this host's own interfaces.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import NamedTuple

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
IP_HEADER = struct.Struct("!BBHHHBBH4s4s")
TCP_HEADER = struct.Struct("!HHIIBBHHH")
SIOCGIFADDR, SIOCGIFNETMASK = 0x8915, 0x891B
OUTSIDE = (
    "{destination} is outside the networks of this host ({networks}): "
    "crafted segments stay in the lab",
    "{destination} 不在本机所在的网络（{networks}）之内：手工构造的报文段只能发往实验室内部",
)


class Segment(NamedTuple):
    """A TCP segment in an IPv4 packet, without IP options (RFC 9293 section 3.1).

    Numbers are absolute and wrap at 2^32; ``options`` are octets, a multiple of four.
    """

    source: str
    destination: str
    source_port: int
    destination_port: int
    flags: int = 0
    sequence: int = 0
    acknowledgment: int = 0
    window: int = 64240
    options: bytes = b""
    payload: bytes = b""


class OutsideTheLab(ValueError):
    """A crafted segment was to be sent to an address that is not in the lab."""


class RawTcp:
    """Sends crafted segments, and hears those that reach this host.

    Raises PermissionError without CAP_NET_RAW.
    """

    def __init__(self) -> None:
        self.networks = tuple(own_networks())
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)

    def __enter__(self) -> RawTcp:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, segment: Segment) -> None:
        """Send it as it is; raises OutsideTheLab, and then nothing was sent."""
        refuse_outside(segment.destination, self.networks)
        self.socket.sendto(packet(segment), (segment.destination, 0))

    def receive(self, seconds: float) -> Segment | None:
        """The next segment that reached this host, whomever it is for; None if none comes in time."""
        self.socket.settimeout(seconds)
        with suppress(TimeoutError):
            return parse(self.socket.recv(65535))
        return None


def refuse_outside(destination: str, networks: Iterable[IPv4Network]) -> None:
    """Raise OutsideTheLab unless the destination is in one of these networks."""
    networks = tuple(networks)
    if not any(IPv4Address(destination) in network for network in networks):
        words = OUTSIDE[os.environ.get("LAB_LANG", "").startswith("zh")]
        known = ", ".join(map(str, networks))
        raise OutsideTheLab(words.format(destination=destination, networks=known))


def own_networks() -> Iterator[IPv4Network]:
    """The network of each interface's first address, that of the loopback included (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # it has no IPv4 address
                address, mask = (
                    fcntl.ioctl(handle, question, struct.pack("16s16x", name.encode()))[20:24]
                    for question in (SIOCGIFADDR, SIOCGIFNETMASK)
                )
                yield IPv4Interface(f"{IPv4Address(address)}/{IPv4Address(mask)}").network


def packet(segment: Segment) -> bytes:
    """The segment in its IPv4 packet, checksums included (of IP the kernel fills in its own)."""
    source, destination = map(socket.inet_aton, (segment.source, segment.destination))
    header_length = TCP_HEADER.size + len(segment.options)
    header = TCP_HEADER.pack(
        segment.source_port,
        segment.destination_port,
        segment.sequence % 2**32,
        segment.acknowledgment % 2**32,
        header_length // 4 << 4,
        segment.flags,
        segment.window,
        0,
        0,
    )
    octets = header + segment.options + segment.payload
    pseudo = struct.pack("!4s4sHH", source, destination, socket.IPPROTO_TCP, len(octets))
    octets = octets[:16] + struct.pack("!H", checksum(pseudo + octets)) + octets[18:]
    length = IP_HEADER.size + len(octets)
    ip = IP_HEADER.pack(0x45, 0, length, 0, 0, 64, socket.IPPROTO_TCP, 0, source, destination)
    return ip + octets


def checksum(octets: bytes) -> int:
    """The Internet checksum: the one's complement of the one's complement sum (RFC 1071)."""
    octets += bytes(len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def parse(octets: bytes) -> Segment:
    """Read an IPv4 packet that holds a whole TCP segment. Raises struct.error if it is cut short."""
    *_, source, destination = IP_HEADER.unpack_from(octets)
    tcp = octets[(octets[0] & 0x0F) * 4 :]
    fields = TCP_HEADER.unpack_from(tcp)
    end = (fields[4] >> 4) * 4
    return Segment(
        source=socket.inet_ntoa(source),
        destination=socket.inet_ntoa(destination),
        source_port=fields[0],
        destination_port=fields[1],
        flags=fields[5],
        sequence=fields[2],
        acknowledgment=fields[3],
        window=fields[6],
        options=tcp[TCP_HEADER.size : end],
        payload=tcp[end:],
    )
