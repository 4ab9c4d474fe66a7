"""ICMP and ICMPv6 errors, tied to the datagram that caused them by the packet they quote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.addresses import V4_MAPPED
from lab.packets.distinct import among
from lab.packets.frames import Frames, Protocol
from lab.packets.parts import fetched, with_header

UDP = 17
ICMP_ERRORS = (3, 4, 5, 11, 12)  # RFC 792: unreachable, quench, redirect, time, parameter
ICMPV6_ERRORS = (1, 2, 3, 4)  # RFC 4443: unreachable, too big, time, parameter
ICMP_HEADER, IPV4_HEADER, IPV6_HEADER = 8, 20, 40
FRAGMENT_OFFSET = 0x1FFF
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60

Key = tuple[int, int, int, int]


class Quote(Struct, frozen=True):
    """The datagram that an ICMP error quotes, as far as the eight octets of RFC 792 tell."""

    key: Key  # source, its port, destination, its port; addresses as 128-bit numbers
    identification: int | None  # of the IPv4 header
    length: int  # of the UDP header
    checksum: int


def errors(frames: Frames, datagrams: NDArray[np.int64]) -> Mapping[int, list[int]]:
    """Find what each ICMP error answers: row of the datagram -> rows of the errors.

    Of several datagrams that fit, the latest before the error is taken, and one with the quoted
    IPv4 identification, or length and checksum, before any other.
    """
    found: dict[int, list[int]] = {}
    quotes = dict(_quotes(frames))
    if not quotes:
        return found
    senders = _by_key(frames, datagrams, {quote.key for quote in quotes.values()})
    for row, quote in quotes.items():
        earlier = [candidate for candidate in senders.get(quote.key, ()) if candidate < row]
        if earlier:
            found.setdefault(_cause(frames, earlier, quote), []).append(row)
    return found


def _cause(frames: Frames, candidates: list[int], quote: Quote) -> int:
    exact = [row for row in candidates if _is_quoted(frames, row, quote)]
    return (exact or candidates)[-1]


def _is_quoted(frames: Frames, row: int, quote: Quote) -> bool:
    network, transport = int(frames.network[row]), int(frames.transport[row])
    if quote.identification is not None and frames.ip_version[row] == 4:
        return _word(frames, network + 4) == quote.identification
    sent = _word(frames, transport + 4), _word(frames, transport + 6)
    return sent == (quote.length, quote.checksum)


def _word(frames: Frames, at: int) -> int:
    return int.from_bytes(frames.octets[at : at + 2].tobytes(), "big")


def _by_key(
    frames: Frames, datagrams: NDArray[np.int64], wanted: set[Key]
) -> Mapping[Key, list[int]]:
    """The rows that fit a quote, by what identifies them; ports first, to look at few."""
    ports = {(key[1], key[3]) for key in wanted}
    packed = fetched(frames.source_port, datagrams).astype(np.int64) << 16
    packed |= fetched(frames.destination_port, datagrams)
    near = among(packed, [source << 16 | destination for source, destination in ports])
    found: dict[Key, list[int]] = {}
    for row in datagrams[near].tolist():
        found.setdefault(_key(frames, row), []).append(row)
    return found


def _key(frames: Frames, row: int) -> Key:
    source, destination = frames.source[row].tolist(), frames.destination[row].tolist()
    return (
        source[0] << 64 | source[1],
        int(frames.source_port[row]),
        destination[0] << 64 | destination[1],
        int(frames.destination_port[row]),
    )


# ---------------------------------------------------------------- the quoted packet


def _quotes(frames: Frames) -> Iterator[tuple[int, Quote]]:
    for protocol, kinds, parse in (
        (Protocol.ICMP, ICMP_ERRORS, _quoted_v4),
        (Protocol.ICMPV6, ICMPV6_ERRORS, _quoted_v6),
    ):
        rows = with_header(frames, protocol)
        kind = frames.octets[frames.transport[rows]]
        for row in rows[among(kind, kinds)].tolist():
            start = int(frames.transport[row]) + ICMP_HEADER
            end = int(frames.start[row]) + int(frames.captured[row])
            quote = parse(frames.octets[start:end].tobytes())
            if quote is not None:
                yield row, quote


def _quoted_v4(packet: bytes) -> Quote | None:
    if len(packet) < IPV4_HEADER or packet[0] >> 4 != 4 or packet[9] != UDP:
        return None
    if int.from_bytes(packet[6:8], "big") & FRAGMENT_OFFSET:
        return None
    header = (packet[0] & 15) * 4
    source, destination = (V4_MAPPED | int(IPv4Address(packet[i : i + 4])) for i in (12, 16))
    return _quote(packet[header:], source, destination, int.from_bytes(packet[4:6], "big"))


def _quoted_v6(packet: bytes) -> Quote | None:
    if len(packet) < IPV6_HEADER or packet[0] >> 4 != 6:
        return None
    at, following = IPV6_HEADER, packet[6]
    while following in (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION) and at + 8 <= len(packet):
        size = 8 if following == FRAGMENT else (packet[at + 1] + 1) * 8
        at, following = at + size, packet[at]
    if following != UDP:
        return None
    source, destination = (int(IPv6Address(packet[i : i + 16])) for i in (8, 24))
    return _quote(packet[at:], source, destination, None)


def _quote(udp: bytes, source: int, destination: int, identification: int | None) -> Quote | None:
    if len(udp) < 8:
        return None
    source_port, destination_port, length, checksum = (
        int.from_bytes(udp[i : i + 2], "big") for i in (0, 2, 4, 6)
    )
    key = source, source_port, destination, destination_port
    return Quote(key, identification, length, checksum)
