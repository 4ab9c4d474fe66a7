"""The headers of one frame, field by field, with the bits that each takes.

Layouts are those of IEEE 802.3, RFC 826 (ARP), RFC 791 and RFC 8200 (IP), RFC 9293 and RFC 7323
(TCP), RFC 768 (UDP), RFC 792 and RFC 4443 (ICMP), RFC 8446 section 5.1 (TLS records). Names are the
RFCs' own, in every language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address

from msgspec import Struct

from lab.packets.link import COOKED, ETHERNET, RAW
from lab.report.icmp import message_name

Write = Callable[[bytes], str]
"""How a field is written that is whole octets."""

COOKED_HEADER = 16


class Field(Struct, frozen=True):
    """One field. Bits count from the first of the frame, which is 0."""

    name: str
    bit: int
    width: int  # bits
    value: str

    @property
    def octets(self) -> tuple[int, int]:
        """The octets that hold it: [begin, end)."""
        return self.bit // 8, (self.bit + self.width + 7) // 8


class Layer(Struct, frozen=True):
    """One header with its fields; ``end``: the octet after it."""

    name: str
    begin: int
    end: int
    fields: tuple[Field, ...]


def decimal(octets: bytes) -> str:
    return str(int.from_bytes(octets, "big"))


def hexadecimal(octets: bytes) -> str:
    return f"0x{octets.hex()}"


def mac(octets: bytes) -> str:
    return octets.hex(":")


def address(octets: bytes) -> str:
    return str(IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets))


def named(names: dict[int, str], write: Write = decimal) -> Write:
    """The number, and what it stands for if that is known."""

    def written(octets: bytes) -> str:
        name = names.get(int.from_bytes(octets, "big"))
        return f"{write(octets)} ({name})" if name else write(octets)

    return written


ETHER_TYPES = {0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6", 0x8100: "802.1Q", 0x88A8: "802.1ad"}
PROTOCOLS = {
    0: "hop-by-hop",
    1: "ICMP",
    2: "IGMP",
    6: "TCP",
    17: "UDP",
    44: "fragment",
    58: "ICMPv6",
}
OPERATIONS = {1: "request", 2: "reply"}
RECORDS = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data"}
OPTIONS = {
    0: "End of Option List",
    1: "No-Operation",
    2: "Maximum Segment Size",
    3: "Window Scale",
    4: "SACK Permitted",
    5: "SACK",
    8: "Timestamps",
    30: "Multipath TCP",
    34: "Fast Open",
}
ECN = {0: "Not-ECT", 1: "ECT(1)", 2: "ECT(0)", 3: "CE"}

Plan = Sequence[tuple[str, int, Write]]
"""Fields in order: name, width in bits, how they are written."""

LINK: Plan = (
    ("Destination", 48, mac),
    ("Source", 48, mac),
    ("EtherType", 16, named(ETHER_TYPES, hexadecimal)),
)
TAG: Plan = (
    ("Priority", 3, decimal),
    ("Drop Eligible", 1, decimal),
    ("VLAN", 12, decimal),
    ("EtherType", 16, named(ETHER_TYPES, hexadecimal)),
)
ARP: Plan = (
    ("Hardware Type", 16, decimal),
    ("Protocol Type", 16, named(ETHER_TYPES, hexadecimal)),
    ("Hardware Length", 8, decimal),
    ("Protocol Length", 8, decimal),
    ("Operation", 16, named(OPERATIONS)),
    ("Sender Hardware Address", 48, mac),
    ("Sender Protocol Address", 32, address),
    ("Target Hardware Address", 48, mac),
    ("Target Protocol Address", 32, address),
)
IPV4: Plan = (
    ("Version", 4, decimal),
    ("IHL", 4, decimal),
    ("DSCP", 6, decimal),
    ("ECN", 2, named(ECN)),
    ("Total Length", 16, decimal),
    ("Identification", 16, decimal),
    ("Reserved", 1, decimal),
    ("DF", 1, decimal),
    ("MF", 1, decimal),
    ("Fragment Offset", 13, decimal),
    ("Time to Live", 8, decimal),
    ("Protocol", 8, named(PROTOCOLS)),
    ("Header Checksum", 16, hexadecimal),
    ("Source Address", 32, address),
    ("Destination Address", 32, address),
)
IPV6: Plan = (
    ("Version", 4, decimal),
    ("Traffic Class", 8, decimal),
    ("Flow Label", 20, decimal),
    ("Payload Length", 16, decimal),
    ("Next Header", 8, named(PROTOCOLS)),
    ("Hop Limit", 8, decimal),
    ("Source Address", 128, address),
    ("Destination Address", 128, address),
)
EXTENSION: Plan = (("Next Header", 8, named(PROTOCOLS)), ("Header Length", 8, decimal))
FRAGMENT: Plan = (
    ("Next Header", 8, named(PROTOCOLS)),
    ("Reserved", 8, decimal),
    ("Fragment Offset", 13, decimal),
    ("Reserved", 2, decimal),
    ("M", 1, decimal),
    ("Identification", 32, decimal),
)
TCP: Plan = (
    ("Source Port", 16, decimal),
    ("Destination Port", 16, decimal),
    ("Sequence Number", 32, decimal),
    ("Acknowledgment Number", 32, decimal),
    ("Data Offset", 4, decimal),
    ("Reserved", 3, decimal),
    *((bit, 1, decimal) for bit in ("AE", "CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN")),
    ("Window", 16, decimal),
    ("Checksum", 16, hexadecimal),
    ("Urgent Pointer", 16, decimal),
)
UDP: Plan = (
    ("Source Port", 16, decimal),
    ("Destination Port", 16, decimal),
    ("Length", 16, decimal),
    ("Checksum", 16, hexadecimal),
)
ICMP: Plan = (
    ("Type", 8, decimal),
    ("Code", 8, decimal),
    ("Checksum", 16, hexadecimal),
    ("Rest of Header", 32, hexadecimal),
)
RECORD: Plan = (
    ("Content Type", 8, named(RECORDS)),
    ("Legacy Version", 16, hexadecimal),
    ("Length", 16, decimal),
)
EXTENSIONS = {0: "Hop-by-Hop Options", 43: "Routing", 60: "Destination Options"}


def layers(octets: bytes, link_type: int = ETHERNET) -> tuple[Layer, ...]:
    """All headers of a frame, outermost first, as far as they were captured."""
    return tuple(_link(octets, link_type))


def _link(octets: bytes, link_type: int) -> Iterator[Layer]:
    if link_type in RAW:
        version = octets[0] >> 4 if octets else 0
        yield from _network(octets, 0, {4: 0x0800, 6: 0x86DD}.get(version, 0))
    elif link_type == COOKED and len(octets) >= COOKED_HEADER:
        yield from _network(octets, COOKED_HEADER, int.from_bytes(octets[14:16], "big"))
    elif link_type == ETHERNET and (first := _layer("Ethernet", octets, 0, LINK)):
        yield first
        at, kind = first.end, int.from_bytes(octets[12:14], "big")
        while kind in (0x8100, 0x88A8) and (tag := _layer("VLAN tag", octets, at, TAG)):
            yield tag
            at, kind = tag.end, int.from_bytes(octets[at + 2 : at + 4], "big")
        yield from _network(octets, at, kind)


def _network(octets: bytes, at: int, kind: int) -> Iterator[Layer]:
    if kind == 0x0806 and (arp := _layer("ARP", octets, at, ARP)):
        yield arp
    elif kind == 0x0800 and (ip := _layer("IPv4", octets, at, IPV4)):
        size = (octets[at] & 15) * 4
        yield _extended(ip, "Options", octets, at + size)
        fragment = int.from_bytes(octets[at + 6 : at + 8], "big") & 0x1FFF
        whole = octets[: at + int.from_bytes(octets[at + 2 : at + 4], "big")]
        if not fragment:
            yield from _transport(whole, at + size, octets[at + 9], 4)
    elif kind == 0x86DD and (ip := _layer("IPv6", octets, at, IPV6)):
        yield ip
        whole = octets[: ip.end + int.from_bytes(octets[at + 4 : at + 6], "big")]
        yield from _after_ipv6(whole, ip.end, octets[at + 6])


def _after_ipv6(octets: bytes, at: int, following: int) -> Iterator[Layer]:
    while following in EXTENSIONS and (head := _layer("", octets, at, EXTENSION)):
        end = at + 8 + 8 * octets[at + 1]
        yield _extended(
            Layer(EXTENSIONS[following], at, head.end, head.fields), "Options", octets, end
        )
        at, following = end, octets[at]
    if following == 44 and (head := _layer("Fragment", octets, at, FRAGMENT)):
        yield head
        if int.from_bytes(octets[at + 2 : at + 4], "big") & 0xFFF8:
            return
        at, following = head.end, octets[at]
    yield from _transport(octets, at, following, 6)


def _transport(octets: bytes, at: int, protocol: int, version: int) -> Iterator[Layer]:
    if protocol == 6 and (tcp := _layer("TCP", octets, at, TCP)):
        end = min(at + (octets[at + 12] >> 4) * 4, len(octets))
        fields = *tcp.fields, *_options(octets, tcp.end, end)
        yield Layer("TCP", at, max(end, tcp.end), fields)
        yield from _records(octets, max(end, tcp.end))
    elif protocol == 17 and (udp := _layer("UDP", octets, at, UDP)):
        yield udp
    elif protocol in (1, 58) and (icmp := _layer("ICMP", octets, at, ICMP)):
        name = message_name(version, octets[at], octets[at + 1])
        yield Layer(name, at, icmp.end, icmp.fields)


def _options(octets: bytes, at: int, end: int) -> Iterator[Field]:
    """TCP's options; one whose length cannot be ends them."""
    while at < end:
        kind = octets[at]
        size = 1 if kind < 2 else octets[at + 1] if at + 1 < end else 0
        if size < 1 or at + size > end or (kind > 1 and size < 2):
            yield Field("Malformed Option", at * 8, (end - at) * 8, octets[at:end].hex(" "))
            return
        name = OPTIONS.get(kind, f"Option {kind}")
        value = _option(kind, octets[at + 2 : at + size])
        yield Field(name, at * 8, size * 8, value)
        at += size


def _option(kind: int, value: bytes) -> str:
    """What an option says; of a known kind and the wrong length, its octets."""
    words = [str(int.from_bytes(value[i : i + 4], "big")) for i in range(0, len(value), 4)]
    match kind, len(value):
        case (2, 2):
            return decimal(value)
        case (3, 1):
            return f"{value[0]} (× {1 << min(value[0], 14)})"
        case (5, size) if size % 8 == 0:
            return ", ".join(f"{a}–{b}" for a, b in zip(words[::2], words[1::2], strict=True))
        case (8, 8):
            return f"TSval {words[0]}, TSecr {words[1]}"
    return value.hex(" ")


def _records(octets: bytes, at: int) -> Iterator[Layer]:
    """TLS records that begin where the payload does."""
    while at + 5 <= len(octets) and octets[at] in RECORDS and octets[at + 1] == 3:
        if octets[at + 2] > 4 or (record := _layer("TLS record", octets, at, RECORD)) is None:
            return
        yield record
        at = record.end + int.from_bytes(octets[at + 3 : at + 5], "big")


def _layer(name: str, octets: bytes, at: int, plan: Plan) -> Layer | None:
    """Read a header of fixed fields; None if it was cut off."""
    end = at + sum(width for _, width, _ in plan) // 8
    if at < 0 or end > len(octets):
        return None
    bit, fields = at * 8, []
    for field, width, write in plan:
        fields.append(Field(field, bit, width, write(_bits(octets, bit, width))))
        bit += width
    return Layer(name, at, end, tuple(fields))


def _bits(octets: bytes, bit: int, width: int) -> bytes:
    """Some bits, as the octets of a number."""
    begin, end = bit // 8, (bit + width + 7) // 8
    if not bit % 8 and not width % 8:
        return octets[begin:end]
    number = int.from_bytes(octets[begin:end], "big") >> (end * 8 - bit - width)
    return (number & ((1 << width) - 1)).to_bytes((width + 7) // 8, "big")


def _extended(layer: Layer, name: str, octets: bytes, end: int) -> Layer:
    """The header with what follows its fixed part as one more field."""
    end = min(end, len(octets))
    if end <= layer.end:
        return layer
    rest = Field(name, layer.end * 8, (end - layer.end) * 8, octets[layer.end : end].hex(" "))
    return Layer(layer.name, layer.begin, end, (*layer.fields, rest))
