"""One frame read at a glance: what a rule may ask of it, in a few microseconds and without numpy.

`lab.packets` decodes captures, all frames at once; the wire has one frame at a time and starts in a
moment, so it reads the headers itself (RFC 791, 8200, 9293, 768, 792, 4443, 826).
"""

from __future__ import annotations

from struct import Struct as Layout
from typing import Final

from msgspec import Struct

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = (1 << bit for bit in range(9))
"""TCP control bits; `lab.packets.frames.Flags` has the same, for whoever has numpy loaded."""

TCP, UDP, ICMP, ICMPV6, ARP, OTHER = "tcp", "udp", "icmp", "icmpv6", "arp", ""

_IPV4, _IPV6, _ARP = 0x0800, 0x86DD, 0x0806
_TAGS = frozenset({0x8100, 0x88A8})
_NUMBERS: Final = {6: TCP, 17: UDP, 1: ICMP, 58: ICMPV6}
_EXTENSIONS: Final = frozenset({0, 43, 44, 51, 60, 135, 139, 140})
_FRAGMENT, _AUTHENTICATION = 44, 51

_ipv4 = Layout("!B x H xx H x B xx 4s 4s").unpack_from
_ipv6 = Layout("!xxxx H B x 16s 16s").unpack_from
_extension = Layout("!B B H").unpack_from
_tcp = Layout("!H H I I H").unpack_from
_pair = Layout("!H H").unpack_from
_short = Layout("!H").unpack_from


class Sight(Struct):
    """What is known of one frame; what it does not have is 0, "" or empty."""

    sender: str  # the host whose port it came from
    version: int = 0  # of IP: 4, 6
    protocol: str = OTHER
    source: bytes = b""  # addresses: 4 or 16 octets
    destination: bytes = b""
    fragment: int | None = None  # its offset in octets; None: a whole packet
    source_port: int = 0
    destination_port: int = 0
    flags: int = 0
    sequence: int = 0
    acknowledgment: int = 0
    type: int = -1  # ICMP; of ARP: the operation
    code: int = -1
    header: int = 0  # where the header of TCP, UDP or ICMP begins: an offset into the frame
    begin: int = 0  # the payload of TCP, UDP or ICMP: offsets into the frame
    end: int = 0
    connection: int = 0  # numbered from 1 by `lab.wire.flows`; 0: of none
    repeated: bool = False  # a TCP segment all of which was sent before
    keep_alive: bool = False

    @property
    def payload(self) -> int:
        """Octets that TCP, UDP or ICMP carries."""
        return self.end - self.begin


def look(octets: bytes, sender: str) -> Sight:
    """Read an Ethernet frame; headers that are cut off or contradict themselves end the reading."""
    sight = Sight(sender)
    size = len(octets)
    if size < 14:
        return sight
    at, kind = 14, _short(octets, 12)[0]
    while kind in _TAGS and size >= at + 4:
        kind, at = _short(octets, at + 2)[0], at + 4
    if kind == _IPV4:
        _look_ipv4(sight, octets, at)
    elif kind == _IPV6:
        _look_ipv6(sight, octets, at)
    elif kind == _ARP:
        sight.protocol = ARP
        if size >= at + 8:
            sight.type = _short(octets, at + 6)[0]
    return sight


def _look_ipv4(sight: Sight, octets: bytes, at: int) -> None:
    if len(octets) < at + 20:
        return
    first, length, fragment, number, source, destination = _ipv4(octets, at)
    header = (first & 15) * 4
    end = at + length
    if first >> 4 != 4 or header < 20 or length < header or end > len(octets):
        return
    sight.version, sight.source, sight.destination = 4, source, destination
    if fragment & 0x3FFF:  # more fragments, or an offset
        sight.fragment = (fragment & 0x1FFF) * 8
    _look_transport(sight, octets, number, at + header, end)


def _look_ipv6(sight: Sight, octets: bytes, at: int) -> None:
    if len(octets) < at + 40:
        return
    length, number, source, destination = _ipv6(octets, at)
    end = at + 40 + length
    if octets[at] >> 4 != 6 or end > len(octets):
        return
    sight.version, sight.source, sight.destination = 6, source, destination
    at += 40
    while number in _EXTENSIONS and at + 8 <= end:
        following, units, fragment = _extension(octets, at)
        if number == _FRAGMENT:
            sight.fragment, units = fragment & 0xFFF8, 0
        at += 4 * units + 8 if number == _AUTHENTICATION else 8 * units + 8
        number = following
    _look_transport(sight, octets, number, at, end)


def _look_transport(sight: Sight, octets: bytes, number: int, at: int, end: int) -> None:
    protocol, header = _NUMBERS.get(number, OTHER), at
    if sight.fragment:
        return  # no header: only the first fragment says what it is
    if protocol is TCP and at + 20 <= end:
        source, destination, sequence, acknowledgment, word = _tcp(octets, at)
        at += word >> 12 << 2
        if at > end:
            return
        sight.source_port, sight.destination_port, sight.flags = source, destination, word & 0x1FF
        sight.sequence, sight.acknowledgment = sequence, acknowledgment
    elif protocol is UDP and at + 8 <= end:
        sight.source_port, sight.destination_port = _pair(octets, at)
        at += 8
    elif protocol in {ICMP, ICMPV6} and at + 8 <= end:
        sight.type, sight.code = octets[at], octets[at + 1]
        at += 8
    else:
        return
    sight.protocol, sight.header, sight.begin, sight.end = protocol, header, at, end
