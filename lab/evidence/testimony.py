"""What the kernel did, compared with what the frames seem to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
import numpy as np

from lab.evidence.events import (
    Drop,
    ResetReceived,
    ResetSent,
    Retransmission,
    StateChange,
    Told,
)
from lab.packets.frames import Capture, Direction
from lab.tcp.model import Analysis, Connection
from lab.tcp.segments import Segment

WITHIN = 20_000_000  # ns from a tracepoint to the frame it is about: a timer may have to wait
EARLY = 100_000  # ns by which a frame may seem to come first: another clock's rounding
REPEATED = Analysis.RETRANSMISSION | Analysis.FAST_RETRANSMISSION | Analysis.SPURIOUS_RETRANSMISSION
_About = TypeVar("_About", StateChange, Retransmission, ResetSent, ResetReceived)


def about(
    events: Iterable[Told], kind: type[_About], connection: Connection, began: int, ended: int
) -> tuple[tuple[_About, ...], tuple[_About, ...]]:
    """What one kind of tracepoint told of a connection: at the client's end, at the server's.

    ``began`` and ``ended`` (ns, first and last frame) tell connections that use the same ports
    apart; some time before and after counts too, for a kernel acts before and after its frames.
    A socket that enters SYN-SENT has no port yet: its local port is 0.
    """
    client = connection.client.address, connection.client.port
    server = connection.server.address, connection.server.port
    unbound = connection.client.address, 0
    there = [
        event
        for event in events
        if isinstance(event, kind) and began - WITHIN <= event.time <= ended + WITHIN
    ]
    return (
        tuple(e for e in there if e.local in (client, unbound) and e.peer == server),
        tuple(e for e in there if e.local == server and e.peer == client),
    )


class Comparison(msgspec.Struct, frozen=True):
    """Frames and the kernel's events, paired in order of time."""

    both: tuple[tuple[int, int], ...]  # (frame number, ns of the event)
    frames_only: tuple[int, ...]  # numbers: no event explains them
    events_only: tuple[int, ...]  # ns: no such frame passed this vantage point

    @property
    def agree(self) -> bool:
        return not self.frames_only and not self.events_only


def compare_retransmissions(
    connection: Connection, segments: Sequence[Segment], side: int, told: Sequence[Retransmission]
) -> Comparison:
    """Check the frames flagged as retransmissions against those that their kernel made.

    Args:
        connection: with its flags.
        segments: all of it, as `lab.tcp.segments.segments` gives them, best from a capture at the
            port of the host that sent them: what was lost on the way is missing elsewhere.
        side: CLIENT or SERVER, who sent again.
        told: by this side's kernel, see `about`.
    """
    repeated = {number for number, flags in connection.flags.items() if flags & REPEATED}
    frames = [(s.frame, s.time) for s in segments if s.side == side and s.frame in repeated]
    return _pair(frames, [event.time for event in told if not event.error])


def compare_resets(segments: Sequence[Segment], side: int, told: Sequence[ResetSent]) -> Comparison:
    """Check the RSTs that one side sent against those that its kernel says it sent."""
    frames = [(s.frame, s.time) for s in segments if s.side == side and s.rst]
    return _pair(frames, [event.time for event in told])


def _pair(frames: Sequence[tuple[int, int]], events: Sequence[int]) -> Comparison:
    """Pair each event with the first frame not yet taken that follows it closely."""
    left, both, alone = list(frames), [], []
    for time in events:
        near = (frame for frame in left if -EARLY <= frame[1] - time <= WITHIN)
        if frame := next(near, None):
            both.append((frame[0], time))
            left.remove(frame)
        else:
            alone.append(time)
    return Comparison(tuple(both), tuple(number for number, _ in left), tuple(alone))


def dropped_frames(events: Iterable[Told], capture: Capture, port: str) -> Mapping[int, Drop]:
    """The frames of a port's capture that the host behind it threw away, by their numbers.

    The frame is the one of that length that left through the port nearest in time.
    """
    frames, found = capture.frames, {}
    inward = frames.direction != Direction.OUTBOUND  # a tap records as the host sees it
    for drop in events:
        if isinstance(drop, Drop) and drop.port == port:
            gap = np.abs(frames.time - drop.passed)
            fits = inward & (frames.length == drop.length) & (gap <= WITHIN)
            if fits.any():
                row = int(np.argmin(np.where(fits, gap, np.iinfo(np.int64).max)))
                found[row + 1] = drop
    return found
