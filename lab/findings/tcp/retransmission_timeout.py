"""Segments sent again because no acknowledgment came in time (RFC 6298): the slow way to repair."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.resent import Why
from lab.evidence.talk import Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.text import Text
from lab.units import short_span

WORDS = Text(
    "{who}'s retransmission timer ran out {times}: no acknowledgment for up to {wait}.",
    "{who} 的重传定时器超时 {times}：最长 {wait} 没有收到确认。",
)
NEXT = Text(
    "Was anything sent behind the lost segment? Too little in flight gives no duplicate ACKs, so only the"
    " timer is left. Several timeouts in a row mean that the path was down, not that it was full.",
    "看丢失的报文段之后是否还有数据：在途数据太少就凑不够重复 ACK，只能等定时器；连续多次超时说明路径中断，而不是拥塞。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection and side."""
    for side in (0, 1):
        mine = {
            i: one
            for i, one in talk.resent.items()
            if one.why is Why.TIMEOUT and talk.side[i] == side
        }
        if mine:
            words = WORDS.fill(
                who=talk.name(side),
                times=times(len(mine)),
                wait=short_span(max(one.wait for one in mine.values())),
            )
            frames = (int(talk.numbers[i]) for i in mine)
            yield of_talk(talk, "retransmission_timeout", Severity.WARNING, words, frames, NEXT)
