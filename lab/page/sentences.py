"""One plain sentence for a frame: who does what, with the run's own numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from lab.packets.frames import Protocol
from lab.packets.rows import Frame
from lab.page import clauses, segment_clauses
from lab.page.scene import Act, FrameRow
from lab.report import fates, phrases
from lab.report.icmp import message_name
from lab.report.outside import IGMP, TOO_BIG
from lab.report.people import CLIENT, SERVER, People
from lab.tcp.model import Connection
from lab.text import Text, same
from lab.udp.model import Exchange

HOSTS = {
    "client": CLIENT,
    "server": SERVER,
    "attacker": Text("attacker", "攻击者"),
    "legacy": Text("legacy host", "旧式主机"),
    "router": Text("router", "路由器"),
}
"""What the lab's own hosts are called within a sentence."""

THE = Text("the {host}", "{host}")
FORGED = fates.FORGED.en.partition("{")[0]
DROPPED = "✗"
SPACE = re.compile(r"(?<=[一-鿿]) (?=[一-鿿])")
"""Between two Chinese characters none is written."""


Read = Callable[[], Frame]
"""Reads the frame of a row from its capture: seldom needed, for a row tells all of a sound segment."""


def sentence(row: FrameRow, act: Act, read: Read, who: People) -> Text:
    """Tell what the sender of a frame does.

    Args:
        row: as the ladder has it.
        act: the exchange that it belongs to.
        read: gives the same frame as its capture has it.
        who: what hosts are called.
    """
    told = _joined(_subject(row, act, read, who), list(_clauses(row, act, read, who)))
    if row.arrow.lost:
        told = clauses.LOST.fill(told=told)
    elif any(word.en.startswith(DROPPED) for word in row.event.words):
        told = clauses.DROPPED.fill(told=told)
    elif row.arrow.forked:
        told = clauses.DOUBLED.fill(told=told)
    en = f"T{told.en[1:]}." if told.en.startswith("the") else f"{told.en}."
    return Text(en, f"{SPACE.sub('', told.zh)}。")


def _joined(subject: Text, parts: Sequence[Text]) -> Text:
    """The subject and what it does: ``the client sends 17 octets and can take no more``."""
    first, last = parts[:-1], parts[-1]
    commas = ", ".join(part.en for part in first)
    en = f"{commas} and {last.en}" if first else last.en
    zh = "，".join(part.zh for part in parts)
    gap = " " if subject.zh[-1:].isascii() else ""
    return Text(f"{subject.en} {en}", f"{subject.zh}{gap}{zh}")


# ---------------------------------------------------------------- who


def _subject(row: FrameRow, act: Act, read: Read, who: People) -> Text:
    sender = _sender(row, act, read, who)
    if not any(word.en.startswith(FORGED) for word in row.event.words):
        return sender
    known = who.legend.get(row.others[0])
    forger = named(known) if known else clauses.SOMEBODY
    return clauses.POSING.fill(who=forger, sender=sender)


def _sender(row: FrameRow, act: Act, read: Read, who: People) -> Text:
    if row.event.source in act.letters:
        return named(act.hosts[row.event.source == act.letters[1]])
    one = read()
    address = one.arp.sender if one.arp else one.ip.source if one.ip else one.link_source
    return _called(address, who)


def _called(address: str, who: People) -> Text:
    """A host by its name, else an address."""
    host = who.names.get(address)
    return named(same(host)) if host else same(address or "?")


@lru_cache(64)
def named(host: Text) -> Text:
    """``the client``; what others call their hosts stays as it is."""
    known = HOSTS.get(host.en)
    return THE.fill(host=known) if known else host


def _peer(row: FrameRow, act: Act) -> Text:
    return named(act.hosts[row.event.source == act.letters[0]])


# ---------------------------------------------------------------- what


def _clauses(row: FrameRow, act: Act, read: Read, who: People) -> Iterator[Text]:
    if isinstance(act.talk, Connection) and phrases.MALFORMED not in row.event.words:
        yield from segment_clauses.of(row, act, act.talk, _peer(row, act))
        return
    one = read()
    if one.malformed:
        yield clauses.MALFORMED.fill(size=phrases.octets(one.length))
    elif one.arp:
        asks = one.arp.operation == 1
        told = clauses.WHO_HAS if asks else clauses.IS_AT
        yield told.fill(target=one.arp.target, mac=one.arp.sender_link)
    elif one.icmp:
        yield from _message(row, act, one, who)
    elif isinstance(act.talk, Exchange):
        yield from _datagram(row, act, one)
    else:
        yield from _packet(one)


def _datagram(row: FrameRow, act: Act, one: Frame) -> Iterator[Text]:
    peer, size = _peer(row, act), phrases.octets(row.event.octets)
    yield (clauses.DATAGRAM if row.event.octets else clauses.EMPTY).fill(size=size, peer=peer)
    if one.ip and one.ip.more_fragments:
        yield clauses.FIRST_PART


def _message(row: FrameRow, act: Act, one: Frame, who: People) -> Iterator[Text]:
    """Of ICMP, to which datagram or packet it answers."""
    if one.icmp is None:
        return
    version = 6 if one.protocol is Protocol.ICMPV6 else 4
    kind, code, rest = one.icmp.type, one.icmp.code, one.icmp.rest
    message = message_name(version, kind, code)
    causes = dict(act.talk.errors) if isinstance(act.talk, Exchange) else {}
    if cause := causes.get(row.event.number):
        yield clauses.ANSWERS.fill(frame=f"{cause}{row.event.elsewhere}", message=message)
    elif quoted := one.icmp.quoted:
        source = _called(quoted.source.address, who)
        names = {"protocol": quoted.protocol.name, "source": source, "message": message}
        yield clauses.REPORTS.fill(**names)
    else:
        yield clauses.SENDS_MESSAGE.fill(message=message)
    if (version, kind, code) in TOO_BIG:
        yield clauses.NEXT_LINK.fill(mtu=rest if version == 6 else rest & 0xFFFF)


def _packet(one: Frame) -> Iterator[Text]:
    """Of what belongs to no exchange."""
    if one.ip is None:
        yield clauses.FRAME.fill(size=phrases.octets(one.length))
    elif one.protocol is Protocol.FRAGMENT:
        first = one.ip.fragment_offset
        last = first + one.ip.length - one.ip.size - 1
        yield clauses.PART.fill(first=first, last=last, id=one.ip.identification)
    elif one.ip.version == 4 and one.ip.protocol == IGMP:
        yield clauses.GROUPS
    else:
        size = phrases.octets(one.ip.length)
        yield clauses.PACKET.fill(number=one.ip.protocol, size=size)
