"""ICMP errors about TCP: what routers and hosts said of a connection's segments (RFC 792, RFC 4443)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from lab.packets.addresses import Endpoint
from lab.packets.distinct import among
from lab.packets.frames import Capture, Protocol
from lab.packets.parts import with_header
from lab.packets.rows import Frame, frame

AT_MOST = 1000
"""Errors that are read one by one."""
UNREACHABLE, TIME_EXCEEDED, PARAMETER = 3, 11, 12
INFORMATIONAL_V6 = 128  # RFC 4443: types below it are errors
TOO_BIG = {(Protocol.ICMP, 3, 4), (Protocol.ICMPV6, 2, 0)}

Ends = tuple[Endpoint, Endpoint]


def errors_about_tcp(capture: Capture) -> Mapping[Ends, list[Frame]]:
    """The errors by the ends of the segment that they quote: (its source, its destination).

    What only tells of a smaller path MTU is left out.
    """
    found = defaultdict[Ends, list[Frame]](list)
    for one in _errors(capture):
        quoted = one.icmp.quoted if one.icmp else None
        if quoted and quoted.protocol is Protocol.TCP:
            found[quoted.source, quoted.destination].append(one)
    return found


def _errors(capture: Capture) -> Iterator[Frame]:
    frames = capture.frames
    rows = with_header(frames, Protocol.ICMP, Protocol.ICMPV6)
    kinds, version = frames.octets[frames.transport[rows]], frames.ip_version[rows]
    wanted = (version == 4) & among(kinds, (UNREACHABLE, TIME_EXCEEDED, PARAMETER))
    wanted |= (version == 6) & (kinds < INFORMATIONAL_V6)
    for row in rows[wanted][:AT_MOST].tolist():
        read = frame(capture, row)
        if read.icmp and (read.protocol, read.icmp.type, read.icmp.code) not in TOO_BIG:
            yield read
