"""Wireshark's tcp.completeness: which parts of a connection's life the capture holds."""

from __future__ import annotations

from collections.abc import Iterable

from lab.tcp import segments as flag
from lab.tcp.segments import Segment

SYN, SYN_ACK, ACK, DATA, FIN, RST = 1, 2, 4, 8, 16, 32


def completeness(segments: Iterable[Segment]) -> int:
    """OR together what each segment adds; complete with data is 31, 47 or 63."""
    seen = 0
    for position, segment in enumerate(segments):
        seen |= adds(segment.flags, carries=segment.length > 0, first=position == 0)
    return seen


def adds(flags: int, *, carries: bool, first: bool) -> int:
    """What one segment adds, by its flags and by whether it carries data."""
    ack = bool(flags & flag.ACK)
    closes = FIN * bool(flags & flag.FIN and ack) | RST * bool(flags & flag.RST)
    if flags & flag.SYN:
        opening = SYN_ACK if ack else SYN * first
        return opening | closes | DATA * (carries and not ack)
    return closes | ((DATA if carries else ACK) if ack else 0)
