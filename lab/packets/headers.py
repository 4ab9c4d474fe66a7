"""Headers of one frame as values: IP, ICMP with what it quotes, ARP, link addresses."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

from msgspec import Struct

from lab.packets.addresses import Endpoint
from lab.packets.frames import Protocol
from lab.packets.link import COOKED, COOKED_2, ETHERNET
from lab.packets.network import AUTHENTICATION, EXTENSIONS, FRAGMENT_HEADER
from lab.packets.shims import IPV4

_NAMES = {
    1: Protocol.ICMP,
    6: Protocol.TCP,
    17: Protocol.UDP,
    58: Protocol.ICMPV6,
}
_ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})  # RFC 792: they quote the packet that caused them
_ICMPV6_ERRORS = range(1, 5)  # RFC 4443 section 2.1


class Ip(Struct, frozen=True):
    """An IP header; of IPv6, the fragment fields come from the fragment header if there is one."""

    version: int
    source: str
    destination: str
    ttl: int  # IPv6: hop limit
    protocol: int  # IANA protocol number of what it carries, extension headers stepped over
    size: int  # octets of header, extension headers included
    length: int  # octets of packet, by its length field
    traffic_class: int  # DSCP and ECN (RFC 2474, RFC 3168)
    identification: int
    dont_fragment: bool
    more_fragments: bool
    fragment_offset: int  # octets


class Quoted(Struct, frozen=True):
    """What an ICMP error says of the packet that caused it; ports are 0 if they were not quoted."""

    protocol: Protocol
    source: Endpoint
    destination: Endpoint


class Icmp(Struct, frozen=True):
    """An ICMP or ICMPv6 message."""

    type: int
    code: int
    checksum: int
    rest: int  # the second word: identifier and sequence of an echo, next-hop MTU, …
    quoted: Quoted | None  # None: not an error message, or too little of the packet is there


class Arp(Struct, frozen=True):
    """An ARP message for IPv4 over Ethernet (RFC 826)."""

    operation: int  # 1 request, 2 reply
    sender: str  # IPv4 address
    sender_link: str
    target: str
    target_link: str


def parse_ip(octets: bytes) -> Ip | None:
    """Read an IP header; None where too little is there or it is neither version."""
    version = octets[0] >> 4 if octets else 0
    if version == 4 and len(octets) >= 20:
        return _ipv4(octets)
    if version == 6 and len(octets) >= 40:
        return _ipv6(octets)
    return None


def _ipv4(octets: bytes) -> Ip:
    service, total, identification, fragment, ttl, protocol = struct.unpack_from(">xBHHHBB", octets)
    return Ip(
        version=4,
        source=str(IPv4Address(octets[12:16])),
        destination=str(IPv4Address(octets[16:20])),
        ttl=ttl,
        protocol=protocol,
        size=(octets[0] & 0x0F) * 4,
        length=total,
        traffic_class=service,
        identification=identification,
        dont_fragment=bool(fragment & 0x4000),
        more_fragments=bool(fragment & 0x2000),
        fragment_offset=(fragment & 0x1FFF) * 8,
    )


def _ipv6(octets: bytes) -> Ip:
    first, length, following, hop_limit = struct.unpack_from(">IHBB", octets)
    at, fragment, identification = 40, 0, 0
    while following in EXTENSIONS and at + 8 <= len(octets) and not fragment & 0xFFF8:
        kind, following, units = following, octets[at], octets[at + 1]
        if kind == FRAGMENT_HEADER:
            fragment, identification = struct.unpack_from(">xxHI", octets, at)
            units = 0
        at += 4 * units + 8 if kind == AUTHENTICATION else 8 * units + 8
    return Ip(
        version=6,
        source=str(IPv6Address(octets[8:24])),
        destination=str(IPv6Address(octets[24:40])),
        ttl=hop_limit,
        protocol=following,
        size=at,
        length=40 + length,
        traffic_class=first >> 20 & 0xFF,
        identification=identification,
        dont_fragment=True,  # routers never fragment IPv6 (RFC 8200 section 5)
        more_fragments=bool(fragment & 1),
        fragment_offset=fragment & 0xFFF8,
    )


def parse_icmp(protocol: Protocol, octets: bytes) -> Icmp | None:
    """Read an ICMP message, with the endpoints of the packet it quotes."""
    if protocol not in {Protocol.ICMP, Protocol.ICMPV6} or len(octets) < 8:
        return None
    kind, code, checksum, rest = struct.unpack_from(">BBHI", octets)
    errors = _ICMP_ERRORS if protocol is Protocol.ICMP else _ICMPV6_ERRORS
    return Icmp(kind, code, checksum, rest, parse_quoted(octets[8:]) if kind in errors else None)


def parse_quoted(octets: bytes) -> Quoted | None:
    """Read the beginning of a packet inside an ICMP error: at least its IP header and 4 octets."""
    if (ip := parse_ip(octets)) is None:
        return None
    protocol = Protocol.FRAGMENT if ip.fragment_offset else _NAMES.get(ip.protocol, Protocol.OTHER)
    ports = (0, 0)
    if protocol in {Protocol.TCP, Protocol.UDP} and len(octets) >= ip.size + 4:
        ports = struct.unpack_from(">HH", octets, ip.size)
    return Quoted(protocol, Endpoint(ip.source, ports[0]), Endpoint(ip.destination, ports[1]))


def parse_arp(octets: bytes) -> Arp | None:
    """Read an ARP message; None unless it maps IPv4 to 48-bit addresses and is all there."""
    if len(octets) < 28 or struct.unpack_from(">xxHBB", octets) != (IPV4, 6, 4):
        return None
    operation, sender_link, sender, target_link, target = struct.unpack_from(
        ">H6s4s6s4s", octets, 6
    )
    return Arp(
        operation=operation,
        sender=str(IPv4Address(sender)),
        sender_link=sender_link.hex(":"),
        target=str(IPv4Address(target)),
        target_link=target_link.hex(":"),
    )


def link_addresses(link_type: int, octets: bytes) -> tuple[str, str]:
    """Return (source, destination) of the link header, "" where it has none."""
    if link_type == ETHERNET and len(octets) >= 14:
        return octets[6:12].hex(":"), octets[:6].hex(":")
    if link_type == COOKED and len(octets) >= 16:
        return octets[6 : 6 + min(8, int.from_bytes(octets[4:6], "big"))].hex(":"), ""
    if link_type == COOKED_2 and len(octets) >= 20:
        return octets[12 : 12 + min(8, octets[11])].hex(":"), ""
    return "", ""
