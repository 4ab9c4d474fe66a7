"""The lanes of states: a bar a state, solid where the kernel itself was seen in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from lab.evidence.run import Evidence
from lab.evidence.states import Stay, sockets_of
from lab.page.geometry import Axis, Journey, Span, span
from lab.page.scene import Bar
from lab.report.events import FrameEvent, Section
from lab.report.testimony import Heard
from lab.tcp.model import Connection, State
from lab.text import Text

TIMER = "time-wait"
WAITS = Text("waits 2 MSL (Linux: 60 s)", "等待 2 MSL（Linux 为 60 s）")
LEFT = Text("{n} s left when sampled", "采样时还剩 {n} s")


def bars(
    section: Section,
    journeys: Mapping[int, Journey],
    letters: tuple[str, str],
    heard: Heard,
    remaining: Mapping[str, int],
    axis: Axis,
) -> Iterator[Bar]:
    """The states of both ends, each from the moment at which its frame passed that end.

    ``remaining``: see `left_to_wait`.
    """
    for side, letter in zip(("left", "right"), letters, strict=True):
        changes = _changes(section, journeys, side, letter)
        stays = heard.stays.get((section.stream, letter), ())
        ends: list[tuple[int, int | None, State]] = [
            (since, until, state) for (since, state), (until, _) in pairwise(changes)
        ]
        ends += [(since, None, state) for since, state in changes[-1:] if state is not State.CLOSED]
        for since, until, state in ends:
            note = _note(remaining.get(side)) if state is State.TIME_WAIT else None
            sure = tuple(_sure(stays, state, since, until, axis))
            yield Bar(side, span(axis, since, until), state.value, sure, note)
        yield from (
            Bar(side, Span(span(axis, since, since).top, (24.0, 24.0)), state.value)
            for since, state in changes[-1:]
            if state is State.CLOSED
        )


def left_to_wait(evidence: Evidence, connection: Connection) -> dict[str, int]:
    """By side: ms that an end still had to stay in TIME-WAIT when its kernel was first seen there."""
    found: dict[str, int] = {}
    for kernel in evidence.kernel.values():
        pair = sockets_of(connection, kernel.lives, *evidence.span(connection))
        for side, life in zip(("left", "right"), pair, strict=True):
            waits = [one.expires for one in life.moments if one.timer == TIMER] if life else []
            found |= {side: waits[0]} if waits else {}
    return found


def _note(remaining: int | None) -> Text:
    return WAITS if remaining is None else LEFT.fill(n=f"{remaining / 1000:.0f}")


def _changes(
    section: Section, journeys: Mapping[int, Journey], side: str, letter: str
) -> list[tuple[int, State]]:
    """(ns, state) of one end, in order; before its first SYN a passive end listens."""
    found: list[tuple[int, State]] = []
    for index, event in enumerate(section.events):
        for end, state in event.states if isinstance(event, FrameEvent) else ():
            if end == letter and isinstance(event, FrameEvent):
                found.append((_moment(event, journeys[index], side, letter), state))
    since = min(event.time for event in section.events)
    if found and found[0][1] is State.SYN_RECEIVED and since < found[0][0]:
        found.insert(0, (since, State.LISTEN))
    return found


def _moment(event: FrameEvent, journey: Journey, side: str, letter: str) -> int:
    is_sender = journey.rightward == (side == "left")
    known = journey.sent if is_sender else journey.arrived
    return event.time if known is None else known


def _sure(
    stays: Sequence[Stay], state: State, since: int, until: int | None, axis: Axis
) -> Iterator[Span]:
    """The parts of a bar in which the kernel certainly was in that state."""
    for stay in stays:
        begin = max(stay.by, since)
        end = stay.until if until is None else min(stay.until, until)
        if stay.state == state and begin < end:
            yield span(axis, begin, end)
