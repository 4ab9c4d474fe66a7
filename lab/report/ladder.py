"""Merge frames, socket calls and changes of state into one list of events in order of time.

The frames are those of the originator's capture, with its numbers, so that Wireshark on the same
file shows the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.evidence.build import talks
from lab.evidence.calls import Call
from lab.evidence.run import Evidence, View
from lab.packets.frames import Flags
from lab.report import datagrams, segments
from lab.report.background import counts, outside
from lab.report.calls import Span, answered, asked, attribute, place
from lab.report.events import CallEvent, Event, FrameEvent, GapEvent, Ladder, Section
from lab.report.fates import with_fates
from lab.report.outside import frame_events, section
from lab.report.people import People, people
from lab.report.summaries import summary, title
from lab.report.testimony import hear, with_testimony
from lab.tcp.model import Connection
from lab.text import Text
from lab.udp.model import Exchange

EDGE = 4
"""Frames shown at each end of a long run of data."""

LONG = 2 * EDGE + 4
"""A run of data longer than this is cut."""

MANY_SECTIONS = 20
"""Sections shown unless all are asked for."""

NOTHING: NDArray[np.int64] = np.empty(0, np.int64)
Talk = Connection | Exchange
Host = tuple[str, Call]  # (letter, call)


def ladder(
    evidence: Evidence,
    *,
    absolute: bool = False,
    everything: bool = False,
    background: bool = False,
) -> Ladder:
    """Build the ladder of a run, or of a single capture file.

    ``everything``: long runs of data are not cut. ``background``: the frames of no exchange are
    shown, not just counted.
    """
    view, who = evidence.view, people(evidence.manifest)
    every = talks(view)
    shown = every if everything else every[:MANY_SECTIONS]
    calls, heard = _calls(evidence, view, every, who), hear(evidence, shown, who)
    apart = outside(view.capture.frames, taken(every))
    sections = tuple(
        with_testimony(
            with_fates(
                _section(view, talk, calls[index], who, absolute=absolute, everything=everything),
                evidence,
                who,
            ),
            heard,
        )
        for index, talk in enumerate(shown)
    )
    rows = np.flatnonzero(apart) if background else NOTHING
    rest = section(_joined([], calls[-1]), frame_events(evidence, rows, who))
    apart[rows] = False
    return Ladder(
        (*sections, rest) if rest else sections,
        counts(view.capture.frames, apart),
        _letters(shown, who) | ({} if sections else who.legend),
        len(every) - len(shown),
    )


def taken(exchanges: Iterable[Talk]) -> Iterable[NDArray[np.int64]]:
    """The rows of each exchange, with those of the ICMP errors that answer it."""
    for talk in exchanges:
        yield talk.rows
        if isinstance(talk, Exchange):
            yield np.array([error - 1 for error, _ in talk.errors], np.int64)


def _letters(shown: Sequence[Talk], who: People) -> dict[str, Text]:
    letters: dict[str, Text] = {}
    for talk in shown:
        names = who.pair(talk.client, talk.server)
        letters |= dict(zip(who.initials(talk.client, talk.server), names, strict=True))
    return letters


def _calls(evidence: Evidence, view: View, every: Sequence[Talk], who: People) -> list[list[Host]]:
    """The calls of all hosts by the exchange they belong to; in the end those of none."""
    time = view.capture.frames.time
    spans = [
        Span((talk.client, talk.server), int(time[talk.rows[0]]), int(time[talk.rows[-1]]))
        for talk in every
    ]
    found: list[list[Host]] = [[] for _ in (*every, None)]
    for host, calls in evidence.calls.items():
        letter = who.letters.get(host, host[:1].upper())
        for call, owner in zip(calls, attribute(calls, spans), strict=True):
            found[-1 if owner is None else owner].append((letter, call))
    return found


def _section(
    view: View, talk: Talk, calls: list[Host], who: People, *, absolute: bool, everything: bool
) -> Section:
    frames = view.capture.frames
    rows, describe = (
        segments.describer(view, talk, who, absolute=absolute)
        if isinstance(talk, Connection)
        else datagrams.describer(view, talk, who)
    )
    order = np.argsort(frames.time[rows], kind="stable")
    gaps = [] if everything else _gaps(_is_plain(view, talk, rows[order]))
    return Section(
        "tcp" if isinstance(talk, Connection) else "udp",
        talk.stream,
        title(talk, who),
        summary(talk, view.capture),
        int(frames.time[talk.rows[0]]),
        tuple(_merge(frames.time[rows], order, gaps, calls, describe, frames.payload_length[rows])),
    )


def _is_plain(view: View, talk: Talk, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Frames that carry or acknowledge data and nothing else worth a line."""
    if isinstance(talk, Exchange):
        return np.isin(rows, talk.rows)
    control = int(Flags.SYN | Flags.FIN | Flags.RST)
    plain = (view.capture.frames.flags[rows] & control) == 0
    told = {*talk.flags, *talk.handshake_frames, *talk.teardown_frames}
    remarkable = np.isin(rows + 1, list(told))
    if remarkable.sum() > 200:  # a capture of thousands of retransmissions: the findings count them
        remarkable = np.isin(rows + 1, [*talk.handshake_frames, *talk.teardown_frames])
    ordinary: NDArray[np.bool_] = plain & ~remarkable
    return ordinary


def _gaps(is_plain: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Positions [begin, end) to leave out: the inside of every long run of plain frames."""
    edges = np.flatnonzero(np.diff(np.r_[False, is_plain, False].astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(begin + EDGE, end - EDGE) for begin, end in runs if end - begin > LONG]


def _merge(
    time: NDArray[np.int64],
    order: NDArray[np.int64],
    gaps: list[tuple[int, int]],
    calls: list[Host],
    describe: Callable[[int], FrameEvent],
    length: NDArray[np.int32],
) -> list[Event]:
    hidden = np.zeros(len(order), np.bool_)
    events: list[tuple[int, int, Event]] = []
    spans = []
    for begin, end in gaps:
        hidden[begin:end] = True
        span = int(time[order[begin]]), int(time[order[end - 1]])
        spans.append(span)
        inside = sum(span[0] <= call.before and call.after <= span[1] for _, call in calls)
        events.append((span[0], 1, _gap(span[0], length[order[begin:end]], inside)))
    events += [(int(time[i]), 1, describe(int(i))) for i in order[~hidden]]
    seen = [
        host
        for host in calls
        if not any(a <= host[1].before and host[1].after <= b for a, b in spans)
    ]
    return _joined(events, seen)


def _gap(time: int, length: NDArray[np.int32], calls: int) -> GapEvent:
    data = int(np.count_nonzero(length))
    return GapEvent(time, data, len(length) - data, int(length.sum()), calls)


class _Half(Struct, frozen=True):
    """The entry or the return of a call, before it is known whether both make one line."""

    host: Host
    entry: bool


def _joined(events: list[tuple[int, int, Event]], calls: list[Host]) -> list[Event]:
    """Put calls among the frames; a call that nothing interrupts becomes one event."""
    halves: list[tuple[int, int, Event | _Half]] = [*events]
    for host in calls:
        halves += [(host[1].before, 0, _Half(host, True)), (host[1].after, 2, _Half(host, False))]
    halves.sort(key=lambda item: item[:2])
    merged: list[Event] = []
    things = [thing for _, _, thing in halves]
    index = 0
    while index < len(things):
        thing = things[index]
        following = things[index + 1] if index + 1 < len(things) else None
        whole = (
            isinstance(thing, _Half)
            and isinstance(following, _Half)
            and thing.host is following.host
        )
        _add(merged, _event(thing, whole=whole))
        index += 2 if whole else 1
    return merged


def _add(events: list[Event], event: Event) -> None:
    """Append it; a call just like the one before is only counted, and so are two that alternate."""
    alike = [_repeats(event, earlier) for earlier in events[-2:]]
    if alike and (again := alike[-1]):
        events[-1] = again
    elif len(alike) == 2 and (again := alike[0]) and again.times == _times(events[-1]) + 1:
        events[-2] = again
    else:
        events.append(event)


def _repeats(event: Event, earlier: Event) -> CallEvent | None:
    """The earlier call, counted once more, if this is the same one with the same outcome."""
    if not isinstance(event, CallEvent) or not isinstance(earlier, CallEvent) or event.phase:
        return None
    same_call = replace(event, time=earlier.time, times=earlier.times) == earlier
    return replace(earlier, times=earlier.times + 1) if same_call else None


def _times(event: Event) -> int:
    return event.times if isinstance(event, CallEvent) else 0


def _event(thing: Event | _Half, *, whole: bool) -> Event:
    if not isinstance(thing, _Half):
        return thing
    letter, call = thing.host
    if whole:
        return CallEvent(call.before, letter, "", f"{asked(call)} = {answered(call)}", place(call))
    if thing.entry:
        return CallEvent(call.before, letter, "call", asked(call), place(call))
    return CallEvent(call.after, letter, "ret", f"{call.function} = {answered(call)}")
