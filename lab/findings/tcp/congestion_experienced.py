"""Explicit congestion notification at work: the receiver echoes a router's mark (RFC 3168)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.talk import CWR, ECE, RST, SYN, Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.text import Text

WORDS = Text(
    "A router marked packets instead of dropping them: {who} reported congestion {times} (ECE), and the "
    "sender {answer}.",
    "路由器以打标记代替丢包：{who} 报告拥塞 {times}（ECE），发送方{answer}。",
)
REDUCED = Text("reduced its window (CWR)", "缩小了窗口（CWR）")
IGNORED = Text("never answered with CWR", "始终没有以 CWR 回应")
NEXT = Text(
    "A queue on the path was growing; nothing was lost. Look for CE in the IP headers at the receiver's port.",
    "路径上有队列在增长，但没有丢包。可在接收方端口的 IP 首部中查看 CE 标记。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection and side."""
    echo = ((talk.flags & ECE) != 0) & ((talk.flags & (SYN | RST)) == 0)
    for side in (0, 1):
        mine = echo & (talk.side == side)
        if mine.any():
            reduced = ((talk.flags & (CWR | SYN)) == CWR) & (talk.side != side)
            words = WORDS.fill(
                who=talk.name(side),
                times=times(int(mine.sum())),
                answer=REDUCED if reduced.any() else IGNORED,
            )
            yield of_talk(talk, "congestion_experienced", Severity.NOTE, words, talk.at(mine), NEXT)
