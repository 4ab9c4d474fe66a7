"""What a row says of a frame beyond the ladder's words: absolute numbers, sums, labels, its look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from msgspec import Struct

from lab.evidence.run import Evidence, View
from lab.packets.frames import Flags, Frames
from lab.page import ruler
from lab.page.scene import Cell, Sum
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


class Close(Struct, frozen=True, gc=False):
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


def octets_of(frames: Frames, row: int) -> bytes:
    """The octets of a frame, as far as they were captured."""
    begin = int(frames.start[row])
    return frames.octets[begin : begin + int(frames.captured[row])].tobytes()


def view_of(evidence: Evidence, event: FrameEvent, who: People) -> View:
    """The capture that numbers a frame of the ladder."""
    if not event.elsewhere:
        return evidence.view
    fits = (one for one in evidence.views if who.letters.get(one.host) == event.elsewhere)
    return next(fits, evidence.views[-1])


def look(event: FrameEvent, flags: Analysis) -> str:
    """Classes for a frame; what they show is always written, too."""
    kind = _control(event.flags) or KINDS.get(event.flags, "data" if event.octets else "ack")
    if not flags:
        return kind
    marks = ["again"] * bool(flags & AGAIN) + ["probe"] * bool(flags & PROBES)
    return " ".join([kind, *marks])


@lru_cache(64)
def _control(flags: str) -> str:
    """The control bit that matters most, in small letters; "": none."""
    return next((one.lower() for one in ("RST", "SYN", "FIN") if one in flags.split(",")), "")


def badge(connection: Connection, number: int, flags: Analysis) -> Text | None:
    """The label that matters most."""
    if not flags:
        return None
    if number in connection.duplicate_acks and flags & Analysis.DUPLICATE_ACK:
        return DUPLICATE.fill(n=connection.duplicate_acks[number])
    return next((words for flag, words in BADGES.items() if flags & flag), None)


class Sums:
    """Tells how each ACK number of a connection came about; asked in order of time."""

    def __init__(self, connection: Connection) -> None:
        """Nothing was sent yet."""
        self._bases = connection.isn
        self._sent: list[dict[int, tuple[str, Close]]] = [{}, {}]  # by side: end -> the last such
        self._waiting: list[list[tuple[str, Close]]] = [[], []]
        self._acknowledged: list[int | None] = [None, None]  # by side: SND.UNA

    def next(self, key: str, one: Close, side: int) -> Sum | None:
        """The sum of a segment's ACK number; None where it is of no segment that was seen.

        ``key``: of the segment's row.
        """
        found = self._answered(one, 1 - side) if one.flags & ACK else None
        if one.end != one.sequence:
            self._sent[side][one.end] = key, one
            self._waiting[side].append((key, one))
        return found

    def _answered(self, one: Close, side: int) -> Sum | None:
        waiting, ack = self._waiting[side], one.acknowledgment
        covered = [key for key, sent in waiting if not _after(sent.end, ack)]
        if covered:
            self._waiting[side] = [pair for pair in waiting if _after(pair[1].end, ack)]
        if ack not in self._sent[side]:
            return None
        key, sent = self._sent[side][ack]
        flags = (("SYN", SYN), ("FIN", FIN))
        return Sum(
            start=(sent.sequence - (self._bases[side] or 0)) % MODULUS,
            absolute=sent.sequence,
            added=(sent.end - sent.sequence) % MODULUS,
            counts=" ".join(name for name, flag in flags if sent.flags & flag),
            answers=key,
            covers=tuple(covered),
            cells=self._cells(waiting, ack, side) if covered else (),
        )

    def _cells(self, waiting: Sequence[tuple[str, Close]], ack: int, side: int) -> tuple[Cell, ...]:
        """The octets from what was acknowledged before up to this ACK."""
        before = self._acknowledged[side]
        if before is None:
            before = min((sent.sequence for _, sent in waiting), key=lambda one: beyond(one, ack))
        self._acknowledged[side] = ack
        sent = [(beyond(one.sequence, ack), beyond(one.end, ack), key) for key, one in waiting]
        base = ack - (self._bases[side] or 0)
        return ruler.cells("covers", beyond(before, ack), 0, sent, base)


def beyond(number: int, other: int) -> int:
    """How far a sequence number lies beyond another; negative: before it."""
    return (number - other + MODULUS // 2) % MODULUS - MODULUS // 2


def _after(one: int, other: int) -> bool:
    """Whether a sequence number lies beyond another."""
    return beyond(one, other) > 0


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
