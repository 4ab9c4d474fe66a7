"""The network layer: ARP, IPv4 (RFC 791) and IPv6 (RFC 8200)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.packets.addresses import V4_MAPPED
from lab.packets.frames import ABSENT, Protocol
from lab.packets.layers import DEEPEST, Draft, Pieces, Rows
from lab.packets.shims import ARP, IPV4, IPV6, Linked

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
FRAGMENT_HEADER, AUTHENTICATION = 44, 51
HOLDING = (4, UDP, 41, 47, 97, 103, 137, 143)
"""What may hold another packet: its own header tells how long that is. See `lab.packets.tunnels`."""
LONGEST = 1 << 16
EXTENSIONS = (0, 43, FRAGMENT_HEADER, AUTHENTICATION, 60, 135, 139, 140)
"""Extension headers that can be stepped over (IANA, "IPv6 Extension Header Types"), but not ESP."""

IPV4_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("service", "u1"),
        ("length", ">u2"),
        ("identification", ">u2"),
        ("fragment", ">u2"),
        ("ttl", "u1"),
        ("protocol", "u1"),
        ("checksum", ">u2"),
        ("source", ">u4"),
        ("destination", ">u4"),
    ]
)
IPV6_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("flow", "V3"),
        ("length", ">u2"),
        ("next", "u1"),
        ("hop_limit", "u1"),
        ("source", ">u8", 2),
        ("destination", ">u8", 2),
    ]
)
_EXTENSION = np.dtype(
    [("next", "u1"), ("length", "u1"), ("fragment", ">u2"), ("identification", ">u4")]
)
_ARP = np.dtype([("hardware", ">u2"), ("protocol", ">u2"), ("sizes", "V2"), ("operation", ">u2")])


class Carried(NamedTuple):
    """Packets with what follows their IP header."""

    rows: Rows
    at: NDArray[np.int64]
    number: NDArray[np.uint8]  # protocol number

    def where(self, mask: NDArray[np.bool_]) -> Carried:
        """Keep the packets that the mask names."""
        return Carried(self.rows[mask], self.at[mask], self.number[mask])

    def joined(self, *others: Carried) -> Carried:
        """These packets and others."""
        return Carried(*(np.concatenate(parts) for parts in zip(self, *others, strict=True)))


def network_layer(draft: Draft, linked: Linked) -> Carried:
    """Read the network headers of all frames that hold one; what they carry is not looked at."""
    arp = linked.kind == ARP
    if arp.any():
        _arp(draft, linked.rows[arp], linked.at[arp])
    return _packets(draft, linked)


def _packets(draft: Draft, linked: Linked) -> Carried:
    four, six = linked.kind == IPV4, linked.kind == IPV6
    if four.all():
        return _ipv4(draft, linked.rows, linked.at)
    return _ipv4(draft, linked.rows[four], linked.at[four]).joined(
        _ipv6(draft, linked.rows[six], linked.at[six])
    )


def _arp(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> None:
    fits = draft.fits(rows, at, _ARP.itemsize)
    rows, at = rows[fits], at[fits]
    draft.protocol[rows] = Protocol.ARP
    draft.network[rows] = at


def _ipv4(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Carried:
    fits = draft.fits(rows, at, IPV4_HEADER.itemsize)
    rows, at = rows[fits], at[fits]
    header = draft.headers(IPV4_HEADER, at)
    size = (header["version"] & 0x0F).astype(np.int64) * 4
    total = header["length"].astype(np.int64)
    wrong = (header["version"] >> 4 != 4) | (size < 20) | ((total < size) & (total != 0))
    if wrong.any():
        draft.malformed[rows[wrong]] = True
        rows, at, header, size, total = (
            column[~wrong] for column in (rows, at, header, size, total)
        )
    _limit(draft, rows, at, total)
    draft.ip_version[rows] = 4
    _name(draft, rows, at)
    draft.source[rows, 0] = draft.destination[rows, 0] = 0
    draft.source[rows, 1] = header["source"] | np.uint64(V4_MAPPED)
    draft.destination[rows, 1] = header["destination"] | np.uint64(V4_MAPPED)
    carried = Carried(rows, at + size, header["protocol"])
    fragment = header["fragment"] & np.uint16(0x3FFF)
    if fragment.any():
        offset = 8 * (fragment & np.uint16(0x1FFF)).astype(np.int64)
        more = fragment & np.uint16(0x2000) != 0
        sound = ~draft.malformed[rows]
        pieces = Pieces(*carried, offset, more, header["identification"], sound)
        carried = _beginnings(draft, pieces)
    return _extensions(draft, carried, (AUTHENTICATION,))


def _ipv6(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Carried:
    fits = draft.fits(rows, at, IPV6_HEADER.itemsize)
    rows, at = rows[fits], at[fits]
    header = draft.headers(IPV6_HEADER, at)
    wrong = header["version"] >> 4 != 6
    if wrong.any():
        draft.malformed[rows[wrong]] = True
        rows, at, header = rows[~wrong], at[~wrong], header[~wrong]
    length = header["length"].astype(np.int64)
    _limit(draft, rows, at, np.where(length, length + IPV6_HEADER.itemsize, 0))
    draft.ip_version[rows] = 6
    _name(draft, rows, at)
    draft.source[rows] = header["source"]
    draft.destination[rows] = header["destination"]
    return _extensions(draft, Carried(rows, at + IPV6_HEADER.itemsize, header["next"].copy()))


def _name(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> None:
    """Note a packet; if it came inside another, forget what was known of that one's inside."""
    draft.network[rows] = at
    draft.protocol[rows] = Protocol.OTHER
    draft.forget(rows[draft.transport[rows] != ABSENT])


def _limit(draft: Draft, rows: Rows, at: NDArray[np.int64], total: NDArray[np.int64]) -> None:
    """Let the packet end where its length field says: padding is left out.

    A length of 0 (segmentation offload, jumbograms) leaves the end where the frame ends; one
    that reaches beyond the frame contradicts it.
    """
    outer = draft.end[rows]
    end = np.where(total, at + total, outer)
    beyond = end > outer
    if beyond.any():
        draft.malformed[rows[beyond]] = True
        end = np.minimum(end, outer)
    draft.end[rows] = end


def _beginnings(draft: Draft, packets: Pieces) -> Carried:
    """Keep packets that hold the beginning of what they carry; the others are named fragments.

    What is inside a tunnel's first fragment may end in the next ones.
    """
    later = packets.offset > 0
    draft.pieces.append(packets.where(packets.more | later))
    draft.protocol[packets.rows[later]] = Protocol.FRAGMENT
    goes_on = packets.more & ~later & np.isin(packets.number, HOLDING)
    draft.end[packets.rows[goes_on]] = packets.at[goes_on] + LONGEST
    return Carried(packets.rows, packets.at, packets.number).where(~later)


def _extensions(draft: Draft, carried: Carried, numbers: tuple[int, ...] = EXTENSIONS) -> Carried:
    """Step over extension headers, one depth at a time for all packets."""
    for _ in range(DEEPEST):
        extended = np.isin(carried.number, numbers)
        if not extended.any():
            break
        carried = carried.where(~extended).joined(_step(draft, carried.where(extended)))
    return carried


def _step(draft: Draft, carried: Carried) -> Carried:
    rows, at, number = carried.where(draft.fits(carried.rows, carried.at, 8))
    header = draft.headers(_EXTENSION, at)
    units = header["length"].astype(np.int64)
    size = np.where(number == AUTHENTICATION, 4 * units + 8, 8 * units + 8)
    fragmented = number == FRAGMENT_HEADER
    size[fragmented] = 8
    carried = Carried(rows, at + size, header["next"])
    if not fragmented.any():
        return carried
    fragment = np.where(fragmented, header["fragment"], np.uint16(0))
    offset, more = (fragment & np.uint16(0xFFF8)).astype(np.int64), fragment & np.uint16(1) != 0
    sound = ~draft.malformed[rows]
    return _beginnings(draft, Pieces(*carried, offset, more, header["identification"], sound))
