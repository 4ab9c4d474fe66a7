"""What ICMP messages are called (RFC 792, RFC 1812, RFC 4443, RFC 4861, RFC 3810)."""

from __future__ import annotations

NAMES = {
    (4, 0, 0): "echo reply",
    (4, 3, 0): "network unreachable",
    (4, 3, 1): "host unreachable",
    (4, 3, 2): "protocol unreachable",
    (4, 3, 3): "port unreachable",
    (4, 3, 4): "fragmentation needed",
    (4, 3, 13): "administratively prohibited",
    (4, 8, 0): "echo request",
    (4, 11, 0): "time exceeded in transit",
    (6, 1, 0): "no route",
    (6, 1, 1): "administratively prohibited",
    (6, 1, 3): "address unreachable",
    (6, 1, 4): "port unreachable",
    (6, 2, 0): "packet too big",
    (6, 3, 0): "time exceeded in transit",
    (6, 128, 0): "echo request",
    (6, 129, 0): "echo reply",
    (6, 133, 0): "router solicitation",
    (6, 134, 0): "router advertisement",
    (6, 135, 0): "neighbour solicitation",
    (6, 136, 0): "neighbour advertisement",
    (6, 143, 0): "multicast listener report",
}
"""By IP version, type and code."""


def message_name(version: int, kind: int, code: int) -> str:
    """``ICMP port unreachable``; type and code as numbers where they have no name here."""
    prefix = "ICMPv6" if version == 6 else "ICMP"
    return f"{prefix} {NAMES.get((version, kind, code), f'type {kind} code {code}')}"
