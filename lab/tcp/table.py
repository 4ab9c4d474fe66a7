"""All connections of a capture as columns: what is read when many are counted, sorted or searched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.pages import leave
from lab.packets.parts import fetched
from lab.tcp.alike import UNTOLD
from lab.tcp.columns import Ints, Mask, Segments, bounds
from lab.tcp.judging import NO_RTT
from lab.tcp.model import Analysis
from lab.tcp.outcomes import Outcome, Places

TOGETHER = 1 << 16
"""Segments that are looked at together."""


class Part(Struct, frozen=True):
    """Some connections of a table, with columns of their segments."""

    begin: int  # number of the first
    segments: Segments
    flags: NDArray[np.uint16]  # Analysis


class Table(Struct, frozen=True):
    """The columns; one entry a connection unless said otherwise."""

    segments: Segments
    reused: Mask  # its ports had carried an earlier connection
    flags: NDArray[np.uint16]  # Analysis, one entry a segment
    duplicate: Ints  # positions of the segments that are duplicate ACKs, ascending
    nth: Ints  # which one in a row each of them is
    rtt: Ints  # Wireshark's initial RTT, ns; NO_RTT: the capture does not show it
    one_by_one: Ints  # (few,) connections whose flags `lab.tcp.flags` had to find
    completeness: NDArray[np.uint8]  # Wireshark's tcp.completeness
    octets: Ints  # (2, connections) payload that either end sent, the first sender's first
    outcome: Ints  # position in ``outcomes``
    outcomes: tuple[Outcome, ...]  # the different ones
    mattering: Ints  # positions of the segments that matter for the outcomes, ascending
    shown: Ints  # which of ``places`` show the outcome; UNTOLD
    places: tuple[Places, ...]

    def __len__(self) -> int:
        return len(self.segments.first)

    def begins(self) -> Ints:
        """The row of the first segment of each connection."""
        return fetched(self.segments.row, self.segments.first)

    def bounds(self, number: int) -> slice:
        """Where one connection's segments stand among the segments."""
        return self.segments.bounds(number)

    def parts(self) -> Iterator[Part]:
        """All connections, some at a time: what is computed of many segments stays small."""
        s = self.segments
        for begin, end in bounds(s.first, TOGETHER):
            at = slice(int(s.first[begin]), s.bounds(end - 1).stop)
            yield Part(begin, s.part(begin, end), self.flags[at])
            leave(s.row)

    def rows(self, number: int) -> Ints:
        """Its segments, as indices into the capture's columns."""
        return self.segments.row[self.bounds(number)]

    def second(self, number: int) -> Mask:
        """Which of them the end sent that did not send the first."""
        return self.segments.second[self.bounds(number)]

    def outcome_of(self, number: int) -> Outcome:
        """What became of one connection."""
        return self.outcomes[int(self.outcome[number])]

    def frames_of(self, number: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Numbers of the frames that opened and that closed one connection.

        None where only its segments, read one after another, tell them.
        """
        if self.shown[number] == UNTOLD:
            return None
        places, at = self.places[int(self.shown[number])], self.bounds(number)
        begin, end = np.searchsorted(self.mattering, (at.start, at.stop))
        frames = (self.segments.row[self.mattering[begin:end]] + 1).tolist()
        opened, closed = (
            tuple(frames[i] for i in some) for some in (places.handshake, places.teardown)
        )
        return opened, closed

    def rtt_of(self, number: int) -> int | None:
        """The initial RTT of one connection, ns."""
        rtt = int(self.rtt[number])
        return None if rtt == NO_RTT else rtt

    def octets_of(self, number: int) -> tuple[int, int]:
        """Payload of one connection: the client's, the server's."""
        first, second = self.octets[:, number].tolist()
        return (first, second) if self.outcome_of(number).client_first else (second, first)

    def whose(self, outcome: Callable[[Outcome], bool]) -> Mask:
        """The connections for whose outcome this holds."""
        found: Mask = np.array([outcome(one) for one in self.outcomes], np.bool_)[self.outcome]
        return found

    def carrying(self, flags: Analysis) -> Mask:
        """The connections of which a segment carries any of these flags."""
        found: Mask = (self.carried() & int(flags)) != 0
        return found

    def carried(self) -> NDArray[np.uint16]:
        """The flags that the segments of each connection carry."""
        found = [np.zeros(0, np.uint16)]
        found += [np.bitwise_or.reduceat(one.flags, one.segments.first) for one in self.parts()]
        return np.concatenate(found)

    def flagged(self) -> Ints:
        """How many segments of each connection carry a flag."""
        marked = ((one.flags != 0, one.segments.first) for one in self.parts())
        found = [np.add.reduceat(flags.astype(np.int64), first) for flags, first in marked]
        return np.concatenate([np.zeros(0, np.int64), *found])

    def flags_of(self, number: int) -> tuple[dict[int, Analysis], dict[int, int]]:
        """One connection's flags, and which duplicate ACK is which, by frame number."""
        at = self.bounds(number)
        flags, frames = self.flags[at], self.segments.row[at] + 1
        some = np.flatnonzero(flags != 0)
        if not len(some):
            return {}, {}
        found = zip(frames[some].tolist(), flags[some].tolist(), strict=True)
        begin, end = np.searchsorted(self.duplicate, (at.start, at.stop))
        numbers = self.segments.row[self.duplicate[begin:end]] + 1
        nth = dict(zip(numbers.tolist(), self.nth[begin:end].tolist(), strict=True))
        return {frame: Analysis(value) for frame, value in found}, nth
