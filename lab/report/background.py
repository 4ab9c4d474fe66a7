"""Frames that belong to no exchange: address resolution, neighbour discovery, group membership."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lab.packets.distinct import counted
from lab.packets.frames import ABSENT, Frames, Protocol
from lab.packets.pages import blocks
from lab.packets.parts import STRETCH, each_part
from lab.packets.scratch import zeros

NAMES = {
    Protocol.ARP: "ARP",
    Protocol.ICMP: "ICMP",
    Protocol.ICMPV6: "ICMPv6",
    Protocol.TCP: "TCP",
    Protocol.UDP: "UDP",
    Protocol.FRAGMENT: "IP fragment",
}
IP_PROTOCOLS = {0: "ICMPv6", 2: "IGMP", 47: "GRE", 50: "ESP", 89: "OSPF", 132: "SCTP"}
"""By the IP protocol field (IANA protocol numbers); hop-by-hop (0) heads MLD reports."""


def outside(frames: Frames, taken: Iterable[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Which frames belong to none of the exchanges."""
    inside: NDArray[np.bool_] = zeros(frames.octets, len(frames), np.bool_)
    for rows in taken:
        for at in blocks(rows, STRETCH):
            inside[rows[at]] = True
    return np.logical_not(inside, out=inside)


def background(frames: Frames, taken: Iterable[NDArray[np.int64]]) -> dict[str, int]:
    """Count the frames outside all exchanges by protocol, most frequent first."""
    return counts(frames, outside(frames, taken))


def counts(frames: Frames, outside: NDArray[np.bool_]) -> dict[str, int]:
    """Count some frames by protocol, most frequent first."""
    found: Counter[str] = Counter()
    for begin, part in each_part(frames):
        found.update(by_protocol(part, np.flatnonzero(outside[begin : begin + len(part)])))
    return dict(found.most_common())


def by_protocol(frames: Frames, rows: NDArray[np.int64]) -> Counter[str]:
    """Count some of the frames by protocol."""
    found: Counter[str] = Counter()
    protocols = frames.protocol[rows]
    totals = np.bincount(protocols, minlength=len(Protocol)).tolist()
    for protocol in filter(totals.__getitem__, Protocol):
        if protocol is Protocol.OTHER:
            found.update(_others(frames, rows[protocols == protocol]))
        else:
            found[NAMES[protocol]] = totals[protocol]
    return found


def _others(frames: Frames, rows: NDArray[np.int64]) -> Counter[str]:
    """Name what carries neither TCP, UDP, ICMP nor ARP by its IP protocol field."""
    counts: Counter[str] = Counter()
    network, version = frames.network[rows], frames.ip_version[rows]
    for ip_version, place in ((4, 9), (6, 6)):
        fields = network[(version == ip_version) & (network != ABSENT)] + place
        inside = fields[fields < len(frames.octets)]
        numbers, totals = counted(frames.octets[inside])
        for number, total in zip(numbers.tolist(), totals.tolist(), strict=True):
            counts[IP_PROTOCOLS.get(number, f"IP protocol {number}")] += total
    if rest := len(rows) - counts.total():
        counts["other"] += rest
    return counts
