"""Merge frames, socket calls and changes of state into one list of events in order of time.

The frames are those of the originator's capture, with its numbers, so that Wireshark on the same
file shows the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.evidence.calls import Call
from lab.evidence.run import Evidence, View
from lab.evidence.sightings import Sighting, Talk, sightings
from lab.packets.frames import Flags
from lab.report import datagrams, segments
from lab.report.background import counts, outside
from lab.report.calls import answered, asked, attribute, place, source, spans
from lab.report.events import CallEvent, Event, FrameEvent, GapEvent, Ladder, Section
from lab.report.fates import with_fates
from lab.report.outside import frame_events, section
from lab.report.people import People, people
from lab.report.summaries import summary, title
from lab.report.testimony import hear_each, with_testimony
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
NUMBER = re.compile(r"#\d+\b")
Host = tuple[str, Call]  # (letter, call)


def ladder(
    evidence: Evidence,
    *,
    absolute: bool = False,
    everything: bool = False,
    background: bool = False,
    only: Sequence[Sighting] | None = None,
) -> Ladder:
    """Build the ladder of a run, or of a single capture file.

    ``everything``: long runs of data are not cut. ``background``: the frames of no exchange are
    shown, not just counted. ``only``: instead of all exchanges.
    """
    every, who = sightings(evidence) if only is None else only, people(evidence.manifest)
    most = len(every) if everything else MANY_SECTIONS
    calls = _calls(evidence, every, who)
    shown = sorted(zip(every[:most], calls, strict=False), key=lambda pair: pair[0].span)
    heard = hear_each((one for one, _ in shown), who)
    sections = tuple(
        _at_port(
            with_testimony(
                with_fates(
                    _section(one, made, who, absolute=absolute, everything=everything),
                    one.evidence,
                    who,
                ),
                heard[one.elsewhere],
            )
        )
        for one, made in shown
    )
    frames = evidence.view.capture.frames
    apart = outside(frames, taken(one.talk for one in every if not one.elsewhere))
    rows = np.flatnonzero(apart) if background else NOTHING
    rest = section(_joined([], calls[-1]), frame_events(evidence, rows, who))
    apart[rows] = False
    return Ladder(
        (*sections, rest) if rest else sections,
        counts(frames, apart),
        _letters((one.talk for one, _ in shown), who) | ({} if sections else who.legend),
        len(every) - len(shown),
    )


def taken(exchanges: Iterable[Talk]) -> Iterable[NDArray[np.int64]]:
    """The rows of each exchange, with those of the ICMP errors that answer it."""
    for talk in exchanges:
        yield talk.rows
        if isinstance(talk, Exchange):
            yield np.array([error - 1 for error, _ in talk.errors], np.int64)


def _letters(shown: Iterable[Talk], who: People) -> dict[str, Text]:
    letters: dict[str, Text] = {}
    for talk in shown:
        names = who.pair(talk.client, talk.server)
        letters |= dict(zip(who.initials(talk.client, talk.server), names, strict=True))
    return letters


def _calls(evidence: Evidence, every: Sequence[Sighting], who: People) -> list[list[Host]]:
    """The calls of all hosts by the exchange they belong to; in the end those of none."""
    times = spans(every)
    found: list[list[Host]] = [[] for _ in (*every, None)]
    for host, calls in evidence.calls.items():
        for call, owner in zip(calls, attribute(calls, times), strict=True):
            found[-1 if owner is None else owner].append((who.of(host), call))
    return found


def _section(
    one: Sighting, calls: list[Host], who: People, *, absolute: bool, everything: bool
) -> Section:
    view, talk = one.evidence.view, one.talk
    frames = view.capture.frames
    rows, describe = (
        segments.describer(view, talk, who, absolute=absolute)
        if isinstance(talk, Connection)
        else datagrams.describer(view, talk, who)
    )
    order = np.argsort(frames.time[rows], kind="stable")
    gaps = [] if everything else _gaps(_is_plain(view, talk, rows[order]))
    elsewhere = who.port(one)
    return Section(
        "tcp" if isinstance(talk, Connection) else "udp",
        talk.stream,
        title(talk, who, elsewhere),
        summary(talk, view.capture),
        int(frames.time[talk.rows[0]]),
        tuple(_merge(frames.time[rows], order, gaps, calls, describe, frames.payload_length[rows])),
        elsewhere,
    )


def _at_port(section: Section) -> Section:
    """The section with its frames named by the port that numbers them: ``#4S``."""
    if not (letter := section.elsewhere):
        return section

    def named(words: Text) -> Text:
        en, zh = (NUMBER.sub(rf"\g<0>{letter}", one) for one in (words.en, words.zh))
        return Text(en, zh)

    events = (
        replace(event, elsewhere=letter, words=tuple(map(named, event.words)))
        if isinstance(event, FrameEvent)
        else event
        for event in section.events
    )
    return replace(section, events=tuple(events))


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
        words = f"{asked(call)} = {answered(call)}"
        return CallEvent(call.before, letter, "", words, place(call), source=source(call))
    if thing.entry:
        return CallEvent(call.before, letter, "call", asked(call), place(call), source=source(call))
    return CallEvent(call.after, letter, "ret", f"{call.function} = {answered(call)}")
