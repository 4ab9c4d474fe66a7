"""Nagle's algorithm waiting for an ACK that the receiver delays (RFC 9293 section 3.7.4, RFC 1122
section 4.2.3.2): write, write, read costs as long as the delayed ACK timer.

Seen as: a small segment, 40 to 500 ms later the pure ACK of it, and at once the next data.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.suspects import set_free
from lab.evidence.talk import ACK, FIN, RST, SYN, Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.text import Text
from lab.units import short_span

WORDS = Text(
    "{who} held data back until {other}'s delayed ACK came, {times}, {span} in all: Nagle's algorithm "
    "met the delayed ACK.",
    "{who} 一直压住数据，直到 {other} 的延迟 ACK 到来，{times}，共 {span}：Nagle 算法遇上了延迟确认。",
)
NEXT = Text(
    "Write what belongs together in one call (writev, TCP_CORK), or set TCP_NODELAY on {who}.",
    "把属于一起的数据一次写出（writev、TCP_CORK），或在 {who} 上设置 TCP_NODELAY。",
)

NOTHING = np.zeros(0, np.bool_)
ALL_OF_IT = np.zeros(1, np.int64)
"""Where the only connection begins."""


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection and side."""
    free = set_free(talk.time, talk.length, ALL_OF_IT)[2:] if len(talk) >= 6 else NOTHING
    if not free.any():
        return
    pure = (talk.length == 0) & ((talk.flags & (SYN | FIN | RST | ACK)) == ACK)
    small = (talk.length > 0) & ((talk.flags & (SYN | FIN | RST)) == 0)
    gap = np.diff(talk.time)
    i = np.arange(len(talk) - 2)
    fits = (
        free
        & small[i]
        & pure[i + 1]
        & (talk.length[i + 2] > 0)
        & (talk.side[i] == talk.side[i + 2])
    )
    fits &= (talk.side[i] != talk.side[i + 1]) & (talk.acknowledgment[i + 1] == talk.end[i])
    fits &= (talk.sequence[i + 2] == talk.end[i]) & (talk.analysis[i] == 0)
    for side in (0, 1):
        mss = talk.connection.mss[1 - side] or 536
        held = i[fits & (talk.side[i] == side) & (talk.length[i] < mss - 40)]
        if len(held):
            yield _finding(talk, side, held.tolist(), int(gap[held].sum()))


def _finding(talk: Talk, side: int, held: list[int], waited: int) -> Finding:
    who = talk.name(side)
    words = WORDS.fill(
        who=who, other=talk.name(1 - side), times=times(len(held)), span=short_span(waited)
    )
    frames = talk.numbers[[j for i in held for j in (i, i + 1, i + 2)]].tolist()
    return of_talk(
        talk,
        "nagle_delayed_ack",
        Severity.WARNING,
        words,
        dict.fromkeys(frames),
        NEXT.fill(who=who),
    )
