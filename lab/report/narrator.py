"""Say what each frame means while it arrives: one line a frame, nothing held back.

    #2  server → client  SYN,ACK   handshake 2 of 3: server agrees and acknowledges the SYN; ISN 9

Only what came before a frame is known when its line is written, so the words are more careful
than the ladder's: a close is not numbered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import Struct

from lab.packets.addresses import Endpoint
from lab.packets.frames import Capture, Flags, Protocol
from lab.packets.rows import Frame, Tcp, frame
from lab.report import phrases
from lab.report.glyphs import JOINTS, pad, quote, safe, width
from lab.report.icmp import message_name
from lab.report.segments import flag_names
from lab.tcp.model import Analysis
from lab.text import Language, Text, same
from lab.units import SequenceNumber

MANY = 200
"""More frames than this at once, and only those that open, close or reset are told."""

WIDEST = 40
"""Columns that the two ends may take before what follows is moved to the right."""

SKIPPED = Text("… {frames} frame[|s], {octets}", "…… {frames} 帧，{octets}")
CONTROL = int(Flags.SYN | Flags.FIN | Flags.RST)


class _End(Struct):
    """What one end of a connection has said so far."""

    isn: int | None = None
    next: SequenceNumber | None = None  # after the highest octet it sent
    acknowledged: SequenceNumber | None = None  # the highest number it acknowledged
    fin: SequenceNumber | None = None  # after its FIN

    def saw(self, tcp: Tcp, length: int) -> None:
        phantom = (Flags.SYN in tcp.flags) + (Flags.FIN in tcp.flags)
        after = SequenceNumber(tcp.sequence) + (length + phantom)
        if self.next is None or after > self.next:
            self.next = after
        if Flags.FIN in tcp.flags:
            self.fin = after
        if Flags.ACK in tcp.flags:
            number = SequenceNumber(tcp.acknowledgment)
            if self.acknowledged is None or number > self.acknowledged:
                self.acknowledged = number


class _Talk(Struct):
    """A connection as far as it has been seen."""

    client: Endpoint
    ends: dict[Endpoint, _End] = {}
    is_open: bool = False

    def end(self, endpoint: Endpoint) -> _End:
        return self.ends.setdefault(endpoint, _End())


class Narrator:
    """Follows all connections of one vantage point."""

    def __init__(self, names: Mapping[str, str], language: Language) -> None:
        """``names``: host by address; an address that it lacks is written as it is."""
        self._names, self._language = names, language
        self._talks: dict[frozenset[Endpoint], _Talk] = {}
        self._ways = 0  # columns that "client → server" takes
        self._numbers = 4

    def feed(self, capture: Capture, first: int = 1) -> Iterator[str]:
        """Narrate all frames of a capture, the first of which has number ``first``."""
        count = len(capture.frames)
        if count <= MANY:
            told = range(count)
        else:
            control = np.flatnonzero((capture.frames.flags & CONTROL) != 0)[:MANY]
            told = control.tolist()
        position = 0
        for index in told:
            yield from self._skip(capture, position, index)
            yield self.line(frame(capture, index), first + index)
            position = index + 1
        yield from self._skip(capture, position, count)

    def _skip(self, capture: Capture, begin: int, end: int) -> Iterator[str]:
        if end > begin:
            octets = int(capture.frames.length[begin:end].sum())
            words = SKIPPED.fill(frames=f"{end - begin:,}", octets=size(octets))
            yield words.say(self._language)

    def line(self, one: Frame, number: int) -> str:
        """Narrate one frame."""
        way = f"{self._name(*_source(one))} → {self._name(*_destination(one))}"
        longest = sorted(width(name) for name in set(self._names.values()))[-2:]
        self._ways = max(self._ways, min(width(way), WIDEST), sum(longest) + 3)
        self._numbers = max(self._numbers, len(f"#{number}"))
        kind, words = self._words(one)
        joint = JOINTS[self._language]
        said = joint.join(text.say(self._language) for text in words)
        return f"{f'#{number}'.ljust(self._numbers)} {pad(way, self._ways)}  {kind:<11} {said}".rstrip()

    def _name(self, address: str, endpoint: Endpoint | None) -> str:
        return safe(self._names.get(address) or str(endpoint or address or "?"))

    def _words(self, one: Frame) -> tuple[str, tuple[Text, ...]]:
        if one.tcp and one.source and one.destination:
            return flag_names(one.tcp.flags), tuple(self._tcp(one, one.tcp))
        if one.protocol is Protocol.UDP and one.source:
            size = phrases.octets(one.payload_length, phrases.DATAGRAM)
            return "UDP", (_with_payload(size, one),)
        if one.arp:
            told = phrases.WHO_HAS if one.arp.operation == 1 else phrases.IS_AT
            target = self._name(one.arp.target, None)
            sender = self._name(one.arp.sender, None)
            return "ARP", (told.fill(sender=sender, target=target, mac=one.arp.sender_link),)
        if one.icmp:
            return "ICMP", tuple(self._icmp(one))
        return _kind(one), (phrases.MALFORMED,) if one.malformed else ()

    def _icmp(self, one: Frame) -> Iterator[Text]:
        assert one.icmp is not None
        version = 6 if one.protocol is Protocol.ICMPV6 else 4
        yield same(message_name(version, one.icmp.type, one.icmp.code))
        if one.icmp.quoted:
            quoted = one.icmp.quoted
            target = safe(self._names.get(quoted.destination.address, ""))
            yield phrases.ANSWERS_PACKET.fill(
                protocol=quoted.protocol.name,
                source=self._name(quoted.source.address, quoted.source),
                target=f"{target}:{quoted.destination.port}" if target else quoted.destination,
            )

    # ---------------------------------------------------------------- TCP

    def _tcp(self, one: Frame, tcp: Tcp) -> Iterator[Text]:
        assert one.source is not None
        assert one.destination is not None
        talk = self._talk(one, tcp)
        mine = talk.end(one.source)
        who, peer = (same(self._name(end.address, end)) for end in (one.source, one.destination))
        if one.malformed:
            yield phrases.MALFORMED
        if Flags.SYN in tcp.flags:
            yield _syn(one, tcp, talk).fill(who=who)
            yield phrases.ISN.fill(isn=tcp.sequence)
        elif Flags.RST in tcp.flags:
            refused = not talk.is_open and one.source != talk.client and mine.next is None
            yield (phrases.REFUSED if refused else phrases.RESET).fill(
                who=who, port=one.source.port
            )
            talk.is_open = False
        else:
            yield from _segment(one, tcp, talk, who, peer)
        if Flags.SYN in tcp.flags and mine.isn is None:
            mine.isn = tcp.sequence
        if Flags.RST not in tcp.flags:
            mine.saw(tcp, one.payload_length)

    def _talk(self, one: Frame, tcp: Tcp) -> _Talk:
        assert one.source is not None
        assert one.destination is not None
        key = frozenset((one.source, one.destination))
        talk = self._talks.get(key)
        fresh = Flags.SYN in tcp.flags and Flags.ACK not in tcp.flags
        known = talk.end(one.source).isn if talk else None
        if talk is None or (fresh and known not in (None, tcp.sequence)):
            client = one.destination if Flags.SYN in tcp.flags and not fresh else one.source
            talk = self._talks[key] = _Talk(client)
        return talk


def _syn(one: Frame, tcp: Tcp, talk: _Talk) -> Text:
    assert one.source is not None
    if talk.end(one.source).isn == tcp.sequence:
        return phrases.SYN_AGAIN
    if Flags.ACK in tcp.flags:
        return phrases.SYN_ACK
    return phrases.SYN if one.source == talk.client else phrases.SYN_CROSSED


def _segment(one: Frame, tcp: Tcp, talk: _Talk, who: Text, peer: Text) -> Iterator[Text]:
    """Words for a segment that is neither SYN nor RST."""
    assert one.source is not None
    assert one.destination is not None
    mine, other = talk.end(one.source), talk.end(one.destination)
    third = not talk.is_open and Flags.ACK in tcp.flags and _answers_syn(tcp, mine, other)
    if third:
        talk.is_open = True
        yield phrases.THIRD.fill(who=who, peer=peer)
    if tcp.window == 0:
        yield phrases.FLAGS[Analysis.ZERO_WINDOW].fill(who=who)
    again = mine.next is not None and SequenceNumber(tcp.sequence) < mine.next
    if again and (one.payload_length > 1 or Flags.FIN in tcp.flags):
        yield phrases.FLAGS[Analysis.RETRANSMISSION]
    if one.payload_length:
        yield _with_payload(phrases.octets(one.payload_length), one)
    acks_fin = _acks_fin(tcp, mine, other)
    if Flags.FIN in tcp.flags:
        yield (phrases.FIN_AND_ACK if acks_fin else phrases.FIN).fill(who=who)
    elif acks_fin:
        yield phrases.FIN_ACKED.fill(who=who, peer=peer)
    elif not third and not one.payload_length and tcp.window:
        yield _acknowledges(tcp, mine, other)


def _answers_syn(tcp: Tcp, mine: _End, other: _End) -> bool:
    return (
        mine.isn is not None
        and other.isn is not None
        and tcp.acknowledgment == SequenceNumber(other.isn) + 1
        and tcp.sequence == SequenceNumber(mine.isn) + 1
    )


def _acks_fin(tcp: Tcp, mine: _End, other: _End) -> bool:
    """Whether this is the first segment of its sender that acknowledges the other's FIN."""
    if other.fin is None or Flags.ACK not in tcp.flags:
        return False
    before = mine.acknowledged is not None and mine.acknowledged >= other.fin
    return not before and SequenceNumber(tcp.acknowledgment) >= other.fin


def _acknowledges(tcp: Tcp, mine: _End, other: _End) -> Text:
    since = mine.acknowledged
    if since is None and other.isn is not None:
        since = SequenceNumber(other.isn) + 1
    if since is None:
        return phrases.ACKED_UP_TO.fill(number=tcp.acknowledgment)
    octets = SequenceNumber(tcp.acknowledgment) - since
    if octets <= 0:
        return phrases.ACKED_NOTHING_NEW
    return phrases.octets(octets, phrases.ACKED)


def _with_payload(size: Text, one: Frame) -> Text:
    if not one.payload:
        return size
    data = quote(one.payload[:64], one.payload_length)
    return Text(f"{size.en}: {data}", f"{size.zh}：{data}")


def _kind(one: Frame) -> str:
    """What to call a frame that is none of TCP, UDP, ICMP, ARP."""
    if one.ip:
        return f"IPv{one.ip.version}/{one.ip.protocol}"
    return one.protocol.name.lower()


def _source(one: Frame) -> tuple[str, Endpoint | None]:
    if one.source:
        return one.source.address, one.source
    return (one.ip.source if one.ip else one.arp.sender if one.arp else one.link_source), None


def _destination(one: Frame) -> tuple[str, Endpoint | None]:
    if one.destination:
        return one.destination.address, one.destination
    if one.arp and one.arp.operation == 1:
        return "*", None  # everybody on the link
    return (
        one.ip.destination if one.ip else one.arp.target if one.arp else one.link_destination
    ), None


def size(octets: int) -> str:
    """Write a number of octets in the unit that suits it: ``4.9 MB`` (powers of ten)."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if octets >= factor:
            return f"{octets / factor:.3g} {unit}"
    return f"{octets} B"
