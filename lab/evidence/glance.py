"""Many connections at a glance: what is said of them together is counted in columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.run import View
from lab.packets.addresses import Endpoint
from lab.packets.distinct import among, distinct, grouped, ranked
from lab.packets.frames import Frames
from lab.packets.pairs import ends
from lab.packets.parts import fetched
from lab.tcp.columns import Ints, Mask
from lab.tcp.connections import Connections, connections
from lab.tcp.model import Handshake
from lab.tcp.table import Table


def as_columns(view: View) -> Connections:
    """A view's connections, to be asked for columns; found anew if they were made one by one."""
    every = view.connections
    return every if isinstance(every, Connections) else connections(view.capture)


def table(view: View) -> Table:
    """A view's connections as columns."""
    return as_columns(view).table


def opened(columns: Table, ways: Collection[Handshake]) -> Mask:
    """Which connections opened in one of these ways."""
    return columns.whose(lambda outcome: outcome.handshake in ways)


class Glance(Struct, frozen=True):
    """Who talked to whom; one entry a connection, in order of the first segment."""

    frames: Frames
    stream: Ints
    row: Ints  # of the first segment
    client_first: Mask  # who sent it
    client: Ints  # an address, as a number that stands for it here
    server: Ints
    client_port: Ints
    server_port: Ints

    def __len__(self) -> int:
        return len(self.stream)

    def only(self, wanted: Mask) -> Glance:
        """Some of them."""
        columns = (getattr(self, name)[wanted] for name in self.__struct_fields__[1:])
        return Glance(self.frames, *columns)

    def ends(self, at: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of one."""
        sender, receiver = ends(self.frames, int(self.row[at]))
        return (sender, receiver) if self.client_first[at] else (receiver, sender)

    def between(self, wanted: Collection[tuple[Endpoint, Endpoint]]) -> Mask:
        """Those whose (client, server) is one of the wanted."""
        ports = [client.port << 16 | server.port for client, server in wanted]
        found: Mask = among(self.client_port << 16 | self.server_port, ports)
        near = np.flatnonzero(found)  # the addresses of few have to be written out
        found[near] = [self.ends(at) in wanted for at in near.tolist()]
        return found


def glance(view: View, wanted: Mask) -> Glance:
    """Some connections of a view: ``wanted`` has one entry a connection."""
    columns, frames = table(view), view.capture.frames
    stream = np.flatnonzero(wanted)
    row = columns.begins()[stream]
    forth = columns.whose(lambda outcome: outcome.client_first)[stream]
    addresses = _numbered(
        np.concatenate([fetched(frames.source, row), fetched(frames.destination, row)])
    )
    sender, receiver = np.split(addresses, 2)
    columns_of_ports = frames.source_port, frames.destination_port
    ports = [fetched(column, row).astype(np.int64) for column in columns_of_ports]
    return Glance(
        frames,
        stream,
        row,
        forth,
        np.where(forth, sender, receiver),
        np.where(forth, receiver, sender),
        np.where(forth, *ports),
        np.where(forth, *ports[::-1]),
    )


def _numbered(addresses: NDArray[np.uint64]) -> Ints:
    """A small number for each address; shape (n, 2) to (n,)."""
    high, low = (ranked(half)[1] for half in addresses.T)
    found: Ints = ranked(high << 32 | low)[1]
    return found


class Groups:
    """Entries that are alike in two columns of small numbers, in order of each group's first."""

    def __init__(self, one: Ints, other: Ints) -> None:
        _, first, group = grouped(one << 32 | other)
        counts = np.bincount(group, minlength=len(first))
        order = np.argsort(first)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        self.of: Ints = place[group]  # the group of each entry
        self.counts: Ints = counts[order]
        self._entries = np.argsort(self.of, kind="stable")
        self._begin = np.cumsum(self.counts) - self.counts

    def members(self, group: int) -> Ints:
        """The entries of one group, ascending."""
        begin = int(self._begin[group])
        return self._entries[begin : begin + int(self.counts[group])]

    def different(self, values: Ints) -> Ints:
        """How many different values each group has."""
        pairs = distinct(self.of << 32 | values)
        return np.bincount(pairs >> 32, minlength=len(self.counts))

    def with_any(self, wanted: Mask) -> Mask:
        """Which groups have an entry that is wanted."""
        found = np.zeros(len(self.counts), np.bool_)
        found[self.of[wanted]] = True
        return found

    def of_at_least(self, count: int) -> Iterator[Ints]:
        """The entries of each group that has so many."""
        yield from (self.members(g) for g in np.flatnonzero(self.counts >= count).tolist())
