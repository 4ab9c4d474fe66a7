"""A receiver that announced a window of 0: it could take no more (RFC 9293 section 3.8.6)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.talk import RST, SYN, Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.tcp.model import Analysis
from lab.text import Text
from lab.units import short_span

OPENED = Text(
    "{who}'s receive buffer was full: a window of 0 was announced {times}, and the sender had to "
    "wait up to {span}.",
    "{who} 的接收缓冲区已满：通告窗口为 0 共 {times}，发送方最长等待 {span}。",
)
STUCK = Text(
    "{who}'s window stayed at 0 until the end ({span}): its program stopped reading.",
    "{who} 的窗口直到最后一直为 0（{span}）：其程序停止了读取。",
)
NEXT = Text(
    "The network is not at fault: see what {who}'s program does instead of reading (`ss -tm` shows its "
    "Recv-Q and buffer).",
    "问题不在网络：查看 {who} 的程序为何不读取（`ss -tm` 可见其 Recv-Q 与缓冲区）。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection and side."""
    zero = talk.has(Analysis.ZERO_WINDOW)
    for side in (0, 1):
        mine = zero & (talk.side == side)
        if mine.any():
            yield _finding(talk, side, mine)


def _finding(talk: Talk, side: int, zero: NDArray[np.bool_]) -> Finding:
    plain = (talk.side == side) & ((talk.flags & (SYN | RST)) == 0)
    spells = _spells(talk, np.flatnonzero(plain), zero)
    who = talk.name(side)
    stuck = spells[-1][1] is None and spells[-1][2] >= 2
    longest = max(
        int(talk.time[len(talk) - 1 if end is None else end] - talk.time[begin])
        for begin, end, _ in spells
    )
    words = (STUCK if stuck else OPENED).fill(
        who=who, times=times(int(zero.sum())), span=short_span(longest)
    )
    severity = Severity.ERROR if stuck else Severity.WARNING
    kind = "window_stuck" if stuck else "zero_window"
    return of_talk(talk, kind, severity, words, talk.at(zero), NEXT.fill(who=who))


def _spells(
    talk: Talk, sent: NDArray[np.int64], zero: NDArray[np.bool_]
) -> list[tuple[int, int | None, int]]:
    """(first segment with a window of 0, the one that opened it again or None, how many said 0)."""
    found: list[tuple[int, int | None, int]] = []
    begin: int | None = None
    count = 0
    for i in sent.tolist():
        if zero[i]:
            begin, count = (i if begin is None else begin), count + 1
        elif begin is not None:
            found.append((begin, i, count))
            begin, count = None, 0
    return found if begin is None else [*found, (begin, None, count)]
