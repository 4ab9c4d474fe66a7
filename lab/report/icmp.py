"""What ICMP messages are called.

IPv4: RFC 792, RFC 950, RFC 1122 section 3.2.2, RFC 1256, RFC 1812 section 5.2.7. IPv6: RFC 4443,
RFC 2710, RFC 3810, RFC 4861.
"""

from __future__ import annotations

NAMES = {
    (4, 0, 0): "echo reply",
    (4, 3, 0): "network unreachable",
    (4, 3, 1): "host unreachable",
    (4, 3, 2): "protocol unreachable",
    (4, 3, 3): "port unreachable",
    (4, 3, 4): "fragmentation needed",
    (4, 3, 5): "source route failed",
    (4, 3, 6): "network unknown",
    (4, 3, 7): "host unknown",
    (4, 3, 8): "source host isolated",
    (4, 3, 9): "network administratively prohibited",
    (4, 3, 10): "host administratively prohibited",
    (4, 3, 11): "network unreachable for this type of service",
    (4, 3, 12): "host unreachable for this type of service",
    (4, 3, 13): "administratively prohibited",
    (4, 3, 14): "host precedence violation",
    (4, 3, 15): "precedence cutoff in effect",
    (4, 4, 0): "source quench",
    (4, 5, 0): "redirect for the network",
    (4, 5, 1): "redirect for the host",
    (4, 5, 2): "redirect for the type of service and network",
    (4, 5, 3): "redirect for the type of service and host",
    (4, 8, 0): "echo request",
    (4, 9, 0): "router advertisement",
    (4, 10, 0): "router solicitation",
    (4, 11, 0): "time exceeded in transit",
    (4, 11, 1): "fragment reassembly time exceeded",
    (4, 12, 0): "parameter problem",
    (4, 12, 1): "parameter problem: a required option is missing",
    (4, 12, 2): "parameter problem: bad length",
    (4, 13, 0): "timestamp request",
    (4, 14, 0): "timestamp reply",
    (4, 15, 0): "information request",
    (4, 16, 0): "information reply",
    (4, 17, 0): "address mask request",
    (4, 18, 0): "address mask reply",
    (6, 1, 0): "no route",
    (6, 1, 1): "administratively prohibited",
    (6, 1, 2): "beyond the scope of the source address",
    (6, 1, 3): "address unreachable",
    (6, 1, 4): "port unreachable",
    (6, 1, 5): "source address failed policy",
    (6, 1, 6): "reject route to destination",
    (6, 2, 0): "packet too big",
    (6, 3, 0): "hop limit exceeded in transit",
    (6, 3, 1): "fragment reassembly time exceeded",
    (6, 4, 0): "parameter problem: erroneous header field",
    (6, 4, 1): "parameter problem: unrecognized next header",
    (6, 4, 2): "parameter problem: unrecognized IPv6 option",
    (6, 128, 0): "echo request",
    (6, 129, 0): "echo reply",
    (6, 130, 0): "multicast listener query",
    (6, 131, 0): "multicast listener report",
    (6, 132, 0): "multicast listener done",
    (6, 133, 0): "router solicitation",
    (6, 134, 0): "router advertisement",
    (6, 135, 0): "neighbour solicitation",
    (6, 136, 0): "neighbour advertisement",
    (6, 137, 0): "redirect",
    (6, 143, 0): "multicast listener report",
}
"""By IP version, type and code."""


def message_name(version: int, kind: int, code: int) -> str:
    """``ICMP port unreachable``; type and code as numbers where they have no name here."""
    prefix = "ICMPv6" if version == 6 else "ICMP"
    return f"{prefix} {NAMES.get((version, kind, code), f'type {kind} code {code}')}"
