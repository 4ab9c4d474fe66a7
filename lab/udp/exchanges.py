"""From a capture's columns to its UDP exchanges, with the ICMP errors that answered them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from msgspec import Struct
from msgspec.structs import astuple, replace
from numpy.typing import NDArray

from lab.packets.distinct import among
from lab.packets.frames import Capture, Frames, Protocol
from lab.packets.pages import touched
from lab.packets.pairs import ends, pairs
from lab.packets.parts import only, parts, with_header
from lab.packets.scratch import scratch_of
from lab.udp.errors import errors
from lab.udp.model import Exchange

Ints = NDArray[np.int64]

LIKELY_SERVER_PORTS = frozenset(
    {53, 67, 88, 123, 137, 161, 162, 389, 443, 514, 1434, 1812, 3544, 4011, 4789, 5060, 5353, 5355}
    | {2123, 2152, 3389, 5072, 6081}
)
"""The UDP ports for which Zeek's base scripts register an analyser."""

A_DATAGRAM = 400
"""Octets that a datagram takes in memory while exchanges are sorted."""


class Table(Struct, frozen=True):
    """All exchanges as columns; one entry an exchange unless said otherwise."""

    row: Ints  # of each datagram, the exchanges' one after another, not in their order
    from_client: NDArray[np.bool_]  # one entry a datagram too
    first: Ints  # where the datagrams of each begin
    counts: Ints  # of datagrams
    begin: Ints  # row of the first datagram
    datagrams: Ints  # (2, exchanges) that the client sent, and the server
    octets: Ints  # (2, exchanges) payload of those


class Exchanges(Sequence[Exchange]):
    """A capture's exchanges, in order of the first datagram (udp.stream); each is made when asked for."""

    def __init__(self, frames: Frames, table: Table, answered: Mapping[int, list[int]]) -> None:
        """``answered``: rows of the ICMP errors by the row of the datagram that they answer."""
        self.frames, self.table, self._answered = frames, table, answered
        self._made: dict[int, Exchange] = {}

    def __len__(self) -> int:
        return len(self.table.first)

    @overload
    def __getitem__(self, index: int) -> Exchange: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Exchange, ...]: ...

    def __getitem__(self, index: int | slice) -> Exchange | tuple[Exchange, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(len(self))[index])
        number = range(len(self))[index]
        if number in self._made:
            return self._made[number]
        made = _exchange(self.frames, self.table, number, self._answered)
        touched(self.frames.octets, int(self.frames.start[made.rows[0]]), len(made.rows))
        if scratch_of(self.frames.octets) is None:
            self._made[number] = made
        return made

    def answered(self) -> NDArray[np.bool_]:
        """Which exchanges an ICMP error answered."""
        found = np.zeros(len(self), np.bool_)
        if rows := [*self._answered]:
            order = np.argsort(self.table.first)
            at = np.flatnonzero(among(self.table.row, rows))
            found[order[np.searchsorted(self.table.first[order], at, side="right") - 1]] = True
        return found

    def __iter__(self) -> Iterator[Exchange]:
        return (self[i] for i in range(len(self)))


def exchanges(capture: Capture) -> Exchanges:
    """Every UDP exchange of a capture."""
    frames = capture.frames
    answered = errors(frames, with_header(frames, Protocol.UDP))
    return Exchanges(frames, _table(frames), answered)


def _table(frames: Frames) -> Table:
    scratch = scratch_of(frames.octets)
    if scratch is None:
        rows = with_header(frames, Protocol.UDP)
        return _joined([_part(frames, rows, rows)])
    row, from_client = scratch.growing(np.int64), scratch.growing(np.bool_)
    found = []
    for rows in parts(frames, Protocol.UDP, scratch.work // A_DATAGRAM):
        part = _part(only(frames, rows), np.arange(len(rows)), rows)
        row.add(part.row)
        from_client.add(part.from_client)
        found.append(replace(part, row=rows[:0], from_client=part.from_client[:0].copy()))
        scratch.settle()
    return replace(_joined(found), row=row.whole(), from_client=from_client.whole())


def _joined(found: list[Table]) -> Table:
    """All parts together, the exchanges in their order."""
    columns = zip(*(astuple(one) for one in found), strict=True)
    row, from_client, _, counts, begin, datagrams, octets = (
        np.concatenate(parts, axis=-1) for parts in columns
    )
    order = np.argsort(begin)
    return Table(
        row=row,
        from_client=from_client,
        first=(np.cumsum(counts) - counts)[order],
        counts=counts[order],
        begin=begin[order],
        datagrams=datagrams[:, order],
        octets=octets[:, order],
    )


def _part(frames: Frames, rows: Ints, numbers: Ints) -> Table:
    """The exchanges of some datagrams, all that passed between their ends.

    ``numbers``: what stands for these rows in the columns of all.
    """
    order, first, by_first = pairs(frames, rows)
    length = frames.payload_length[rows[order]].astype(np.int64)
    both = np.stack([by_first, ~by_first]).astype(np.int64)
    if len(first):
        datagrams, octets = (np.add.reduceat(each, first, axis=1) for each in (both, both * length))
    else:
        datagrams = octets = np.zeros((2, 0), np.int64)
    row = numbers[order]
    counts = np.diff(first, append=len(row))
    return Table(row, by_first, first, counts, row[first], datagrams, octets)


def _exchange(
    frames: Frames, table: Table, number: int, answered: Mapping[int, list[int]]
) -> Exchange:
    at = slice(int(table.first[number]), int(table.first[number] + table.counts[number]))
    rows = table.row[at].copy()
    client, server = ends(frames, int(rows[0]))
    sent, received = table.datagrams[:, number].tolist()
    own, other = table.octets[:, number].tolist()
    told = rows.tolist() if answered else ()
    return Exchange(
        stream=number,
        client=client,
        server=server,
        rows=rows,
        from_client=table.from_client[at].copy(),
        datagrams=(sent, received),
        octets=(own, other),
        conn_state=_conn_state((sent, received), client.port, server.port),
        errors=tuple((icmp + 1, row + 1) for row in told for icmp in answered.get(row, ())),
    )


def _conn_state(datagrams: tuple[int, int], client: int, server: int) -> str:
    """SF: both sent. One-sided: S0, or SHR where the port says that it was the server."""
    if all(datagrams):
        return "SF"
    from_server = client in LIKELY_SERVER_PORTS and (
        server not in LIKELY_SERVER_PORTS or client < server
    )
    return "SHR" if from_server else "S0"
