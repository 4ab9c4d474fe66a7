"""Wireshark's tcp.completeness: which parts of a connection's life the capture holds."""

from __future__ import annotations

from collections.abc import Iterable

from lab.tcp.segments import Segment

SYN, SYN_ACK, ACK, DATA, FIN, RST = 1, 2, 4, 8, 16, 32


def completeness(segments: Iterable[Segment]) -> int:
    """OR together what each segment adds; complete with data is 31, 47 or 63."""
    seen = 0
    for position, segment in enumerate(segments):
        seen |= _adds(segment, first=position == 0)
    return seen


def _adds(segment: Segment, *, first: bool) -> int:
    if segment.syn:
        opening = SYN_ACK if segment.ack else SYN * first
        return opening | _closes(segment) | DATA * (segment.length > 0 and not segment.ack)
    carries = 0
    if segment.ack:
        carries = DATA if segment.length else ACK
    return carries | _closes(segment)


def _closes(segment: Segment) -> int:
    return FIN * (segment.fin and segment.ack) | RST * segment.rst
