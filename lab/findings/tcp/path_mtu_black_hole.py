"""Long segments that never arrive while short ones do, and no ICMP message that says why (RFC 2923)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.resent import Why
from lab.evidence.talk import Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.packets.distinct import counted
from lab.text import Text

WORDS = Text(
    "Segments of {long} octets from {who} do not get through ({times} repeated), those of {short} "
    "octets do: a path MTU black hole.",
    "{who} 发出的 {long} 字节的报文段无法通过（重发 {times}），{short} 字节的可以：PMTU 黑洞。",
)
NEXT = Text(
    'Find the size that passes: `ping -M do -s SIZE`. Then let ICMP "fragmentation needed" through, clamp'
    " the MSS at the narrow link, or set net.ipv4.tcp_mtu_probing=1.",
    "用 `ping -M do -s 大小` 找出能通过的长度；然后放行 ICMP“需要分片”，在窄链路处钳制 MSS，或设置 net.ipv4.tcp_mtu_probing=1。",
)
LEAST = 3
"""Repetitions of one segment that are no accident."""
AS_LONG = 1000
"""Octets: what every path of today takes; shorter segments are lost for another reason."""


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection and side."""
    for side in (0, 1):
        again = [
            i
            for i, one in talk.resent.items()
            if talk.side[i] == side
            and talk.length[i]
            and one.why in (Why.TIMEOUT, Why.RECOVERY, Why.UNKNOWN)
        ]
        if len(again) >= LEAST and (found := _black_hole(talk, side, again)):
            yield found


def _black_hole(talk: Talk, side: int, again: list[int]) -> Finding | None:
    """The octets most often repeated, as long every time, against what arrived meanwhile."""
    starts, counts = counted(talk.sequence[again])
    worst = starts[counts.argmax()]
    copies = np.array([i for i in again if talk.sequence[i] == worst])
    long = int(talk.length[copies].max())
    copies = copies[talk.length[copies] == long]
    mine = (talk.side == side) & (talk.length > 0)
    first = int(np.flatnonzero(mine & (talk.sequence == worst))[0])
    if len(copies) < LEAST or long < AS_LONG or talk.case.too_big:
        return None
    passed = _passed(talk, side, mine, int(copies[-1]))
    if not len(passed) or int(talk.length[passed].max()) >= long:
        return None
    words = WORDS.fill(
        long=long,
        who=talk.name(side),
        times=times(len(copies)),
        short=int(talk.length[passed].max()),
    )
    frames = talk.numbers[[first, *copies.tolist()]].tolist()
    return of_talk(talk, "path_mtu_black_hole", Severity.ERROR, words, frames, NEXT)


def _passed(talk: Talk, side: int, mine: NDArray[np.bool_], until: int) -> NDArray[np.int64]:
    """What had been acknowledged by then."""
    acks = (talk.side != side) & (talk.acknowledgment >= 0)
    acks[until:] = False
    acked = int(talk.acknowledgment[acks].max()) if acks.any() else 0
    return np.flatnonzero(mine & (talk.end <= acked))
