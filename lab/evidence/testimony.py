"""What the kernel did, compared with what the frames seem to say.

Tracepoints name addresses and ports, not the lab that they are of (see `lab.evidence.events`), so
they are believed as far as the run's own captures bear them out: a socket's events belong to the
connection between its ends at that time, unless they cannot be those of one socket alone; a drop
to the frame that passed the port just then, unless another lab's frame may have been meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import msgspec
import numpy as np

from lab.evidence.events import (
    Congestion,
    Drop,
    ResetReceived,
    ResetSent,
    Retransmission,
    StateChange,
    Told,
)
from lab.evidence.states import ALWAYS, Stay
from lab.packets.frames import Capture, Direction
from lab.tcp.model import Analysis, Connection, State
from lab.tcp.segments import Segment

WITHIN = 20_000_000  # ns from a tracepoint to the frame it is about: a timer may have to wait
EARLY = 100_000  # ns by which a frame may seem to come first: another clock's rounding
NEAR = 1_000_000  # ns from a frame's passing the port to its time stamp, at most
LATE = 10_000  # ns by which that is usually done; the trace's own rounding is a tenth of it
REPEATED = Analysis.RETRANSMISSION | Analysis.FAST_RETRANSMISSION | Analysis.SPURIOUS_RETRANSMISSION
ACCEPTED = frozenset({"TCP_RESET", "QUEUE_PURGE"})
"""Reasons for which a kernel frees a frame that it took: a RST that it obeyed, octets or a FIN that
no program had read when the socket went."""

OPENING = frozenset({State.CLOSED, State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED})
"""States in which a socket may be first told of: before, it has no ends yet."""

WAITING = frozenset({State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSING})
"""Whence CLOSED may mean that a mini-socket waits on, unseen by the tracepoint."""

_About = TypeVar("_About", StateChange, Congestion, Retransmission, ResetSent, ResetReceived)


def about(
    events: Iterable[Told], kind: type[_About], connection: Connection, began: int, ended: int
) -> tuple[tuple[_About, ...], tuple[_About, ...]]:
    """What one kind of tracepoint told of a connection: at the client's end, at the server's.

    ``began`` and ``ended`` (ns, first and last frame) tell connections that use the same ports
    apart; some time before and after counts too, for a kernel acts before and after its frames.
    A socket that enters SYN-SENT has no port yet: that change is nobody's.
    """
    client = connection.client.address, connection.client.port
    server = connection.server.address, connection.server.port
    there = [
        event
        for event in events
        if isinstance(event, kind) and began - WITHIN <= event.time <= ended + WITHIN
    ]
    return (
        tuple(e for e in there if e.local == client and e.peer == server),
        tuple(e for e in there if e.local == server and e.peer == client),
    )


def of_one_socket(changes: Sequence[StateChange]) -> bool:
    """Whether the changes follow from each other, as those of one socket, or of one after another,
    do. Two sockets with the same ends at once are of two labs, of which neither can be believed."""
    return all(
        after.before == before.after or (before.after == State.CLOSED and after.before in OPENING)
        for before, after in pairwise(changes)
    )


def traced_stays(changes: Sequence[StateChange], last: int) -> tuple[Stay, ...]:
    """The states of a socket in order of time, from its changes; ``last``: ns, the end of tracing.

    Left out is a CLOSED that may be the TIME-WAIT (or FIN-WAIT-2) of a mini-socket.
    """
    if not changes:
        return ()
    first = Stay(changes[0].before, ALWAYS, changes[0].time, changes[0].time)
    ends = [change.time for change in changes[1:]] + [last]
    stays = (
        Stay(change.after, change.time, change.time, end)
        for change, end in zip(changes, ends, strict=True)
        if not (change.after == State.CLOSED and change.before in WAITING)
    )
    return (first, *stays)


def was_in(stays: Iterable[Stay], state: str, since: int, until: int) -> bool:
    """Whether the kernel was in a state, surely, at some time between two (ns), or close to them."""
    return any(
        stay.state == state and stay.by <= until + WITHIN and stay.until >= since - WITHIN
        for stay in stays
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
    """The frames of a port's capture that the host behind it refused, by their numbers.

    A frame gets its time stamp as it leaves, so it is the first of that length after the drop says
    that it passed. Where more such frames passed a port of this name than this capture holds, it
    may have been another lab's: no frame.
    """
    frames, found = capture.frames, dict[int, Drop]()
    inward = np.flatnonzero(frames.direction != Direction.OUTBOUND)  # as the host sees it
    rows = inward[np.argsort(frames.time[inward], kind="stable")]
    time = frames.time[rows]
    for drop in events:
        if isinstance(drop, Drop) and drop.port == port and drop.reason not in ACCEPTED:
            begin, end = np.searchsorted(time, (drop.passed - NEAR, drop.passed + NEAR + LATE))
            fit = [row for row in rows[begin:end].tolist() if frames.length[row] == drop.length]
            after = (r for r in fit if frames.time[r] >= drop.passed - LATE and r + 1 not in found)
            if len(fit) >= drop.alike and (row := next(after, None)) is not None:
                found[row + 1] = drop
    return found
