"""The headers of fixed fields: how wide each field is, and how it is written.

Layouts are those of IEEE 802.3, RFC 826 (ARP), RFC 791 and RFC 8200 (IP), RFC 9293 (TCP), RFC 768
(UDP), RFC 792 and RFC 4443 (ICMP), RFC 8446 section 5.1 (TLS records). Names are the RFCs' own, in
every language.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from itertools import accumulate

from msgspec import Struct

Write = Callable[[int], str]
"""How the number in a field is written."""


class Layout(Struct, frozen=True, array_like=True, cache_hash=True):
    """A header's name, and of each field its name, first bit and width, from the header's beginning.

    Frames of a kind share it, and it keeps its hash: a long run looks it up for every header.
    """

    name: str
    fields: tuple[tuple[str, int, int], ...]


class Form(Struct, frozen=True):
    """How a header of fixed fields is read."""

    layout: Layout
    size: int  # octets
    reads: tuple[tuple[int, int, Write], ...]  # of each field: shift, mask, how it is written


def form(name: str, *fields: tuple[str, int, Write]) -> Form:
    """A header's form; of each field in order its name, its width in bits, how it is written."""
    ends = list(accumulate(width for _, width, _ in fields))
    plan = tuple((n, end - width, width) for (n, width, _), end in zip(fields, ends, strict=True))
    reads = tuple(
        (ends[-1] - end, (1 << width) - 1, write)
        for (_, width, write), end in zip(fields, ends, strict=True)
    )
    return Form(Layout(name, plan), ends[-1] // 8, reads)


decimal: Write = str


def hexadecimal(number: int) -> str:
    """Of 16 bits."""
    return f"0x{number:04x}"


def long_hexadecimal(number: int) -> str:
    """Of 32 bits."""
    return f"0x{number:08x}"


@lru_cache(256)
def mac(number: int) -> str:
    return number.to_bytes(6, "big").hex(":")


@lru_cache(256)
def address(number: int) -> str:
    return str(IPv4Address(number))


@lru_cache(256)
def long_address(number: int) -> str:
    return str(IPv6Address(number))


def named(names: dict[int, str], write: Write = decimal) -> Write:
    """The number, and what it stands for if that is known."""
    written = {number: f"{write(number)} ({name})" for number, name in names.items()}
    return lambda number: written.get(number) or write(number)


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
ECN = {0: "Not-ECT", 1: "ECT(1)", 2: "ECT(0)", 3: "CE"}

LINK = form(
    "Ethernet",
    ("Destination", 48, mac),
    ("Source", 48, mac),
    ("EtherType", 16, named(ETHER_TYPES, hexadecimal)),
)
TAG = form(
    "VLAN tag",
    ("Priority", 3, decimal),
    ("Drop Eligible", 1, decimal),
    ("VLAN", 12, decimal),
    ("EtherType", 16, named(ETHER_TYPES, hexadecimal)),
)
ARP = form(
    "ARP",
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
IPV4 = form(
    "IPv4",
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
IPV6 = form(
    "IPv6",
    ("Version", 4, decimal),
    ("Traffic Class", 8, decimal),
    ("Flow Label", 20, decimal),
    ("Payload Length", 16, decimal),
    ("Next Header", 8, named(PROTOCOLS)),
    ("Hop Limit", 8, decimal),
    ("Source Address", 128, long_address),
    ("Destination Address", 128, long_address),
)
EXTENSION = form("", ("Next Header", 8, named(PROTOCOLS)), ("Header Length", 8, decimal))
FRAGMENT = form(
    "Fragment",
    ("Next Header", 8, named(PROTOCOLS)),
    ("Reserved", 8, decimal),
    ("Fragment Offset", 13, decimal),
    ("Reserved", 2, decimal),
    ("M", 1, decimal),
    ("Identification", 32, decimal),
)
TCP = form(
    "TCP",
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
UDP = form(
    "UDP",
    ("Source Port", 16, decimal),
    ("Destination Port", 16, decimal),
    ("Length", 16, decimal),
    ("Checksum", 16, hexadecimal),
)
ICMP = form(
    "",
    ("Type", 8, decimal),
    ("Code", 8, decimal),
    ("Checksum", 16, hexadecimal),
    ("Rest of Header", 32, long_hexadecimal),
)
RECORD = form(
    "TLS record",
    ("Content Type", 8, named(RECORDS)),
    ("Legacy Version", 16, hexadecimal),
    ("Length", 16, decimal),
)
