"""A SYN that had to be sent more than once until it was answered: it, or its answer, was lost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.resent import Why
from lab.evidence.talk import ACK, RST, SYN, Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.packets.frames import Protocol
from lab.packets.pairs import ends
from lab.tcp.model import Handshake
from lab.text import Text, same
from lab.units import short_span

LOST_SYN = Text(
    "The connection opened {wait} late: the SYN was sent {times} before an answer came.",
    "连接建立推迟了 {wait}：SYN 发送 {times}后才得到应答。",
)
LOST_SYN_ACK = Text(
    "The SYN was sent again though a SYN,ACK had answered it: that answer was lost on its way.",
    "SYN,ACK 已经应答，SYN 却又重发：应答在途中丢失。",
)
UNSEEN = Text(
    "The SYN was answered (frame {numbers} of {where}), but the answer was lost on its way: the SYN had "
    "to be sent again.",
    "SYN 已得到应答（{where} 第 {numbers} 帧），但应答在途中丢失，SYN 只得重发。",
)
NEXT_SYN = Text(
    "A SYN is small and rarely lost alone: a full accept queue, a rate limit or a stateful firewall "
    "drops it too. Look at the server's counters ListenOverflows and ListenDrops.",
    "SYN 很小，很少单独丢失：全连接队列已满、限速或状态防火墙也会丢弃它。查看服务器的 ListenOverflows 与 ListenDrops 计数器。",
)
NEXT_SYN_ACK = Text(
    "Answers are lost between here and the client: look for asymmetric routes and for a firewall that "
    "never saw the SYN.",
    "应答在此处与客户端之间丢失：检查是否存在非对称路由，或未曾见到 SYN 的防火墙。",
)
SHOWN_AS_OTHER = (Handshake.UNANSWERED, Handshake.REFUSED)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection; a SYN that nobody answers is another kind."""
    again = [i for i, one in talk.resent.items() if one.why is Why.SYN]
    if not again or talk.connection.handshake in SHOWN_AS_OTHER:
        return
    answers = np.flatnonzero((talk.flags & (SYN | ACK | RST)) == (SYN | ACK))
    if not len(answers):
        return
    late = [i for i in again if i > answers[0]]
    if late:
        frames = talk.numbers[[int(answers[0]), *late]].tolist()
        yield of_talk(talk, "lost_syn_ack", Severity.WARNING, LOST_SYN_ACK, frames, NEXT_SYN_ACK)
    if before := [i for i in again if i < answers[0]]:
        if numbers := _unseen_answers(talk):
            words = UNSEEN.fill(where=same(talk.case.evidence.views[1].file), numbers=numbers)
            frames = talk.numbers[[0, *before]].tolist()
            yield of_talk(talk, "lost_syn_ack", Severity.WARNING, words, frames, NEXT_SYN_ACK)
            return
        wait = short_span(int(talk.time[before[-1]] - talk.time[0]))
        words = LOST_SYN.fill(wait=wait, times=times(len(before) + 1))
        frames = talk.numbers[[0, *before]].tolist()
        yield of_talk(talk, "lost_syn", Severity.WARNING, words, frames, NEXT_SYN)


def _unseen_answers(talk: Talk) -> str:
    """The SYN,ACKs that only the other vantage point saw, by their numbers there."""
    evidence = talk.case.evidence
    if evidence.match is None:
        return ""
    frames, rows = evidence.views[1].capture.frames, evidence.match.only_second
    wanted = (frames.protocol[rows] == Protocol.TCP) & (
        (frames.flags[rows] & (SYN | ACK)) == (SYN | ACK)
    )
    found = [row for row in rows[wanted].tolist() if ends(frames, row)[1] == talk.connection.client]
    return ", ".join(str(row + 1) for row in found)
