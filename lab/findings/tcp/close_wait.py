"""A program that was told that its peer is done and never closes: CLOSE-WAIT (RFC 9293 3.10.4).

Not a half-close in use: after the FIN, that end sent no data either.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.talk import FIN, RST, Talk
from lab.findings.base import Finding, Severity, of_talk
from lab.tcp.model import Teardown
from lab.text import Text
from lab.units import short_span

WORDS = Text(
    "{who} acknowledged the FIN and never closed: it stayed in CLOSE-WAIT for {span}, until the capture "
    "ends.",
    "{who} 确认了 FIN 却一直不关闭：停留在 CLOSE-WAIT 达 {span}，直到抓包结束。",
)
NEXT = Text(
    "{who}'s program leaks the socket: it does not read to end of file, or forgets to close. `ss -tnp state "
    "close-wait` on that host names the process.",
    "{who} 的程序泄漏了套接字：没有读到文件结束，或忘记关闭。在该主机上执行 `ss -tnp state close-wait` 可找到进程。",
)
LONG = 1_000_000_000
"""ns: what a program may need to finish its work."""
TOO_LONG = 30_000_000_000
"""ns: a server that waits for its peer's next request has timeouts of that size."""


def examine(talk: Talk) -> Iterator[Finding]:
    """At most one finding a connection."""
    if talk.connection.teardown is not Teardown.UNFINISHED:
        return
    fins = np.flatnonzero((talk.flags & FIN) != 0)
    side = 1 - int(talk.side[fins[0]])
    after = np.arange(len(talk)) > fins[0]
    mine = after & (talk.side == side)
    told = mine & (talk.acknowledgment >= talk.end[fins[0]])
    spoke = mine & ((talk.length > 0) | ((talk.flags & (FIN | RST)) != 0))
    until = int(talk.frames.time.max())
    if not told.any() or spoke.any() or (talk.flags[after] & RST).any():
        return
    span = until - int(talk.time[np.flatnonzero(told)[0]])
    if span >= LONG:
        who = talk.name(side)
        words = WORDS.fill(who=who, span=short_span(span))
        frames = talk.numbers[[int(fins[0]), int(np.flatnonzero(told)[0])]].tolist()
        then = NEXT.fill(who=who)
        severity = Severity.WARNING if span >= TOO_LONG else Severity.NOTE
        yield of_talk(talk, "close_wait", severity, words, frames, then)
