"""How a connection opened: the handshake named, and the frames that show it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from lab.tcp.deliveries import Control, control
from lab.tcp.model import Handshake
from lab.tcp.segments import CLIENT, SERVER, Segment


class Opening(Struct, frozen=True):
    """The handshake's kind and its segments' frame numbers, in order."""

    kind: Handshake
    frames: tuple[int, ...] = ()


def opening(segments: Sequence[Segment]) -> Opening:
    """Name the handshake. Of repeated segments, the copies that were answered are given."""
    first = segments[0]
    if not first.syn or first.ack:
        return Opening(Handshake.NOT_SEEN)
    mine = control(segments, first.side, fin=False)
    theirs = control(segments, 1 - first.side, fin=False)
    assert mine is not None
    if theirs is None:
        return _without_answer(segments, mine)
    if _crossed(segments, theirs):
        return _simultaneous(segments, mine, theirs)
    return _answered(segments, mine, theirs)


def _answered(segments: Sequence[Segment], mine: Control, theirs: Control) -> Opening:
    positions = [mine.delivered, theirs.delivered]
    third = theirs.answer
    if third is None or segments[third].rst:
        return Opening(Handshake.UNFINISHED, _frames(segments, positions))
    return Opening(Handshake.THREE_WAY, _frames(segments, [*positions, third]))


def _crossed(segments: Sequence[Segment], theirs: Control) -> bool:
    """Whether the other end's first SYN was one of its own, not an answer."""
    return not segments[theirs.copies[0]].ack


def _simultaneous(segments: Sequence[Segment], mine: Control, theirs: Control) -> Opening:
    answers = [c.answer for c in (mine, theirs) if c.answer is not None]
    positions = [mine.copies[0], theirs.copies[0], *answers]
    return Opening(Handshake.SIMULTANEOUS, _frames(segments, positions))


def _without_answer(segments: Sequence[Segment], mine: Control) -> Opening:
    back = [i for i, s in enumerate(segments) if s.side != mine.side]
    went_on = any(s.side == mine.side and s.ack and not s.rst for s in segments)
    if went_on:
        return Opening(Handshake.NOT_SEEN, _frames(segments, [mine.copies[0]]))
    if not back:
        return Opening(Handshake.UNANSWERED, _frames(segments, mine.copies))
    if segments[back[0]].rst:
        copies = [i for i in mine.copies if i < back[0]]
        return Opening(Handshake.REFUSED, _frames(segments, [copies[-1], back[0]]))
    return Opening(Handshake.UNFINISHED, _frames(segments, [mine.copies[0], back[0]]))


def _frames(segments: Sequence[Segment], positions: Sequence[int]) -> tuple[int, ...]:
    return tuple(segments[i].frame for i in sorted(set(positions)))


def initial_rtt(segments: Sequence[Segment]) -> tuple[int, int] | None:
    """(frame of the first ACK after a SYN, ns from the latest SYN to it), as Wireshark's iRTT.

    Either end may send that ACK; one at the very time of the SYN does not count.
    """
    opened: Segment | None = None
    for segment in segments:
        if segment.syn:
            opened = opened if segment.ack else segment
        elif opened and segment.ack and segment.time != opened.time:
            return segment.frame, segment.time - opened.time
    return None


def initial_numbers(segments: Sequence[Segment]) -> tuple[int | None, int | None]:
    """The ISN of each side; None where its SYN was not seen."""
    isn: dict[int, int] = {}
    for segment in segments:
        if segment.syn:
            isn.setdefault(segment.side, segment.sequence)
    return isn.get(CLIENT), isn.get(SERVER)
