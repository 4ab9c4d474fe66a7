"""Exchanges by how badly they went: sorted as columns, so that only those that are told are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.run import View
from lab.filters.talks import Talk
from lab.findings.base import Finding, Severity
from lab.packets.distinct import counted
from lab.report.paragraphs import FAILED
from lab.tcp.connections import Connections
from lab.tcp.model import Connection, Handshake, Teardown
from lab.tcp.outcomes import Outcome
from lab.udp.exchanges import Exchanges
from lab.udp.model import Exchange

if TYPE_CHECKING:  # who asks for no filter does without
    from lab.filters.chosen import Chosen

Ints = NDArray[np.int64]

HANDSHAKES = tuple(Handshake)
Columns = tuple[Ints, Ints, Ints, Ints]
"""Handshake, trouble, segments with a flag, first row: one entry an exchange."""

UDP = -1
"""In place of a handshake."""


class Ranking(Struct, frozen=True):
    """The exchanges of a view, worst first."""

    view: View
    order: Ints  # positions: the connections by their numbers, after them the UDP exchanges
    handshake: Ints  # by position: index into HANDSHAKES, or UDP

    def __len__(self) -> int:
        return len(self.order)

    def first(self, count: int) -> Iterator[Talk]:
        """Make the worst of them."""
        connections = len(self.view.connections)
        for at in self.order[:count].tolist():
            if at < connections:
                yield self.view.connections[at]
            else:
                yield self.view.exchanges[at - connections]

    def after(self, count: int) -> Counter[Handshake | None]:
        """How the others opened; None counts the UDP exchanges."""
        codes, totals = counted(self.handshake[self.order[count:]])
        kinds = (None if code == UDP else HANDSHAKES[code] for code in codes.tolist())
        return Counter(dict(zip(kinds, totals.tolist(), strict=True)))


def ranking(view: View, found: Iterable[Finding], chosen: Chosen | None = None) -> Ranking:
    """Rank by the worst that was found about an exchange, then by how it went.

    ``chosen``: only these.
    """
    handshake, trouble, flagged, begin = (
        np.concatenate(pair)
        for pair in zip(_connections(view), _exchanges(view.exchanges), strict=True)
    )
    gravity = _gravity(view, found)
    order = np.lexsort((begin, -flagged, -trouble, -gravity))
    if chosen is not None:
        order = order[np.isin(order, chosen.positions)]
    return Ranking(view, order, handshake)


def _gravity(view: View, found: Iterable[Finding]) -> Ints:
    """The rank of the worst finding about each exchange; 0 without one."""
    ranks = {severity: rank for rank, severity in enumerate(Severity, 1)}
    offset = {"tcp": 0, "udp": len(view.connections)}
    gravity: Ints = np.zeros(len(view.connections) + len(view.exchanges), np.int64)
    for one in found:
        if one.stream is not None:
            at = offset[one.protocol] + one.stream
            gravity[at] = max(gravity[at], ranks[one.severity])
    return gravity


def _connections(view: View) -> Columns:
    every = view.connections
    if isinstance(every, Connections):
        table = every.table
        handshake, trouble = _went(table.outcomes)
        begin = table.begins()
        return handshake[table.outcome], trouble[table.outcome], table.flagged(), begin
    handshake, trouble = _went(every)
    flagged = np.array([len(one.flags) for one in every], np.int64)
    return handshake, trouble, flagged, np.array([one.rows[0] for one in every], np.int64)


def _went(every: Sequence[Connection | Outcome]) -> tuple[Ints, Ints]:
    """How connections opened; how badly they went: never opened (3), were reset (2), else 0."""
    handshake = np.array([HANDSHAKES.index(one.handshake) for one in every], np.int64)
    failed = np.array([one.handshake in FAILED for one in every], np.bool_)
    reset = np.array([one.teardown is Teardown.RESET for one in every], np.bool_)
    return handshake, np.where(failed, 3, np.where(reset, 2, 0))


def _exchanges(every: Sequence[Exchange]) -> Columns:
    """Trouble of an exchange: an ICMP error answered it (3), nothing did (1), else 0."""
    if isinstance(every, Exchanges):
        silent, begin = every.table.datagrams[1] == 0, every.table.begin
        trouble = np.where(every.answered(), 3, np.where(silent, 1, 0))
        none: Ints = np.zeros(len(every), np.int64)
        return none + UDP, trouble, none, begin
    errors = np.array([bool(one.errors) for one in every], np.bool_)
    quiet = np.array([not one.datagrams[1] for one in every], np.bool_)
    none = np.zeros(len(every), np.int64)
    begin = np.array([one.rows[0] for one in every], np.int64)
    return none + UDP, np.where(errors, 3, np.where(quiet, 1, 0)), none, begin
