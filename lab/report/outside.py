"""What belongs to no exchange: calls that led to no packet, and frames of ARP, ICMP, IGMP, fragments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.packets.addresses import Endpoint
from lab.packets.kinds import Protocol
from lab.packets.rows import Frame, frame
from lab.report import phrases
from lab.report.events import Event, FrameEvent, Section
from lab.report.icmp import message_name
from lab.report.people import People
from lab.text import Text, same

TITLE = Text("Outside the exchanges", "不属于任何交换")
MOST = 40
"""Frames shown; the rest are counted."""

EVERYBODY = "*"
LINK_HEADER = 14
IGMP = 2
MEMBERSHIP = {
    0x11: Text("who is a member of which group?", "谁是哪个组的成员？"),
    0x12: Text("member of a group (IGMPv1)", "某组成员（IGMPv1）"),
    0x16: Text("member of a group (IGMPv2)", "某组成员（IGMPv2）"),
    0x17: Text("leaves a group", "离开某组"),
    0x22: Text("membership of groups has changed (IGMPv3)", "组成员关系有变（IGMPv3）"),
}
TOO_BIG = {(4, 3, 4), (6, 2, 0)}
"""(IP version, type, code): RFC 1191, RFC 8201."""
NEXT_LINK = Text("the next link takes {mtu} octet[|s]", "下一段链路只能通过 {mtu} 字节")
FRAGMENT = Text(
    "fragment: octets {first} to {last} of packet {id}",
    "分片：标识为 {id} 的分组的第 {first} 至 {last} 字节",
)


def section(calls: Sequence[Event], frames: Sequence[FrameEvent]) -> Section | None:
    """Both in order of time, as a section of its own; None if there is neither."""
    events = sorted([*calls, *frames], key=lambda event: event.time)
    return Section("", -1, TITLE, (), events[0].time, tuple(events)) if events else None


def frame_events(evidence: Evidence, rows: NDArray[np.int64], who: People) -> list[FrameEvent]:
    """The frames of the originator's capture in these rows, the first `MOST` of them."""
    capture = evidence.view.capture
    by_mac = {host.mac: host.name for host in evidence.manifest.hosts if host.mac}
    return [_event(frame(capture, int(row)), who, by_mac) for row in rows[:MOST]]


def _event(one: Frame, who: People, by_mac: dict[str, str]) -> FrameEvent:
    def letter(mac: str) -> str:
        return who.letters.get(by_mac.get(mac, ""), "?")

    group = int(one.link_destination[:2] or "0", 16) & 1
    kind, words = _told(one, who)
    return FrameEvent(
        one.time,
        one.number,
        letter(one.link_source),
        EVERYBODY if group else letter(one.link_destination),
        kind,
        words=tuple(words),
    )


def _told(one: Frame, who: People) -> tuple[str, Iterator[Text]]:
    if one.arp:
        return "ARP", _arp(one, who)
    if one.icmp:
        return ("ICMPv6" if one.protocol is Protocol.ICMPV6 else "ICMP"), _icmp(one, who)
    if one.protocol is Protocol.FRAGMENT and one.ip:
        return "fragment", _fragment(one)
    if one.ip and one.ip.version == 4 and one.ip.protocol == IGMP:
        return "IGMP", _igmp(one)
    return (f"IP {one.ip.protocol}" if one.ip else one.protocol.name), iter(())


def _icmp(one: Frame, who: People) -> Iterator[Text]:
    if one.icmp:
        version = 6 if one.protocol is Protocol.ICMPV6 else 4
        yield same(message_name(version, one.icmp.type, one.icmp.code))
        if (version, one.icmp.type, one.icmp.code) in TOO_BIG:
            yield NEXT_LINK.fill(mtu=one.icmp.rest if version == 6 else one.icmp.rest & 0xFFFF)
        if quoted := one.icmp.quoted:
            source, target = (_end(end, who) for end in (quoted.source, quoted.destination))
            yield phrases.ANSWERS_PACKET.fill(
                protocol=quoted.protocol.name, source=source, target=target
            )


def _end(end: Endpoint, who: People) -> str:
    host = who.names.get(end.address)
    return f"{host}:{end.port}" if host else str(end)


def _arp(one: Frame, who: People) -> Iterator[Text]:
    if one.arp:
        told = phrases.WHO_HAS if one.arp.operation == 1 else phrases.IS_AT
        sender, target = (who.names.get(end, end) for end in (one.arp.sender, one.arp.target))
        yield told.fill(sender=sender, target=target, mac=one.arp.sender_link)


def _fragment(one: Frame) -> Iterator[Text]:
    if one.ip:
        first = one.ip.fragment_offset
        last = first + one.ip.length - one.ip.size - 1
        yield FRAGMENT.fill(first=first, last=last, id=one.ip.identification)


def _igmp(one: Frame) -> Iterator[Text]:
    """The message's type is the first octet behind the IP header (RFC 3376 section 4)."""
    packet = one.octets[LINK_HEADER:]
    if one.ip and len(packet) > one.ip.size:
        kind = packet[one.ip.size]
        yield MEMBERSHIP.get(kind, same(f"type {kind:#x}"))
