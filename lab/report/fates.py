"""What became of frames under way: lost between the ports, and by which rule of the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from msgspec.structs import replace

from lab.evidence.run import Evidence, View
from lab.evidence.touched import touched_numbers
from lab.report.events import Event, FrameEvent, Section
from lab.report.people import People
from lab.report.segments import describer
from lab.scenarios.seen import Mask, elsewhere, only_here, verdicts
from lab.tcp.model import Connection
from lab.text import Text
from lab.udp.model import Exchange

LOST = Text("✗ lost between the ports", "✗ 在两个端口之间丢失")
FORGED = Text("forged: {who}'s port never sent it", "伪造：{who} 的端口从未发出")
LOST_BY = Text("✗ lost: {rule}", "✗ 丢失：{rule}")
TOUCHED_BY = Text("the wire: {rule}", "链路：{rule}")


def with_fates(section: Section, evidence: Evidence, who: People) -> Section:
    """Mark what the wire did to a connection's frames, and add those that never reached us."""
    if evidence.match is None or (evidence.wire is None and not _anything_lost(evidence)):
        return section
    is_tcp, view = section.protocol == "tcp", evidence.view
    talk = (view.connections if is_tcp else view.exchanges)[section.stream]
    ours = _touched(evidence, view) | _alone(evidence, view, talk, only_here(evidence, talk), who)
    events = [_marked(event, ours) for event in section.events]
    if isinstance(talk, Connection):
        events += _elsewhere(evidence, talk, who)
    return replace(section, events=tuple(sorted(events, key=lambda event: event.time)))


def _anything_lost(evidence: Evidence) -> bool:
    match = evidence.match
    return match is not None and bool(len(match.only_first) or len(match.only_second))


def _marked(event: Event, fates: Mapping[int, Text]) -> Event:
    if not isinstance(event, FrameEvent) or event.number not in fates:
        return event
    fate = fates[event.number]
    states = event.states
    if fate.en.startswith("✗"):  # it arrived nowhere: only its sender's state can have changed
        states = tuple(one for one in states if one[0] == event.source)
    return replace(event, words=(fate, *event.words), states=states)


def _touched(evidence: Evidence, view: View) -> dict[int, Text]:
    """By frame number: what the wire did to what this view's host sent."""
    touched = (
        [one for one in evidence.wire.touched if one.sender == view.host] if evidence.wire else []
    )
    fates: dict[int, Text] = {}
    for one, number in zip(touched, touched_numbers(view.capture, view.host, touched), strict=True):
        if number is not None:
            rule = Text(one.words.en.rstrip("."), one.words.zh.rstrip("。"))
            fates[number] = (LOST_BY if one.lost else TOUCHED_BY).fill(rule=rule)
    return fates


def _alone(
    evidence: Evidence, view: View, talk: Connection | Exchange, alone: Mask, who: People
) -> dict[int, Text]:
    """By frame number: what became of the frames that only this view saw.

    Where there is a wire of the lab's, its log says what it lost.
    """
    lost, forged = verdicts(evidence, view, talk, alone)
    fates = {} if evidence.wire else dict.fromkeys((talk.rows[lost] + 1).tolist(), LOST)
    for index in np.flatnonzero(forged).tolist():
        name = who.pair(talk.client, talk.server)[0 if talk.from_client[index] else 1]
        fates[int(talk.rows[index]) + 1] = FORGED.fill(who=name)
    return fates


def _elsewhere(evidence: Evidence, connection: Connection, who: People) -> Iterator[FrameEvent]:
    """Frames that never passed our port, as the other port saw them: lost before, or forged."""
    other = evidence.views[1]
    touched = _touched(evidence, other)
    for part in elsewhere(evidence, connection):
        one = part.connection
        lost, forged = verdicts(evidence, other, one, part.alone)
        fates = _alone(evidence, other, one, part.alone, who) | touched
        rows, describe = describer(other, one, who, absolute=False)
        for index in np.flatnonzero(lost | forged).tolist():
            event = describe(index)
            meaning = event.words if lost[index] else event.words[-1:] if event.octets else ()
            fate = fates.get(int(rows[index]) + 1, LOST)
            letter = who.letters.get(other.host, other.host[:1].upper())
            yield replace(event, words=(fate, *meaning), states=(), elsewhere=letter)
