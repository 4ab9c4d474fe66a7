"""Octets sent again although the capture already shows them acknowledged."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.resent import Why
from lab.evidence.talk import Talk
from lab.findings.base import Finding, Severity, of_talk
from lab.text import Text

ONE = Text(
    "{who} sent a segment again that had been acknowledged.",
    "{who} 重发了一个已被确认的报文段。",
)
SEVERAL = Text(
    "{who} sent {count} segments again that had been acknowledged.",
    "{who} 重发了 {count} 个已被确认的报文段。",
)
NEXT = Text(
    "The acknowledgment was lost or late beyond this capture, or the round trip grew faster than "
    "the timer learned. A capture at the other end tells which.",
    "确认在抓包点之外丢失或迟到，或者往返时间的增长快于定时器的调整。在另一端抓包即可分辨。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection and side."""
    for side in (0, 1):
        mine = [
            i for i, one in talk.resent.items() if one.why is Why.SPURIOUS and talk.side[i] == side
        ]
        if mine:
            words = (ONE if len(mine) == 1 else SEVERAL).fill(
                who=talk.name(side), count=f"{len(mine):,}"
            )
            frames = talk.numbers[mine].tolist()
            yield of_talk(talk, "spurious_retransmission", Severity.NOTE, words, frames, NEXT)
