"""The exchanges that were chosen, by their numbers; each is made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from lab.evidence.run import View
from lab.filters.expression import Question
from lab.filters.sheet import Found, TcpSheet, UdpSheet
from lab.filters.talks import Talk
from lab.tcp.columns import Ints, Mask
from lab.tcp.model import Connection


class Chosen:
    """Some exchanges of a view, in order of their numbers: the connections, after them UDP."""

    def __init__(self, view: View, connections: Ints, exchanges: Ints) -> None:
        self.view, self.connections, self.exchanges = view, connections, exchanges

    def __len__(self) -> int:
        return len(self.connections) + len(self.exchanges)

    def __iter__(self) -> Iterator[Talk]:
        for number in self.connections.tolist():
            yield self.view.connections[number]
        for number in self.exchanges.tolist():
            yield self.view.exchanges[number]

    @property
    def positions(self) -> Ints:
        """Their numbers; those of UDP exchanges are counted on from the last connection's."""
        return np.concatenate((self.connections, self.exchanges + len(self.view.connections)))

    def frames(self) -> Mask:
        """Which frames of the capture are theirs."""
        found = np.zeros(len(self.view.capture.frames), np.bool_)
        for sheet, numbers in zip(_sheets(self.view, {}), self._numbers(), strict=True):
            wanted = sheet.every(holds=False)
            wanted[numbers] = True
            found[sheet.rows[np.repeat(wanted, sheet.counts())]] = True
        return found

    def has(self, protocol: str, stream: int) -> bool:
        """Whether an exchange is one of them."""
        numbers = self.connections if protocol == "tcp" else self.exchanges
        at = int(np.searchsorted(numbers, stream))
        return at < len(numbers) and int(numbers[at]) == stream

    def in_order(self) -> list[Talk]:
        """All of them, in order of their first frame."""
        return sorted(self, key=lambda talk: int(talk.rows[0]))

    def _numbers(self) -> tuple[Ints, Ints]:
        return self.connections, self.exchanges


def choose(view: View, found: Found, question: Question) -> Chosen:
    """The exchanges of which an expression is true; ``found``: what was found about them."""
    return Chosen(view, *(np.flatnonzero(question.holds(one)) for one in _sheets(view, found)))


def just(view: View, talks: Iterable[Talk]) -> Chosen:
    """These exchanges of a view."""
    numbers: tuple[list[int], list[int]] = ([], [])
    for talk in talks:
        numbers[not isinstance(talk, Connection)].append(talk.stream)
    return Chosen(view, *(np.array(sorted(each), np.int64) for each in numbers))


def _sheets(view: View, found: Found) -> tuple[TcpSheet, UdpSheet]:
    return TcpSheet(view, found), UdpSheet(view, found)
