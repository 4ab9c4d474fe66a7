"""The transport layer: TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792) and ICMPv6 (RFC 4443)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.packets import network
from lab.packets.frames import Protocol
from lab.packets.layers import Draft, Rows

TCP_HEADER = np.dtype(
    [
        ("source", ">u2"),
        ("destination", ">u2"),
        ("sequence", ">u4"),
        ("acknowledgment", ">u4"),
        ("flags", ">u2"),  # the data offset is its upper four bits
        ("window", ">u2"),
        ("checksum", ">u2"),
        ("urgent", ">u2"),
    ]
)
UDP_HEADER = np.dtype(
    [("source", ">u2"), ("destination", ">u2"), ("length", ">u2"), ("checksum", ">u2")]
)
ICMP_HEADER = 8
"""Octets before what an ICMP message carries (a quoted packet, the data of an echo)."""


def transport_layer(draft: Draft, carried: network.Carried) -> None:
    """Read the transport headers of all packets that hold one."""
    rows, at, number = carried
    for value, read in (
        (network.TCP, _tcp),
        (network.UDP, _udp),
        (network.ICMP, _icmp),
        (network.ICMPV6, _icmpv6),
    ):
        here = number == value
        if here.any():
            read(draft, rows[here], at[here])


def _tcp(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> None:
    rows, at = _present(draft, rows, at, TCP_HEADER.itemsize, Protocol.TCP)
    header = draft.headers(TCP_HEADER, at)
    draft.source_port[rows] = header["source"]
    draft.destination_port[rows] = header["destination"]
    draft.sequence[rows] = header["sequence"]
    draft.acknowledgment[rows] = header["acknowledgment"]
    draft.flags[rows] = header["flags"] & np.uint16(0x01FF)
    draft.window[rows] = header["window"]
    size = (header["flags"] >> 12).astype(np.int64) * 4
    _payload(draft, rows, at + size, size >= TCP_HEADER.itemsize, draft.end[rows])


def _udp(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> None:
    rows, at = _present(draft, rows, at, UDP_HEADER.itemsize, Protocol.UDP)
    header = draft.headers(UDP_HEADER, at)
    draft.source_port[rows] = header["source"]
    draft.destination_port[rows] = header["destination"]
    end = draft.end[rows]
    length = header["length"].astype(np.int64)
    length = np.where(length, length, end - at)  # 0: a jumbogram (RFC 2675), or offload
    beyond = np.flatnonzero(at + length > end)
    beyond = beyond[~_fragmented(draft, rows[beyond])]
    draft.malformed[rows[beyond]] = True
    length[beyond] = (end - at)[beyond]
    _payload(draft, rows, at + 8, length >= 8, at + length)


def _fragmented(draft: Draft, rows: Rows) -> NDArray[np.bool_]:
    """Whether the packet is the first of several: its datagram is longer than it.

    IPv6 packets with any extension header are given the benefit of the doubt.
    """
    network = draft.network[rows]
    four = (draft.octets[network + 6] & 0x20) != 0
    six = draft.transport[rows] != network + 40
    fragmented: NDArray[np.bool_] = np.where(draft.ip_version[rows] == 4, four, six)
    return fragmented


def _icmp(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> None:
    rows, at = _present(draft, rows, at, ICMP_HEADER, Protocol.ICMP)
    _payload(draft, rows, at + ICMP_HEADER, np.ones(len(rows), np.bool_), draft.end[rows])


def _icmpv6(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> None:
    rows, at = _present(draft, rows, at, ICMP_HEADER, Protocol.ICMPV6)
    _payload(draft, rows, at + ICMP_HEADER, np.ones(len(rows), np.bool_), draft.end[rows])


def _present(
    draft: Draft, rows: Rows, at: NDArray[np.int64], size: int, protocol: Protocol
) -> tuple[Rows, NDArray[np.int64]]:
    fits = draft.fits(rows, at, size)
    rows, at = rows[fits], at[fits]
    draft.protocol[rows] = protocol
    draft.transport[rows] = at
    return rows, at


def _payload(
    draft: Draft,
    rows: Rows,
    at: NDArray[np.int64],
    right: NDArray[np.bool_],
    end: NDArray[np.int64],
) -> None:
    """Place the payload; a header that is not right, or longer than its packet, has none."""
    right = right & (at <= end)
    draft.malformed[rows[~right]] = True
    rows, at, end = rows[right], at[right], end[right]
    draft.payload_length[rows] = end - at
    held = (at <= draft.cut[rows]) & (at >= draft.network[rows])  # else in pieces, in other frames
    draft.payload[rows[held]] = at[held]
