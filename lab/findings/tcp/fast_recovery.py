"""Segments sent again on the word of the receiver: duplicate ACKs or SACK (RFC 5681, 6675, 8985)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.resent import Why
from lab.evidence.talk import Talk
from lab.findings.base import Finding, Severity, of_talk
from lab.text import Text

ONE = Text(
    "{who} repaired a loss within a round trip: the receiver's ACKs showed what was missing.",
    "{who} 在一个往返之内修复了一次丢失：接收方的 ACK 表明了缺少哪一段。",
)
SEVERAL = Text(
    "{who} sent {count} segments again as the receiver's ACKs asked for them (fast recovery).",
    "{who} 按接收方 ACK 的要求重发了 {count} 个报文段（快速恢复）。",
)
NEXT = Text(
    "Some loss is how TCP finds the capacity of a path. Compare the rate of loss with the throughput, "
    "and see whether losses come in bursts: a full queue, a policer, a bad link.",
    "TCP 正是靠少量丢包探知路径容量。对照丢包率与吞吐量，并看丢包是否成串：队列已满、限速器，或链路质量差。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection and side."""
    for side in (0, 1):
        mine = [
            i for i, one in talk.resent.items() if one.why is Why.RECOVERY and talk.side[i] == side
        ]
        if mine:
            words = (ONE if len(mine) == 1 else SEVERAL).fill(
                who=talk.name(side), count=f"{len(mine):,}"
            )
            frames = talk.numbers[mine].tolist()
            yield of_talk(talk, "fast_recovery", Severity.WARNING, words, frames, NEXT)
