"""How late the lab's own wire was, and what hosts sent only because of that: no scenario is about it.

The relay that carries frames is a program. On a busy machine it may have to wait for longer than a
retransmission timer runs: then a segment is sent again whose ACK would have come before that, had the
wire carried both when its rules say. Two captures and the wire's log tell how late it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.run import Evidence
from lab.evidence.touched import WireLog, touched_numbers
from lab.evidence.vantage import Match
from lab.scenarios.script import Segment

OTHER = {"C": "S", "S": "C"}


class _Flight(Struct, frozen=True):
    """One segment on its way; times in ns."""

    segment: Segment
    left: int  # its sender's port
    arrived: int  # at the other port; if it never did, as it left
    late: int  # of that, against the rules

    @property
    def end(self) -> int:
        """The sequence number behind it."""
        one = self.segment
        return one.sequence + one.length + len(one.flags & {"SYN", "FIN"})

    @property
    def is_pure_ack(self) -> bool:
        return self.segment.flags == {"ACK"} and not self.segment.length

    def is_of(self, copy: _Flight) -> bool:
        """Whether this was sent before a copy of it."""
        start = copy.segment.sequence
        same = self.segment.sender == copy.segment.sender
        return same and self.left < copy.left and self.segment.sequence <= start < self.end

    def acknowledges(self, one: _Flight, end: int) -> bool:
        """Whether this was sent when that one had come, for all before ``end``."""
        answers = self.segment.sender != one.segment.sender and self.left >= one.arrived
        return answers and "ACK" in self.segment.flags and self.segment.acknowledgment >= end


def with_lateness(evidence: Evidence, segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments of one connection, in the same order: how late each was, and which are spurious."""
    if evidence.match is None or evidence.wire is None:
        return tuple(segments)
    flights = tuple(_flights(evidence, evidence.match, evidence.wire, segments))
    found = {id(one) for one in _spurious(sorted(flights, key=lambda one: one.left))}
    return tuple(
        replace(
            one.segment,
            late=one.late if one.left < one.segment.time else 0,
            spurious=id(one) in found,
        )
        for one in flights
    )


def _flights(
    evidence: Evidence, match: Match, wire: WireLog, segments: Sequence[Segment]
) -> Iterator[_Flight]:
    """Of each segment."""
    view = evidence.view
    numbers = touched_numbers(view.capture, view.host, wire.touched)
    dues = dict(zip(numbers, (one.due for one in wire.touched), strict=True))
    transits = dict(zip((match.first + 1).tolist(), match.transit.tolist(), strict=True))
    for one in segments:
        left, arrived = sorted((one.time, one.time + transits.get(one.number, 0)))
        due = dues.get(one.number, left) or arrived  # 0: held back for others, for how long depends
        yield _Flight(one, left, arrived, max(arrived - due, 0))


def _spurious(flights: Sequence[_Flight]) -> Iterator[_Flight]:
    """The copies that were sent too soon, and what each draws where it arrives: an ACK, or SYN,ACK.

    ``flights``: in the order in which they left.
    """
    sent: dict[str, int] = defaultdict(int)  # the highest number behind a segment, by sender
    acknowledged: dict[str, int] = defaultdict(int)  # by who acknowledges
    unanswered: dict[str, list[int]] = defaultdict(list)  # arrivals of copies, by receiver
    for one in flights:
        sender, ack = one.segment.sender, one.segment.acknowledgment
        came = [time for time in unanswered[sender] if time <= one.left]
        is_copy = one.segment.sequence < min(one.end, sent[sender])
        says_nothing_new = one.is_pure_ack and ack <= acknowledged[sender]
        answers = bool(came) and (says_nothing_new or (is_copy and "SYN" in one.segment.flags))
        if answers:
            unanswered[sender].remove(came[0])
        if answers or (is_copy and _is_too_soon(one, flights)):
            yield one
            if is_copy and one.arrived > one.left:
                unanswered[OTHER[sender]].append(one.arrived)
        sent[sender] = max(sent[sender], one.end)
        acknowledged[sender] = max(acknowledged[sender], ack)


def _is_too_soon(copy: _Flight, flights: Sequence[_Flight]) -> bool:
    """Whether an ACK that had not come would have, by the rules, before the copy was sent."""
    for first in (one for one in flights if one.is_of(copy) and one.arrived > one.left):
        ack = next((one for one in flights if one.acknowledges(first, copy.end)), None)
        if ack and ack.arrived - ack.late - first.late < copy.left < ack.arrived:
            return True
    return False
