"""Why a kernel sent a segment again: what its congestion control says, which no frame does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from lab.evidence.events import Congestion, Retransmission
from lab.packets.frames import Frames, Protocol
from lab.packets.parts import with_header
from lab.tcp.segments import Segment

SHORTLY = 20_000_000  # ns from an ICMP error to what the kernel does about it
_TOO_BIG = {Protocol.ICMP: (3, 4), Protocol.ICMPV6: (2, 0)}
"""Type and code of the error that a smaller path MTU sends (RFC 1191, RFC 8201)."""


class Cause(StrEnum):
    """Why a segment was sent again."""

    TIMEOUT = "timeout"  # the retransmission timer went off (RFC 6298)
    REPAIR = "repair"  # ACKs show what else is missing after a timeout (RFC 5681 section 3.1)
    RECOVERY = "recovery"  # fast retransmit, and what follows it (RFC 6675, RFC 8985)
    PROBE = "probe"  # a tail loss probe: too long without an ACK (RFC 8985 section 7)
    TOO_BIG = "too big"  # a router said so: sent again in smaller segments (RFC 1191)
    SYN_AGAIN = "SYN again"  # the SYN,ACK answers a SYN that came once more


def causes(
    again: Sequence[tuple[int, Retransmission]],
    congestion: Sequence[Congestion],
    segments: Sequence[Segment],
    too_big: Sequence[int] = (),
) -> Mapping[int, Cause]:
    """Tell the cause of each retransmission of one socket, by the number of its frame.

    Args:
        again: (frame number, what its kernel said of it), in order of time.
        congestion: what the same kernel said of its congestion control (tcp_ca_state), from the
            beginning of the connection.
        segments: of the connection, at the port of the host that sent again.
        too_big: ns, when errors arrived there that told of a smaller path MTU.
    """
    found: dict[int, Cause] = {}
    before = 0  # ns, of the retransmission before
    for number, event in again:
        if event.state == "SYN-RECEIVED":
            answers = _answers_syn(number, segments)
            found[number] = Cause.SYN_AGAIN if answers else Cause.TIMEOUT
        else:
            past = [one for one in congestion if one.time <= event.time]
            found[number] = _cause(past[-1] if past else None, before, too_big)
        before = event.time
    return found


def _cause(last: Congestion | None, before: int, too_big: Sequence[int]) -> Cause:
    """A timeout enters Loss, once more each time, right before it sends the first segment again;
    without any loss noticed, only the probe of the tail sends again."""
    match last.state if last else "Open":
        case "Loss":
            assert last is not None
            if last.time < before:
                return Cause.REPAIR
            told = any(0 <= last.time - time <= SHORTLY for time in too_big)
            return Cause.TOO_BIG if told else Cause.TIMEOUT
        case "Recovery":
            return Cause.RECOVERY
        case _:
            return Cause.PROBE


def _answers_syn(number: int, segments: Sequence[Segment]) -> bool:
    """Whether a SYN came between this SYN,ACK and the one before."""
    index = next(i for i, one in enumerate(segments) if one.frame == number)
    side = segments[index].side
    for one in reversed(segments[:index]):
        if one.syn:
            return one.side != side
    return False


def too_big_errors(frames: Frames) -> tuple[int, ...]:
    """When ICMP errors that tell of a smaller path MTU passed (ns)."""
    found: list[int] = []
    for protocol, (kind, code) in _TOO_BIG.items():
        rows = with_header(frames, protocol)
        at = frames.transport[rows]
        fits = (frames.octets[at] == kind) & (frames.octets[at + 1] == code)
        found += frames.time[rows[fits]].tolist()
    return tuple(sorted(found))
