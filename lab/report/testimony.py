"""What the kernels themselves said of the frames and states in a ladder, where they were asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.causes import Cause
from lab.evidence.run import Evidence, View
from lab.evidence.sightings import Sighting
from lab.evidence.states import Stay
from lab.evidence.testimony import WITHIN, was_in
from lab.evidence.vantage import Match
from lab.evidence.witnesses import End, Witnesses
from lab.report.events import Event, FrameEvent, Section
from lab.report.people import People
from lab.tcp.model import Connection, State
from lab.text import Text
from lab.udp.model import Exchange
from lab.units import short_span

FOR_EVER = (1 << 63) - 1
DROPPED = Text("✗ {who}'s kernel dropped it: {reason}", "✗ 被 {who} 的内核丢弃：{reason}")
NOTHING_NEW = Text(
    "{who}'s kernel took its ACK; the rest it had already: {reason}",
    "{who} 的内核采纳了其中的 ACK；其余内容先前已收到：{reason}",
)
OLD = "TCP_OLD_DATA"
"""The reason for which a segment is dropped after its ACK has been read: it holds nothing else that
is new (tcp_data_queue comes after tcp_ack in net/ipv4/tcp_input.c)."""

LATER = Text(
    "{who}'s kernel is in {state} only {span} later", "{who} 的内核在 {span} 之后才进入 {state}"
)
RESET = Text("{who}'s kernel: {reason}", "{who} 的内核：{reason}")
CAUSES = {
    Cause.TIMEOUT: Text("{who}'s kernel: retransmission timer", "{who} 的内核：重传定时器超时"),
    Cause.REPAIR: Text("{who}'s kernel: repair after a timeout", "{who} 的内核：超时之后的补发"),
    Cause.RECOVERY: Text("{who}'s kernel: fast recovery", "{who} 的内核：快速重传与快速恢复"),
    Cause.PROBE: Text("{who}'s kernel: tail loss probe", "{who} 的内核：尾部丢失探测（TLP）"),
    Cause.TOO_BIG: Text("{who}'s kernel: smaller path MTU", "{who} 的内核：路径 MTU 变小"),
    Cause.SYN_AGAIN: Text("{who}'s kernel: the SYN came again", "{who} 的内核：又收到同一个 SYN"),
}

Label = tuple[int, str]
"""A frame in the ladder: its number, and whose capture numbers it if not the originator's."""


class Heard(Struct, frozen=True):
    """All that was said."""

    words: Mapping[Label, Sequence[Text]] = {}
    dropped: frozenset[Label] = frozenset()  # frames that did not get past their receiver's kernel
    stays: Mapping[tuple[int, str], Sequence[Stay]] = {}  # by stream and letter of the end
    hosts: Mapping[str, str] = {}  # letter -> host, in the order of the views
    match: Match | None = None

    def arrival(self, event: FrameEvent, letter: str) -> int | None:
        """When a frame passed the port of a host (ns); None if that port did not see it."""
        ports = list(self.hosts)
        if event.elsewhere or letter not in ports[:2]:
            return None
        if letter == ports[0]:
            return event.time
        if self.match is None:
            return None
        at = int(np.searchsorted(self.match.first, event.number - 1))
        found = at < len(self.match.first) and self.match.first[at] == event.number - 1
        return event.time + int(self.match.transit[at]) if found else None


def hear(evidence: Evidence, shown: Iterable[Connection | Exchange], who: People) -> Heard:
    """Gather what kernels said of these exchanges."""
    witnesses = Witnesses(evidence)
    if witnesses.silent:
        return Heard()
    words: dict[Label, list[Text]] = defaultdict(list)
    been: dict[tuple[int, str], Sequence[Stay]] = {}
    for connection in (talk for talk in shown if isinstance(talk, Connection)):
        for end in witnesses.ends(connection):
            letter = _letter(end.view, who)
            been[connection.stream, letter] = tuple(chain(*witnesses.stays(end)))
            for number, said in _of_end(witnesses, end):
                words[_label(witnesses, end.view, number, who)].append(said)
    dropped = set()
    for label, said, counts in _dropped(witnesses, who):
        words[label].append(said)
        dropped |= set() if counts else {label}
    hosts = {_letter(view, who): view.host for view in evidence.views}
    return Heard(words, frozenset(dropped), been, hosts, evidence.match)


def hear_each(shown: Iterable[Sighting], who: People) -> dict[str, Heard]:
    """The same by the host at whose port exchanges were seen; "": the first one."""
    ports: dict[str, list[Sighting]] = defaultdict(list)
    for one in shown:
        ports[one.elsewhere].append(one)
    return {
        host: hear(some[0].evidence, [one.talk for one in some], who)
        for host, some in ports.items()
    }


def _of_end(witnesses: Witnesses, end: End) -> Iterator[tuple[int, Text]]:
    """Why frames were sent, by their numbers in their sender's capture."""
    for number, cause in witnesses.resent(end).items():
        yield number, CAUSES[cause].fill(who=end.view.host)
    for number, reason in witnesses.reset_for(end).items():
        yield number, RESET.fill(who=end.view.host, reason=reason)


def _dropped(witnesses: Witnesses, who: People) -> Iterator[tuple[Label, Text, bool]]:
    """Frames that a kernel refused, and whether they counted all the same."""
    for view, frames in witnesses.refused():
        for number, drop in frames.items():
            phrase = NOTHING_NEW if drop.reason == OLD else DROPPED
            said = phrase.fill(who=view.host, reason=drop.reason)
            yield _label(witnesses, view, number, who), said, drop.reason == OLD


def _label(witnesses: Witnesses, view: View, number: int, who: People) -> Label:
    first = witnesses.first_number(view, number)
    return (first, "") if first else (number, _letter(view, who))


def _letter(view: View, who: People) -> str:
    return who.of(view.host)


def with_testimony(section: Section, heard: Heard) -> Section:
    """Add to a section what was said of its frames, and mark the states that are confirmed."""
    if not heard.words and not heard.stays:
        return section
    events = [_with_words(event, heard) for event in section.events]
    if section.protocol == "tcp":
        events = list(_confirmed(section.stream, events, heard))
    return replace(section, events=tuple(events))


def _with_words(event: Event, heard: Heard) -> Event:
    """Whatever is said comes last, but before the payload, which ends a line."""
    if not isinstance(event, FrameEvent):
        return event
    label = event.number, event.elsewhere
    states = event.states
    if label in heard.dropped:  # it changed nothing but its sender's state
        states = tuple(one for one in states if one[0] == event.source)
    return replace(_saying(event, heard.words.get(label, ())), states=states)


def _saying(event: FrameEvent, words: Sequence[Text]) -> FrameEvent:
    data = len(event.words) - bool(event.octets)
    return replace(event, words=(*event.words[:data], *words, *event.words[data:]))


def _confirmed(stream: int, events: Sequence[Event], heard: Heard) -> Iterator[Event]:
    """Mark each state in which its end's kernel was when the frame came, and before the next state
    was inferred; where it was there only later, say by how much."""
    until: dict[str, int] = {}  # by letter: when the state after this one begins
    marked: list[Event] = []
    for event in reversed(events):
        if not isinstance(event, FrameEvent) or not event.states:
            marked.append(event)
            continue
        delays = {
            letter: _delay(heard, event, letter, state, heard.stays.get((stream, letter), ()), end)
            for letter, state in event.states
            for end in [until.get(letter, FOR_EVER)]
        }
        until |= dict.fromkeys((letter for letter, _ in event.states), event.time)
        sure = tuple(letter for letter, delay in delays.items() if delay == 0)
        late = [
            LATER.fill(who=heard.hosts[letter], state=state, span=short_span(delay))
            for letter, state in event.states
            if (delay := delays[letter])
        ]
        marked.append(replace(_saying(event, late), confirmed=sure))
    return reversed(marked)


def _delay(
    heard: Heard, event: FrameEvent, letter: str, state: State, stays: Sequence[Stay], until: int
) -> int | None:
    """How much later than the frame a kernel was in a state (ns), 0: in time; None: never seen.

    SYN-RECEIVED is always in time: a tracepoint tells of it only when the handshake is over.
    """
    reached = [stay for stay in stays if was_in((stay,), state, event.time, until)]
    if not reached:
        return None
    arrival = heard.arrival(event, letter)
    if arrival is None or state == State.SYN_RECEIVED:
        return 0
    delay = min(stay.since for stay in reached) - arrival
    return delay if delay > WITHIN else 0
