"""The headers of one frame, field by field, with the bits that each takes.

What follows a header's fixed fields is read here: options of IP, those of TCP (RFC 9293, RFC 7323).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

from msgspec import Struct

from lab.packets.link import COOKED, ETHERNET, RAW
from lab.page.forms import (
    ARP,
    EXTENSION,
    FRAGMENT,
    ICMP,
    IPV4,
    IPV6,
    LINK,
    RECORD,
    RECORDS,
    TAG,
    TCP,
    UDP,
    Form,
    Layout,
)
from lab.report.icmp import message_name

Fields = tuple[tuple[str, int], ...]
"""Fields in order: name, width in bits."""

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


class Layer(Struct, frozen=True, gc=False):
    """One header: where it lies, and what its fields say; ``end``: the octet after it."""

    layout: Layout
    begin: int
    end: int
    values: tuple[str, ...]  # printable, one a field

    @property
    def name(self) -> str:
        """What the header is called."""
        return self.layout.name

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its fields, with their places in the frame."""
        return tuple(
            Field(name, self.begin * 8 + bit, width, value)
            for (name, bit, width), value in zip(self.layout.fields, self.values, strict=True)
        )


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
    elif link_type == ETHERNET and (first := _ethernet(octets[:14])):
        yield first
        at, kind = first.end, int.from_bytes(octets[12:14], "big")
        while kind in (0x8100, 0x88A8) and (tag := _layer(octets, at, TAG)):
            yield tag
            at, kind = tag.end, int.from_bytes(octets[at + 2 : at + 4], "big")
        yield from _network(octets, at, kind)


@lru_cache(256)
def _ethernet(octets: bytes) -> Layer | None:
    """The header that all frames from one port to another have in common."""
    return _layer(octets, 0, LINK)


def _network(octets: bytes, at: int, kind: int) -> Iterator[Layer]:
    if kind == 0x0806 and (arp := _layer(octets, at, ARP)):
        yield arp
    elif kind == 0x0800 and (ip := _layer(octets, at, IPV4)):
        size = (octets[at] & 15) * 4
        yield _extended(ip, "Options", octets, at + size)
        fragment = int.from_bytes(octets[at + 6 : at + 8], "big") & 0x1FFF
        whole = octets[: at + int.from_bytes(octets[at + 2 : at + 4], "big")]
        if not fragment:
            yield from _transport(whole, at + size, octets[at + 9], 4)
    elif kind == 0x86DD and (ip := _layer(octets, at, IPV6)):
        yield ip
        whole = octets[: ip.end + int.from_bytes(octets[at + 4 : at + 6], "big")]
        yield from _after_ipv6(whole, ip.end, octets[at + 6])


def _after_ipv6(octets: bytes, at: int, following: int) -> Iterator[Layer]:
    while following in EXTENSIONS and (head := _layer(octets, at, EXTENSION)):
        end = at + 8 + 8 * octets[at + 1]
        yield _extended(_called(EXTENSIONS[following], head), "Options", octets, end)
        at, following = end, octets[at]
    if following == 44 and (head := _layer(octets, at, FRAGMENT)):
        yield head
        if int.from_bytes(octets[at + 2 : at + 4], "big") & 0xFFF8:
            return
        at, following = head.end, octets[at]
    yield from _transport(octets, at, following, 6)


def _transport(octets: bytes, at: int, protocol: int, version: int) -> Iterator[Layer]:
    if protocol == 6 and (tcp := _layer(octets, at, TCP)):
        end = min(at + (octets[at + 12] >> 4) * 4, len(octets))
        yield _with(tcp, *_options(octets[tcp.end : end]), max(end, tcp.end))
        yield from _records(octets, max(end, tcp.end))
    elif protocol == 17 and (udp := _layer(octets, at, UDP)):
        yield udp
    elif protocol in (1, 58) and (icmp := _layer(octets, at, ICMP)):
        name = message_name(version, octets[at], octets[at + 1])
        yield _called(name, icmp)


@lru_cache(256)
def _options(octets: bytes) -> tuple[Fields, tuple[str, ...]]:
    """TCP's options and their values; one whose length cannot be ends them.

    Segments that leave within a millisecond have the same.
    """
    told = list(_each(octets))
    return tuple((name, width) for name, width, _ in told), tuple(value for *_, value in told)


def _each(octets: bytes) -> Iterator[tuple[str, int, str]]:
    at = 0
    while at < len(octets):
        kind = octets[at]
        size = 1 if kind < 2 else octets[at + 1] if at + 1 < len(octets) else 0
        if size < 1 or at + size > len(octets) or (kind > 1 and size < 2):
            yield "Malformed Option", (len(octets) - at) * 8, octets[at:].hex(" ")
            return
        name = OPTIONS.get(kind, f"Option {kind}")
        yield name, size * 8, _option(kind, octets[at + 2 : at + size])
        at += size


def _option(kind: int, value: bytes) -> str:
    """What an option says; of a known kind and the wrong length, its octets."""
    words = [str(int.from_bytes(value[i : i + 4], "big")) for i in range(0, len(value), 4)]
    match kind, len(value):
        case (2, 2):
            return str(int.from_bytes(value, "big"))
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
        if octets[at + 2] > 4 or (record := _layer(octets, at, RECORD)) is None:
            return
        yield record
        at = record.end + int.from_bytes(octets[at + 3 : at + 5], "big")


def _layer(octets: bytes, at: int, kind: Form) -> Layer | None:
    """Read a header of fixed fields; None if it was cut off."""
    end = at + kind.size
    if at < 0 or end > len(octets):
        return None
    number = int.from_bytes(octets[at:end], "big")
    values = tuple([write(number >> shift & mask) for shift, mask, write in kind.reads])
    return Layer(kind.layout, at, end, values)


def _called(name: str, layer: Layer) -> Layer:
    """A header whose name depends on what is in it."""
    return Layer(Layout(name, layer.layout.fields), layer.begin, layer.end, layer.values)


def _extended(layer: Layer, name: str, octets: bytes, end: int) -> Layer:
    """The header with what follows its fixed part as one more field."""
    end = min(end, len(octets))
    if end <= layer.end:
        return layer
    rest = octets[layer.end : end]
    return _with(layer, ((name, len(rest) * 8),), (rest.hex(" "),), end)


def _with(layer: Layer, more: Fields, values: tuple[str, ...], end: int) -> Layer:
    """The header with more fields after those that it has."""
    return Layer(_longer(layer.layout, more), layer.begin, end, layer.values + values)


@lru_cache(256)
def _longer(layout: Layout, more: Fields) -> Layout:
    """A layout with more fields."""
    _, bit, width = layout.fields[-1]
    ends = accumulate((width for _, width in more), initial=bit + width)
    places = ((name, begin, width) for (name, width), begin in zip(more, ends, strict=False))
    return Layout(layout.name, (*layout.fields, *places))
