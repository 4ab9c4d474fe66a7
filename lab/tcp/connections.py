"""From a capture's columns to its TCP connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

from lab.packets.frames import Capture, Frames
from lab.packets.pairs import ends
from lab.tcp.analysis import Each, table
from lab.tcp.closing import closing
from lab.tcp.model import Connection
from lab.tcp.offers import announced_mss, window_shifts
from lab.tcp.opening import initial_numbers, opening
from lab.tcp.outcomes import NEVER_OPENED
from lab.tcp.segments import segments
from lab.tcp.states import resets, walk
from lab.tcp.table import Table


class Connections(Sequence[Connection]):
    """A capture's connections, in order of the first segment; each is made when asked for.

    ``table`` has them all as columns: what is counted or sorted over many is read there.
    """

    def __init__(self, frames: Frames, each: Each = map) -> None:
        """Nothing is analysed before something is asked; for ``each`` see `lab.tcp.analysis.table`."""
        self.frames, self._each = frames, each
        self._made: dict[int, Connection] = {}

    @cached_property
    def table(self) -> Table:
        """All of them as columns."""
        return table(self.frames, self._each)

    def __len__(self) -> int:
        return len(self.table)

    @overload
    def __getitem__(self, index: int) -> Connection: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Connection, ...]: ...

    def __getitem__(self, index: int | slice) -> Connection | tuple[Connection, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(len(self))[index])
        number = range(len(self))[index]
        if number not in self._made:
            self._made[number] = _connection(self.frames, self.table, number)
        return self._made[number]

    def __iter__(self) -> Iterator[Connection]:
        return (self[i] for i in range(len(self)))


def connections(capture: Capture, each: Each = map) -> Connections:
    """Every TCP connection of a capture; for ``each`` see `lab.tcp.analysis.table`."""
    return Connections(capture.frames, each)


def _connection(frames: Frames, columns: Table, number: int) -> Connection:
    rows, second = columns.rows(number), columns.second(number)
    sender, receiver = ends(frames, int(rows[0]))
    outcome = columns.outcome_of(number)
    client_first = outcome.client_first
    from_client = ~second if client_first else second
    parts = segments(frames, rows, from_client)
    steps = tuple(walk(parts))
    opened = opening(parts)
    closed = closing(parts, resets(steps), opened=opened.kind not in NEVER_OPENED)
    flags, duplicate_acks = columns.flags_of(number)
    return Connection(
        stream=number,
        client=sender if client_first else receiver,
        server=receiver if client_first else sender,
        rows=rows,
        from_client=from_client,
        isn=initial_numbers(parts),
        scale=window_shifts(parts),
        mss=announced_mss(parts),
        handshake=opened.kind,
        handshake_frames=opened.frames,
        teardown=closed.kind,
        teardown_frames=closed.frames,
        states=outcome.states,
        conn_state=outcome.conn_state,
        history=outcome.history,
        completeness=int(columns.completeness[number]),
        octets=columns.octets_of(number),
        rtt=columns.rtt_of(number),
        flags=flags,
        duplicate_acks=duplicate_acks,
    )
