"""When a SYN or FIN reached the other end, told from what that end acknowledges afterwards.

One vantage point sees a segment pass, not arrive. A copy may be lost beyond it, or be still on
its way when the other end sends its own: then its arrival is dated later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from msgspec import Struct

from lab.tcp.segments import Segment


class Control(Struct, frozen=True):
    """The copies of one end's SYN or FIN, and what became of them. Positions, not frames."""

    side: int
    fin: bool
    copies: tuple[int, ...]
    answer: int | None  # the first segment of the other end that acknowledges it

    @property
    def delivered(self) -> int:
        """The copy that succeeded: the last one before the answer, the first if there is none."""
        if self.answer is None:
            return self.copies[0]
        return self.copies[bisect_left(self.copies, self.answer) - 1]


def control(segments: Sequence[Segment], side: int, *, fin: bool) -> Control | None:
    """Find one end's SYN or FIN; None if it sent none."""
    copies = tuple(
        i for i, s in enumerate(segments) if s.side == side and (s.fin if fin else s.syn)
    )
    if not copies:
        return None
    number = segments[copies[0]].end if fin else segments[copies[0]].sequence + 1
    later = range(copies[0] + 1, len(segments))
    answers = (i for i in later if segments[i].side != side and segments[i].acknowledges(number))
    return Control(side, fin, copies, next(answers, None))


class Deliveries(Struct, frozen=True):
    """At which position each SYN and FIN counts as received."""

    at_position: dict[int, list[Control]]

    def at(self, i: int, segment: Segment) -> bool:
        """Whether the SYN or FIN of the segment at this position is received as it passes."""
        return any(c.side == segment.side and i in c.copies for c in self.at_position.get(i, ()))

    def late(self, i: int, segment: Segment) -> Iterator[tuple[int, bool]]:
        """(sender, is a FIN) of what passed earlier and is received before this segment is."""
        for found in self.at_position.get(i, ()):
            if i not in found.copies or found.side != segment.side:
                yield found.side, found.fin


def deliveries(segments: Sequence[Segment]) -> Deliveries:
    """Date the arrival of every SYN and FIN of a connection."""
    positions: dict[int, list[Control]] = {}
    for fin in (False, True):
        for side in (0, 1):
            found = control(segments, side, fin=fin)
            if found is not None and (position := _arrival(segments, found)) is not None:
                positions.setdefault(position, []).append(found)
    return Deliveries(positions)


def _arrival(segments: Sequence[Segment], sent: Control) -> int | None:
    """The passing itself, unless the receiver then sends something that does not know of it."""
    until = len(segments) if sent.answer is None else sent.answer
    unaware = [
        i
        for i in range(sent.delivered + 1, until)
        if segments[i].side != sent.side and not segments[i].rst
    ]
    if not unaware:
        return sent.delivered
    following = range(unaware[-1] + 1, until)
    return next((i for i in following if segments[i].side == sent.side), sent.answer)
