"""From a capture's columns to its TCP connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from lab.packets.each import Each, one_by_one
from lab.packets.frames import Capture, Frames
from lab.packets.pages import touched
from lab.packets.pairs import ends
from lab.packets.scratch import scratch_of
from lab.tcp.answers import Answers, answers
from lab.tcp.model import Connection
from lab.tcp.offers import announced_mss, window_shifts
from lab.tcp.opening import initial_numbers
from lab.tcp.option_fields import Kinds
from lab.tcp.outcomes import how_it_went
from lab.tcp.parts import table
from lab.tcp.segments import SYN, segments
from lab.tcp.table import Table


class Connections(Sequence[Connection]):
    """A capture's connections, in order of the first segment; each is made when asked for.

    ``table`` has them all as columns: what is counted or sorted over many is read there.
    """

    def __init__(self, frames: Frames, each: Each = one_by_one) -> None:
        """Nothing is analysed before something is asked; for ``each`` see `lab.packets.each`."""
        self.frames, self._each = frames, each
        self._made: dict[int, Connection] = {}

    @cached_property
    def table(self) -> Table:
        """All of them as columns."""
        return table(self.frames, self._each)

    @cached_property
    def answers(self) -> Answers:
        """Those whose SYN was answered."""
        return answers(self.frames, self.table)

    @cached_property
    def options(self) -> tuple[Kinds, Kinds]:
        """The kinds of option in the SYNs and the SYN,ACKs of those."""
        return self.answers.options()

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
        if number in self._made:
            return self._made[number]
        made = _connection(self.frames, self.table, number)
        touched(self.frames.octets, int(self.frames.start[made.rows[0]]), len(made.rows))
        if scratch_of(self.frames.octets) is None:
            self._made[number] = made
        return made

    def __iter__(self) -> Iterator[Connection]:
        return (self[i] for i in range(len(self)))


class Picked(Sequence[Connection]):
    """Some of them, by their numbers."""

    def __init__(self, every: Sequence[Connection], numbers: Sequence[int]) -> None:
        self._every, self._numbers = every, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Connection: ...

    @overload
    def __getitem__(self, index: slice) -> Picked: ...

    def __getitem__(self, index: int | slice) -> Connection | Picked:
        if isinstance(index, slice):
            return Picked(self._every, self._numbers[index])
        return self._every[self._numbers[index]]


def connections(capture: Capture, each: Each = one_by_one) -> Connections:
    """Every TCP connection of a capture; for ``each`` see `lab.packets.each`."""
    return Connections(capture.frames, each)


def _connection(frames: Frames, columns: Table, number: int) -> Connection:
    rows, second = columns.rows(number), columns.second(number)
    sender, receiver = ends(frames, int(rows[0]))
    outcome = columns.outcome_of(number)
    client_first = outcome.client_first
    from_client = ~second if client_first else second
    shown = columns.frames_of(number) or _read(frames, rows, from_client)
    syns = np.flatnonzero((frames.flags[rows] & SYN) != 0)
    offers = segments(frames, rows[syns], from_client[syns])
    flags, duplicate_acks = columns.flags_of(number)
    return Connection(
        stream=number,
        client=sender if client_first else receiver,
        server=receiver if client_first else sender,
        rows=rows,
        from_client=from_client,
        isn=initial_numbers(offers),
        scale=window_shifts(offers),
        mss=announced_mss(offers),
        handshake=outcome.handshake,
        handshake_frames=shown[0],
        teardown=outcome.teardown,
        teardown_frames=shown[1],
        states=outcome.states,
        conn_state=outcome.conn_state,
        history=outcome.history,
        completeness=int(columns.completeness[number]),
        octets=columns.octets_of(number),
        rtt=columns.rtt_of(number),
        flags=flags,
        duplicate_acks=duplicate_acks,
    )


def _read(
    frames: Frames, rows: NDArray[np.int64], from_client: NDArray[np.bool_]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the frames that opened and that closed a connection, by all its segments."""
    opened, closed, _ = how_it_went(segments(frames, rows, from_client, options=False))
    return opened.frames, closed.frames
