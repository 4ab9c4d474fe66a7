"""Octets sent more than once for a reason that this capture does not show.

What it does show has kinds of its own: timeout, fast recovery, tail loss probe, repeated SYN.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.resent import Why
from lab.evidence.talk import Talk
from lab.findings.base import Finding, Severity, of_talk
from lab.text import Text

ONE = Text("A segment was sent again.", "有 1 个报文段被重传。")
SEVERAL = Text("{count} segments were sent again.", "有 {count} 个报文段被重传。")
NEXT = Text(
    "Capture at the sender: there each retransmission follows its cause, a timer or an ACK.",
    "在发送方抓包：那里每次重传之前都能看到原因，即定时器超时或某个 ACK。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection."""
    if mine := [i for i, one in talk.resent.items() if one.why is Why.UNKNOWN]:
        words = (ONE if len(mine) == 1 else SEVERAL).fill(count=f"{len(mine):,}")
        frames = talk.numbers[mine].tolist()
        yield of_talk(talk, "retransmission", Severity.WARNING, words, frames, NEXT)
