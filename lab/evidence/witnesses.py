"""The kernels of a run's hosts as witnesses: what each said of its ends of the connections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from msgspec import Struct

from lab.evidence.causes import Cause, causes, too_big_errors
from lab.evidence.events import (
    Address,
    Began,
    Congestion,
    Drop,
    Ended,
    ResetReceived,
    ResetSent,
    Retransmission,
    StateChange,
    Told,
)
from lab.evidence.run import Evidence, View
from lab.evidence.states import Life, Stay, sockets_of
from lab.evidence.testimony import (
    about,
    compare_resets,
    compare_retransmissions,
    dropped_frames,
    of_one_socket,
    traced_stays,
)
from lab.packets.addresses import Endpoint
from lab.tcp.model import Connection, State
from lab.tcp.segments import Segment, segments
from lab.tcp.states import walk

Ends = tuple[Address, Address]  # local and peer
_About = TypeVar("_About", StateChange, Congestion, Retransmission, ResetSent, ResetReceived)


class End(Struct, frozen=True):
    """An end of a connection, at the port of the host that it is of."""

    side: int  # CLIENT or SERVER
    view: View  # of its host
    connection: Connection  # as that view has it
    segments: Sequence[Segment]  # of both directions, without their options

    @property
    def span(self) -> tuple[int, int]:
        """When the first and the last segment passed (ns)."""
        return self.segments[0].time, self.segments[-1].time

    @property
    def ends(self) -> Ends:
        client, server = _address(self.connection.client), _address(self.connection.server)
        return (server, client) if self.side else (client, server)

    def inferred(self) -> Sequence[tuple[int, State]]:
        """The states that its segments suggest: (ns, state), from its first segment on."""
        times = {segment.frame: segment.time for segment in self.segments}
        return [
            (times[step.frame], change.after)
            for step in walk(self.segments)
            for change in step.changes
            if change.side == self.side
        ]


class Witnesses:
    """Looks up what was said; made once for all the connections of a run."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._told: dict[Ends, list[Told]] = defaultdict(list)
        self._lives: dict[Ends, list[Life]] = defaultdict(list)
        self._twins: dict[tuple[str, Endpoint, Endpoint], list[Connection]] = defaultdict(list)
        self._hosts = {a: host.name for host in evidence.manifest.hosts for a in host.addresses}
        for event in evidence.events:
            if not isinstance(event, Began | Ended | Drop):
                self._told[event.local, event.peer].append(event)
        for kernel in evidence.kernel.values():
            for life in kernel.lives:
                if life.peer:
                    self._lives[life.local, life.peer].append(life)
        for view in () if self.silent else evidence.views:  # a foreign capture may have very many
            for one in view.connections:
                self._twins[view.host, one.client, one.server].append(one)
        began = [event for event in evidence.events if isinstance(event, Began)]
        self._missing = began[0].missing if began else ()
        self._last = max((e.time for e in evidence.events if isinstance(e, Ended)), default=0)

    @property
    def silent(self) -> bool:
        """Whether nobody was asked."""
        return not self._evidence.events and not self._evidence.kernel

    def ends(self, connection: Connection) -> Iterator[End]:
        """Both ends of one of the first view's connections, as far as their hosts were recorded."""
        began, _ = self._evidence.span(connection)
        client, server = connection.client, connection.server
        for side, end in enumerate((client, server)):
            host = self._hosts.get(end.address, "")
            view = next((one for one in self._evidence.views if one.host == host), None)
            if view and (twins := self._twins.get((host, client, server))):
                time = view.capture.frames.time
                twin = min(twins, key=lambda one: abs(int(time[one.rows[0]]) - began))
                read = segments(view.capture.frames, twin.rows, twin.from_client, options=False)
                yield End(side, view, twin, read)

    def resent(self, end: End) -> Mapping[int, Cause]:
        """Why segments of an end were sent again, by their numbers in its host's capture."""
        again = self._about(end, Retransmission)
        if not again or "tcp/tcp_cong_state_set" in self._missing:
            return {}
        compared = compare_retransmissions(end.connection, end.segments, end.side, again)
        events = {event.time: event for event in again}
        pairs = [(number, events[time]) for number, time in compared.both]
        too_big = too_big_errors(end.view.capture.frames)
        return causes(pairs, self._about(end, Congestion), end.segments, too_big)

    def reset_for(self, end: End) -> Mapping[int, str]:
        """The reasons for the RSTs of an end, by their numbers in its host's capture."""
        sent = self._about(end, ResetSent)
        reasons = {event.time: event.reason for event in sent}
        both = compare_resets(end.segments, end.side, sent).both
        return {number: reasons[time] for number, time in both if reasons[time]}

    def stays(self, end: End) -> tuple[tuple[Stay, ...], ...]:
        """The states in which its kernel says that an end was: by tracepoints, by samples."""
        traced = traced_stays(self._about(end, StateChange), self._last)
        lives = self._lives.get(end.ends, ())
        life = sockets_of(end.connection, lives, *end.span)[end.side]
        kernel = self._evidence.kernel.get(end.view.host)
        sampled = kernel.stays(life) if kernel and life else ()
        return tuple(one for one in (traced, sampled) if one)

    def refused(self) -> Iterator[tuple[View, Mapping[int, Drop]]]:
        """The frames that each host's kernel refused, by their numbers in its own capture."""
        ports = {tap.host: tap.interface for tap in self._evidence.manifest.taps}
        drops = [event for event in self._evidence.events if isinstance(event, Drop)]
        for view in self._evidence.views if drops else ():
            if found := dropped_frames(drops, view.capture, ports.get(view.host, "")):
                yield view, found

    def first_number(self, view: View, number: int) -> int | None:
        """The number that a frame of some view has in the first; None: that port never saw it."""
        views, match = self._evidence.views, self._evidence.match
        if view is views[0]:
            return number
        if match is None or view is not views[1]:
            return None
        found = np.flatnonzero(match.second == number - 1)
        return int(match.first[found[0]]) + 1 if len(found) else None

    def _about(self, end: End, kind: type[_About]) -> tuple[_About, ...]:
        """What tracepoints said of an end; nothing if it may be of two sockets, of two labs."""
        events = self._told.get(end.ends, ())
        changes = about(events, StateChange, end.connection, *end.span)[end.side]
        if not of_one_socket(changes):
            return ()
        return about(events, kind, end.connection, *end.span)[end.side]


def _address(end: Endpoint) -> Address:
    return end.address, end.port
