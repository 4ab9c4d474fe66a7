"""Socket calls in their lanes: how long each took, which frames it sent, which one woke it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.calls import Call
from lab.page.geometry import Axis, Journey, depths, span
from lab.page.scene import Bar, CallRow, Row
from lab.report.events import CallEvent
from lab.report.people import People
from lab.units import short_span

SENDS = frozenset(
    (
        "connect",
        "connect_ex",
        "send",
        "sendall",
        "sendto",
        "sendmsg",
        "sendfile",
        "write",
        "close",
        "shutdown",
    )
)
WAITS = frozenset(
    ("accept", "accept4", "recv", "recvfrom", "recvmsg", "recv_into", "read", "connect")
)
OPENS = frozenset(("connect", "connect_ex", "accept", "accept4"))
"""A bare ACK can be their doing, or what wakes them."""

LOCAL = frozenset(
    ("socket", "bind", "listen", "setsockopt", "getsockopt", "settimeout", "setblocking")
)
DEEPEST = 4
"""Brackets that find room side by side."""

MOST_TIED = 40
"""Frames that a call is tied to; a long transfer has thousands."""


class Book:
    """All calls of a run, found again by the events that the ladder made of them."""

    def __init__(self, every: Mapping[str, Sequence[Call]], who: People) -> None:
        """``every``: by host."""
        self._entries: dict[tuple[str, int], list[Call]] = defaultdict(list)
        self._returns: dict[tuple[str, int], list[Call]] = defaultdict(list)
        for host, made in every.items():
            letter = who.of(host)
            for call in made:
                self._entries[letter, call.before].append(call)
                self._returns[letter, call.after].append(call)

    def find(self, event: CallEvent) -> Call | None:
        """The call of an event, entry or return."""
        book = self._returns if event.phase == "ret" else self._entries
        found = book.get((event.host, event.time), [])
        fits = (call for call in found if event.words.startswith(call.function))
        return next(fits, found[0] if found else None)


def known(row: CallRow, call: Call | None) -> CallRow:
    """The row with what the log says of the call."""
    if call is None:
        return row
    lasted = short_span(call.after - call.before)
    return replace(row, failed=bool(call.error), lasted=lasted, until=call.after)


class _Passing(Struct, frozen=True):
    """A frame at one host's port."""

    time: int
    key: str
    sent: bool
    look: str

    @property
    def bare(self) -> bool:
        """It opens, closes and carries nothing: the kernel's own doing."""
        return self.look.startswith("ack")


def tied(
    rows: Sequence[Row], journeys: Mapping[int, Journey], letters: tuple[str, str], book: Book
) -> tuple[Row, ...]:
    """The rows, each call tied to the frames that it sent and to the one that woke it."""
    passing: dict[str, list[_Passing]] = {letter: [] for letter in letters}
    for index, journey in journeys.items():
        sender, receiver = letters if journey.rightward else letters[::-1]
        look = getattr(rows[index], "look", "")
        if journey.sent is not None and not journey.forged:
            passing[sender].append(_Passing(journey.sent, rows[index].key, True, look))
        if journey.arrived is not None and not journey.lost:
            passing[receiver].append(_Passing(journey.arrived, rows[index].key, False, look))
    for one in passing.values():
        one.sort(key=lambda frame: frame.time)
    return tuple(
        _tied(row, passing.get(row.event.host, ()), book) if isinstance(row, CallRow) else row
        for row in rows
    )


def _tied(row: CallRow, passing: Sequence[_Passing], book: Book) -> CallRow:
    call = book.find(row.event)
    if call is None or row.event.times > 1 or call.function in LOCAL:
        return replace(
            row, silent=call is not None and call.function in LOCAL and not row.event.phase
        )
    inside = _inside(passing, call.before, call.after)
    found: list[str] = []
    if row.event.phase != "ret" and call.function in SENDS:
        own = [one for one in inside if one.sent and (call.function in OPENS or not one.bare)]
        found = [frame.key for frame in own][:MOST_TIED]
    if row.event.phase != "call" and call.function in WAITS and not call.error:
        found += _woke(call, inside)
    silent = not row.event.phase and not inside
    return replace(row, frames=tuple(dict.fromkeys(found)), silent=silent)


def _woke(call: Call, inside: Sequence[_Passing]) -> list[str]:
    """What a call that waits was waiting for: of accept, the segment that ended the handshake."""
    came = [one for one in inside if not one.sent and (call.function in OPENS or not one.bare)]
    if call.function.startswith("accept"):
        return [one.key for one in came if not one.look.startswith("syn")][:1]
    return [one.key for one in came][-1:]


def _inside(passing: Sequence[_Passing], since: int, until: int) -> Sequence[_Passing]:
    def time(frame: _Passing) -> int:
        return frame.time

    return passing[bisect_left(passing, since, key=time) : bisect_right(passing, until, key=time)]


def brackets(rows: Sequence[Row], axis: Axis) -> Iterator[Bar]:
    """A bracket a call during which anything happened, from its entry to its return; side by side
    where they overlap."""
    lasting = [
        row
        for row, following in pairwise(rows)
        if isinstance(row, CallRow) and row.event.phase != "ret"
        if following.event.time < row.until
    ]
    for side in ("left", "right"):
        times = [(row.event.time, row.until) for row in lasting if row.side == side]
        for (since, until), depth in zip(times, depths(times), strict=True):
            yield Bar(side, span(axis, since, until), depth=min(depth, DEEPEST))


def call_rows(rows: Sequence[Row]) -> Iterator[CallRow]:
    """Only the calls."""
    return (row for row in rows if isinstance(row, CallRow))


def senders(rows: Sequence[Row]) -> dict[str, CallRow]:
    """By key of a frame: the call that sent it."""
    found: dict[str, CallRow] = {}
    for row in call_rows(rows):
        if row.event.phase != "ret":
            found |= {key: row for key in row.frames if key not in found}
    return found
