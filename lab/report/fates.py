"""What became of frames under way: lost between the ports, and by which rule of the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from lab.evidence.run import Evidence, View
from lab.evidence.touched import touched_numbers
from lab.report.events import Event, FrameEvent, Section
from lab.report.people import People
from lab.report.segments import describer
from lab.tcp.model import Connection
from lab.text import Text

LOST = Text("✗ lost between the ports", "✗ 在两个端口之间丢失")
LOST_BY = Text("✗ lost: {rule}", "✗ 丢失：{rule}")
TOUCHED_BY = Text("the wire: {rule}", "链路：{rule}")


def with_fates(section: Section, evidence: Evidence, who: People) -> Section:
    """Mark what the wire did to a connection's frames, and add those that never reached us."""
    if evidence.match is None or (evidence.wire is None and not _anything_lost(evidence)):
        return section
    connection = evidence.view.connections[section.stream] if section.protocol == "tcp" else None
    ours = _fates(evidence, evidence.view)
    events = [_marked(event, ours) for event in section.events]
    if connection is not None:
        events += _never_arrived(evidence, connection, who)
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


def _fates(evidence: Evidence, view: View) -> dict[int, Text]:
    """By frame number: what the wire did to what this view's host sent."""
    touched = (
        [one for one in evidence.wire.touched if one.sender == view.host] if evidence.wire else []
    )
    fates: dict[int, Text] = {}
    for one, number in zip(touched, touched_numbers(view.capture, view.host, touched), strict=True):
        if number is not None:
            rule = Text(one.words.en.rstrip("."), one.words.zh.rstrip("。"))
            fates[number] = (LOST_BY if one.lost else TOUCHED_BY).fill(rule=rule)
    if evidence.wire is None and evidence.match is not None and view is evidence.view:
        fates |= dict.fromkeys((int(row) + 1 for row in evidence.match.only_first), LOST)
    return fates


def _never_arrived(evidence: Evidence, connection: Connection, who: People) -> Iterator[FrameEvent]:
    """Frames that the other host sent and our port never saw, as the other port saw them."""
    other = evidence.views[1]
    ends = (connection.client, connection.server)
    twin = next((one for one in other.connections if (one.client, one.server) == ends), None)
    if twin is None or evidence.match is None:
        return
    missing = set(evidence.match.only_second.tolist())
    fates = _fates(evidence, other)
    rows, describe = describer(other, twin, who, absolute=False)
    for index, row in enumerate(rows.tolist()):
        if row in missing and not twin.from_client[index]:
            event = describe(index)
            words = (fates.get(row + 1, LOST), *event.words)
            yield replace(event, words=words, states=(), elsewhere=event.source)
