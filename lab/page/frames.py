"""What a row says of a frame beyond the ladder's words: absolute numbers, sums, labels, its look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from lab.evidence.run import Evidence, View
from lab.packets.frames import Flags, Frames
from lab.page.scene import Sum
from lab.report.events import FrameEvent
from lab.report.people import People
from lab.tcp.model import Analysis, Connection
from lab.text import Text, same
from lab.units import MODULUS

AGAIN = Analysis.RETRANSMISSION | Analysis.FAST_RETRANSMISSION | Analysis.SPURIOUS_RETRANSMISSION
PROBES = Analysis.KEEP_ALIVE | Analysis.ZERO_WINDOW_PROBE
DUPLICATE = Text("dup ACK {n}", "重复 ACK {n}")
BADGES = {
    Analysis.SPURIOUS_RETRANSMISSION: Text("spurious retransmission", "不必要的重传"),
    Analysis.FAST_RETRANSMISSION: Text("fast retransmission", "快速重传"),
    Analysis.RETRANSMISSION: Text("retransmission", "重传"),
    Analysis.OUT_OF_ORDER: Text("out of order", "乱序"),
    Analysis.KEEP_ALIVE: Text("keep-alive", "保活探测"),
    Analysis.KEEP_ALIVE_ACK: Text("keep-alive ACK", "保活应答"),
    Analysis.ZERO_WINDOW_PROBE: Text("zero window probe", "零窗口探测"),
    Analysis.ZERO_WINDOW: Text("zero window", "零窗口"),
    Analysis.WINDOW_FULL: Text("window full", "窗口已满"),
    Analysis.WINDOW_UPDATE: Text("window update", "窗口更新"),
}
SYN, FIN, ACK = int(Flags.SYN), int(Flags.FIN), int(Flags.ACK)
KINDS = {"UDP": "udp", "ICMP": "icmp", "ICMPv6": "icmp", "ARP": "arp"}


class Close(Struct, frozen=True):
    """The columns of a frame that a row needs."""

    sequence: int
    acknowledgment: int
    window: int
    flags: int  # Flags, as a plain number: a long run asks often
    end: int  # the number after it


def close_look(frames: Frames, number: int) -> Close:
    """The columns of one TCP segment."""
    row = number - 1
    sequence, flags = int(frames.sequence[row]), int(frames.flags[row])
    phantom = bool(flags & SYN) + bool(flags & FIN)
    return Close(
        sequence,
        int(frames.acknowledgment[row]),
        int(frames.window[row]),
        flags,
        (sequence + int(frames.payload_length[row]) + phantom) % MODULUS,
    )


def view_of(evidence: Evidence, event: FrameEvent, who: People) -> View:
    """The capture that numbers a frame of the ladder."""
    if not event.elsewhere:
        return evidence.view
    fits = (one for one in evidence.views if who.letters.get(one.host) == event.elsewhere)
    return next(fits, evidence.views[-1])


def look(event: FrameEvent, flags: Analysis) -> str:
    """Classes for a frame; what they show is always written, too."""
    kinds = [name for name in ("RST", "SYN", "FIN") if name in event.flags.split(",")]
    kind = kinds[0].lower() if kinds else KINDS.get(event.flags, "data" if event.octets else "ack")
    marks = ["again"] * bool(flags & AGAIN) + ["probe"] * bool(flags & PROBES)
    return " ".join([kind, *marks])


def badge(connection: Connection, number: int, flags: Analysis) -> Text | None:
    """The label that matters most."""
    if number in connection.duplicate_acks and flags & Analysis.DUPLICATE_ACK:
        return DUPLICATE.fill(n=connection.duplicate_acks[number])
    return next((words for flag, words in BADGES.items() if flags & flag), None)


class Sums:
    """Tells how each ACK number of a connection came about; asked in order of time."""

    def __init__(self, connection: Connection) -> None:
        """Nothing was sent yet."""
        self._bases = connection.isn
        self._sent: list[dict[int, tuple[int, Close]]] = [{}, {}]  # by side: end -> the last such
        self._waiting: list[list[tuple[int, Close]]] = [[], []]

    def next(self, number: int, one: Close, side: int) -> Sum | None:
        """The sum of a segment's ACK number; None where it is of no segment that was seen."""
        found = self._answered(one, 1 - side) if one.flags & ACK else None
        if one.end != one.sequence:
            self._sent[side][one.end] = number, one
            self._waiting[side].append((number, one))
        return found

    def _answered(self, one: Close, side: int) -> Sum | None:
        covered = [n for n, sent in self._waiting[side] if not _after(sent.end, one.acknowledgment)]
        if covered:
            self._waiting[side] = [
                pair for pair in self._waiting[side] if _after(pair[1].end, one.acknowledgment)
            ]
        if one.acknowledgment not in self._sent[side]:
            return None
        number, sent = self._sent[side][one.acknowledgment]
        flags = (("SYN", SYN), ("FIN", FIN))
        return Sum(
            start=(sent.sequence - (self._bases[side] or 0)) % MODULUS,
            absolute=sent.sequence,
            added=(sent.end - sent.sequence) % MODULUS,
            counts=" ".join(name for name, flag in flags if sent.flags & flag),
            answers=number,
            covers=tuple(covered),
        )


def _after(one: int, other: int) -> bool:
    """Whether a sequence number lies beyond another."""
    return 0 < (one - other) % MODULUS < MODULUS // 2


TRUTHS: Mapping[str, Text] = {
    "retransmission": Text("sent again", "确系重传"),
    "reordered": Text("sent once, overtaken", "只发送一次，途中被超越"),
    "doubled": Text("sent once, doubled", "只发送一次，途中被复制"),
}


def truths(evidence: Evidence) -> dict[int, tuple[Text, Text]]:
    """By frame number of the first view: what it was, and what a single capture would say."""
    match = evidence.match
    if match is None or not (_remarkable(evidence.views) or (np.diff(match.second) < 0).any()):
        return {}
    from lab.evidence.labels import corrections  # seldom needed

    return {
        number: (TRUTHS[one.truth], BADGES.get(one.label, same(str(one.label.name))))
        for one in corrections(evidence)
        for number in one.shown
    }


def _remarkable(views: Sequence[View]) -> bool:
    """Whether there is any label to be wrong."""
    return any(one.flags for view in views[:2] for one in view.connections)
