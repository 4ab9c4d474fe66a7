"""What became of frames under way: lost between the ports, and by which rule of the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.evidence.run import Evidence, View
from lab.evidence.touched import touched_numbers
from lab.packets.pairs import ends
from lab.report import datagrams, segments
from lab.report.events import Event, FrameEvent, Section
from lab.report.glyphs import safe
from lab.report.people import People
from lab.scenarios.seen import Mask, elsewhere, only_here, verdicts
from lab.tcp.model import Connection
from lab.text import Text
from lab.udp.model import Exchange

LOST = Text("✗ lost between the ports", "✗ 在两个端口之间丢失")
FORGED = Text("forged: {who}'s port never sent it", "伪造：{who} 的端口从未发出")
LOST_BY = Text("✗ lost: {rule}", "✗ 丢失：{rule}")
TOUCHED_BY = Text("the wire: {rule}", "链路：{rule}")


def with_fates(section: Section, evidence: Evidence, who: People) -> Section:
    """Mark what the wire did to an exchange's frames, and add those that never reached us."""
    if evidence.match is None or (evidence.wire is None and not _anything_lost(evidence)):
        return section
    is_tcp, view = section.protocol == "tcp", evidence.view
    talk = (view.connections if is_tcp else view.exchanges)[section.stream]
    ours = _touched(evidence, view) | _alone(evidence, view, talk, only_here(evidence, talk), who)
    events = [_marked(event, ours) for event in section.events]
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


def _elsewhere(
    evidence: Evidence, talk: Connection | Exchange, who: People
) -> Iterator[FrameEvent]:
    """Frames that never passed our port, as the other port saw them: lost before, or forged."""
    other = evidence.views[1]
    touched, letter = _touched(evidence, other), who.of(other.host)
    for one, alone in _parts(evidence, talk):
        lost, forged = verdicts(evidence, other, one, alone)
        fates = _alone(evidence, other, one, alone, who) | touched
        rows, describe = _describer(other, one, who)
        gone = [*one.rows[lost].tolist(), *_errors(evidence, one, who)]
        for row in (*gone, *one.rows[forged].tolist()):
            event = describe(int(np.searchsorted(rows, row)))
            meaning = event.words if row in gone else event.words[-1:] if event.octets else ()
            words = (fates.get(row + 1, LOST), *meaning)
            yield replace(event, words=words, states=(), elsewhere=letter)


def _parts(
    evidence: Evidence, talk: Connection | Exchange
) -> Iterator[tuple[Connection | Exchange, Mask]]:
    """What the other port has between the same ends, and which of it only that port saw."""
    if isinstance(talk, Connection):
        yield from ((part.connection, part.alone) for part in elsewhere(evidence, talk))
    elif evidence.match is not None and _is_between_both(evidence, talk):
        for one in evidence.views[1].exchanges:
            if {one.client, one.server} == {talk.client, talk.server}:
                yield one, np.isin(one.rows, evidence.match.only_second)


def _is_between_both(evidence: Evidence, exchange: Exchange) -> bool:
    """Whether its ends are the hosts of the two ports that were matched."""
    owners = {end: host.name for host in evidence.manifest.hosts for end in host.addresses}
    ends = {owners.get(end.address) for end in (exchange.client, exchange.server)}
    return ends == {view.host for view in evidence.views[:2]}


def _errors(evidence: Evidence, talk: Connection | Exchange, who: People) -> Iterator[int]:
    """Rows of the ICMP errors that the other port's host sent, and that never came to ours."""
    match, other = evidence.match, evidence.views[1]
    if match is None or isinstance(talk, Connection):
        return
    for number, _ in talk.errors:
        sender, _ = ends(other.capture.frames, number - 1)
        if number - 1 in match.only_second and who.names.get(sender.address) == safe(other.host):
            yield number - 1


def _describer(
    view: View, talk: Connection | Exchange, who: People
) -> tuple[NDArray[np.int64], Callable[[int], FrameEvent]]:
    if isinstance(talk, Connection):
        return segments.describer(view, talk, who, absolute=False)
    return datagrams.describer(view, talk, who)
