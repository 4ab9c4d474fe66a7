"""The exchanges of one protocol as columns: what a filter asks of all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.glance import table
from lab.evidence.run import View
from lab.filters.values import canonical
from lab.findings.base import Finding
from lab.packets.addresses import address_text
from lab.packets.distinct import grouped, ranked
from lab.packets.frames import Frames
from lab.tcp.columns import Ints, Mask
from lab.tcp.judging import NO_RTT
from lab.tcp.model import Analysis
from lab.tcp.outcomes import Outcome

Found = Mapping[tuple[str, int | None], tuple[Finding, ...]]
"""Findings by protocol and stream."""

Test = Callable[[Any], Any]
"""Compares a value, or each entry of an array, with what was asked for."""


class Values(Struct, frozen=True):
    """The values of a field; an exchange may have none or several."""

    owner: Ints  # the exchange that each entry is of
    entries: NDArray[Any]  # numbers; of words, positions in ``words``
    words: Sequence[str] | None = None

    def that(self, test: Test) -> Mask:
        """The entries for which a test holds."""
        if self.words is None:
            return np.asarray(test(self.entries), np.bool_)
        found: Mask = np.array([test(word) for word in self.words], np.bool_)[self.entries]
        return found


class Sheet:
    """The exchanges of one protocol, in order of their numbers; sides are 0, the client, and 1."""

    protocol: str
    octets: Ints  # payload of both directions

    def __init__(self, frames: Frames, rows: Ints, first: Ints, turned: Mask, found: Found) -> None:
        """``rows``: their frames, one exchange after another; ``first``: where each begins.

        ``turned``: the server sent the first frame.
        """
        self.time, self.rows, self.first = frames.time, rows, first
        self._frames, self._turned, self._found = frames, turned, found
        self._stream = np.arange(len(first))

    def __len__(self) -> int:
        return len(self.first)

    def every(self, *, holds: bool) -> Mask:
        """The same answer for all."""
        return np.full(len(self), holds)

    def any_of(self, values: Values, test: Test | None = None) -> Mask:
        """The exchanges with a value for which a test holds; without one, with any value."""
        found = self.every(holds=False)
        found[values.owner if test is None else values.owner[values.that(test)]] = True
        return found

    def any_frame(self, wanted: Mask) -> Mask:
        """The exchanges with a frame that is wanted; ``wanted``: one entry a frame of the capture."""
        return self.any_of(self.of_frames(wanted[self.rows]), lambda entries: entries)

    def carrying(self, flag: Analysis) -> Mask:
        """The exchanges of which a frame carries one of Wireshark's flags."""
        return self.every(holds=False)

    # ------------------------------------------------------------- values

    def numbers(self, *columns: Ints) -> Values:
        """A value an exchange in each column."""
        return Values(np.tile(self._stream, len(columns)), np.concatenate(columns))

    def of_frames(self, entries: NDArray[Any]) -> Values:
        """A value a frame, in the order of ``rows``."""
        return Values(np.repeat(self._stream, self.counts()), entries)

    def outcomes(self, *words: Callable[[Outcome], str]) -> Values:
        """Words about how each TCP connection went."""
        return Values(self._stream[:0], self._stream[:0])

    def rtt(self) -> Values:
        """Wireshark's initial RTT, ns, of TCP connections that show it."""
        return Values(self._stream[:0], self._stream[:0])

    def conn_state(self) -> Values:
        """Zeek's verdict."""
        raise NotImplementedError

    def streams(self) -> Values:
        """Their numbers."""
        return self.numbers(self._stream)

    def counts(self) -> Ints:
        """Frames of each."""
        return np.diff(np.append(self.first, len(self.rows)))

    def times(self) -> Ints:
        """Of each of ``rows``, ns since 1970-01-01 UTC."""
        return self.time[self.rows]

    def begin(self) -> int:
        """The earliest time of a frame of the capture, ns since 1970-01-01 UTC."""
        return int(self.time.min(initial=(1 << 63) - 1))

    def spans(self) -> Ints:
        """From the earliest frame of each to its latest, ns."""
        if not len(self):
            return self._stream
        earliest, latest = (
            pick.reduceat(self.times(), self.first) for pick in (np.minimum, np.maximum)
        )
        return np.asarray(latest - earliest)

    def addresses(self, *sides: int) -> Values:
        """The addresses of these sides."""
        rows, frames = self.rows[self.first], self._frames
        halves = np.concatenate([frames.source[rows], frames.destination[rows]])
        high, low = (ranked(half)[1] for half in halves.T)
        _, first, which = grouped(high << 32 | low)
        words = [address_text(*pair) for pair in halves[first].tolist()]
        ends = self._ends(which[: len(rows)], which[len(rows) :])
        found = self.numbers(*(ends[side] for side in sides))
        return Values(found.owner, found.entries, words)

    def ports(self, *sides: int) -> Values:
        """The ports of these sides."""
        rows, frames = self.rows[self.first], self._frames
        ends = self._ends(frames.source_port[rows], frames.destination_port[rows])
        return self.numbers(*(ends[side] for side in sides))

    def findings(self, word: Callable[[Finding], str]) -> Values:
        """A word of each finding about them."""
        own = [
            (stream, word(one))
            for (protocol, stream), several in self._found.items()
            if protocol == self.protocol and stream is not None
            for one in several
        ]
        owner = np.array([stream for stream, _ in own], np.int64)
        return Values(owner, np.arange(len(own)), [said for _, said in own])

    def _ends(self, sender: NDArray[Any], receiver: NDArray[Any]) -> tuple[Ints, Ints]:
        """(client's, server's) of what the first frame's sender and receiver have."""
        client = np.where(self._turned, receiver, sender)
        return client.astype(np.int64), np.where(self._turned, sender, receiver).astype(np.int64)


class TcpSheet(Sheet):
    """The TCP connections of a view."""

    protocol = "tcp"

    def __init__(self, view: View, found: Found) -> None:
        self._table = columns = table(view)
        s, turned = columns.segments, columns.whose(lambda outcome: not outcome.client_first)
        super().__init__(view.capture.frames, s.row, s.first, turned, found)
        self.octets = columns.octets.sum(axis=0)

    def carrying(self, flag: Analysis) -> Mask:
        marked = (self._table.flags & int(flag)) != 0
        return self.any_of(self.of_frames(marked), lambda entries: entries)

    def outcomes(self, *words: Callable[[Outcome], str]) -> Values:
        each, known = self._table.outcome, self._table.outcomes
        found = self.numbers(*(each + turn * len(known) for turn in range(len(words))))
        said = [word(outcome) for word in words for outcome in known]
        return Values(found.owner, found.entries, said)

    def rtt(self) -> Values:
        seen = np.flatnonzero(self._table.rtt != NO_RTT)
        return Values(seen, self._table.rtt[seen])

    def conn_state(self) -> Values:
        return self.outcomes(lambda outcome: canonical(outcome.conn_state))


class UdpSheet(Sheet):
    """The UDP exchanges of a view; the client of each sent its first datagram."""

    protocol = "udp"

    def __init__(self, view: View, found: Found) -> None:
        every, none = view.exchanges, np.empty(0, np.int64)
        sizes = np.array([len(one.rows) for one in every], np.int64)
        rows = np.concatenate([none, *(one.rows for one in every)])
        turned = np.zeros(len(every), np.bool_)
        super().__init__(view.capture.frames, rows, np.cumsum(sizes) - sizes, turned, found)
        self.octets = np.array([sum(one.octets) for one in every], np.int64)
        self._every = every

    def conn_state(self) -> Values:
        words = [canonical(one.conn_state) for one in self._every]
        return Values(self._stream, self._stream, words)
