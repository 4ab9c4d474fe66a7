"""What the kernels themselves said of the frames and states in a ladder, where they were asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.causes import Cause
from lab.evidence.run import Evidence, View
from lab.evidence.states import Stay
from lab.evidence.testimony import was_in
from lab.evidence.witnesses import End, Witnesses
from lab.report.events import Event, FrameEvent, Section
from lab.report.people import People
from lab.tcp.model import Connection
from lab.text import Text
from lab.udp.model import Exchange

FOR_EVER = (1 << 63) - 1
DROPPED = Text("✗ {who}'s kernel dropped it: {reason}", "✗ 被 {who} 的内核丢弃：{reason}")
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
    dropped = dict(_dropped(witnesses, who))
    for label, said in dropped.items():
        words[label].append(said)
    return Heard(words, frozenset(dropped), been)


def _of_end(witnesses: Witnesses, end: End) -> Iterator[tuple[int, Text]]:
    """Why frames were sent, by their numbers in their sender's capture."""
    for number, cause in witnesses.resent(end).items():
        yield number, CAUSES[cause].fill(who=end.view.host)
    for number, reason in witnesses.reset_for(end).items():
        yield number, RESET.fill(who=end.view.host, reason=reason)


def _dropped(witnesses: Witnesses, who: People) -> Iterator[tuple[Label, Text]]:
    for view, frames in witnesses.refused():
        for number, drop in frames.items():
            said = DROPPED.fill(who=view.host, reason=drop.reason)
            yield _label(witnesses, view, number, who), said


def _label(witnesses: Witnesses, view: View, number: int, who: People) -> Label:
    first = witnesses.first_number(view, number)
    return (first, "") if first else (number, _letter(view, who))


def _letter(view: View, who: People) -> str:
    return who.letters.get(view.host, view.host[:1].upper())


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
    data = len(event.words) - bool(event.octets)
    words = (*event.words[:data], *heard.words.get(label, ()), *event.words[data:])
    states = event.states
    if label in heard.dropped:  # it changed nothing but its sender's state
        states = tuple(one for one in states if one[0] == event.source)
    return replace(event, words=words, states=states)


def _confirmed(stream: int, events: Sequence[Event], heard: Heard) -> Iterator[Event]:
    """Mark each state in which its end's kernel was before the next state was inferred."""
    until: dict[str, int] = {}  # by letter: when the state after this one begins
    marked: list[Event] = []
    for event in reversed(events):
        if not isinstance(event, FrameEvent) or not event.states:
            marked.append(event)
            continue
        sure = [
            letter
            for letter, state in event.states
            for stays in [heard.stays.get((stream, letter), ())]
            if was_in(stays, state, event.time, until.get(letter, FOR_EVER))
        ]
        until |= dict.fromkeys((letter for letter, _ in event.states), event.time)
        marked.append(replace(event, confirmed=tuple(sure)))
    return reversed(marked)
