"""A receiver that asks for octets that it had reported by SACK: reneging (RFC 2018 section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.evidence.talk import ACK, RST, Case, Talk
from lab.findings.base import Finding, Severity, of_talk
from lab.packets.distinct import distinct
from lab.packets.frames import Frames
from lab.packets.options import SACK
from lab.tcp.columns import Ints
from lab.tcp.model import Connection
from lab.tcp.option_fields import each_option
from lab.tcp.segments import HALF, MODULUS
from lab.text import Text

WORDS = Text(
    "{who} reported {octets} octet[|s] by SACK (frame {reported}), then asked for the same again: it had thrown "
    "them away.",
    "{who} 已用 SACK 报告收到 {octets} 字节（第 {reported} 帧），后来又要求重发：它把这些数据丢弃了。",
)
NEXT = Text(
    "Receivers do so when memory runs out: see `nstat` TcpExtOfoPruned on {who}. A firewall that rewrites "
    "sequence numbers but not SACK looks the same.",
    "接收方在内存不足时会这样做：在 {who} 上查看 `nstat` 的 TcpExtOfoPruned。只改写序列号而不改写 SACK 的防火墙看起来也一样。",
)


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """One finding a connection and side."""
    case = Case(evidence)
    for connection in _reporting(evidence.view.capture.frames, suspects.closely):
        talk = Talk(case, connection)
        position, left, right = _blocks(talk)
        for side in (0, 1):
            mine = talk.side[position] == side
            yield from _taken_back(talk, side, position[mine], left[mine], right[mine])


def _reporting(frames: Frames, closely: Sequence[Connection]) -> Iterator[Connection]:
    """The connections with a SACK option: few, so the options of all are read together."""
    owner = np.repeat(np.arange(len(closely)), [len(one.rows) for one in closely])
    rows = np.concatenate([owner[:0], *(one.rows for one in closely)])
    reporting = np.zeros(len(closely), np.bool_)
    for at, kind, _, _ in each_option(frames, rows):
        reporting[owner[at[kind == SACK]]] = True
    yield from (closely[i] for i in np.flatnonzero(reporting).tolist())


def _taken_back(
    talk: Talk, side: int, reported: Ints, left: Ints, right: Ints
) -> Iterator[Finding]:
    """An acknowledgment that first passes the begin of a block, but not its end, asks for its rest."""
    sent = np.flatnonzero((talk.side == side) & ((talk.flags & (ACK | RST)) == ACK))
    if not len(sent) or not len(reported):
        return
    highest = np.maximum.accumulate(talk.acknowledgment[sent])
    before = highest[np.searchsorted(sent, reported, side="right") - 1]
    asking = np.searchsorted(highest, left)
    reached = asking < len(sent)
    asked = highest[np.minimum(asking, len(sent) - 1)]
    gone = np.flatnonzero((left > before) & reached & (asked < right))
    if len(gone):
        one = gone[0]
        words = WORDS.fill(
            who=talk.name(side),
            octets=f"{right[one] - asked[one]:,}",
            reported=int(talk.numbers[reported[one]]),
        )
        frames = distinct(talk.numbers[np.append(reported[gone], sent[asking[gone]])]).tolist()
        then = NEXT.fill(who=talk.name(side))
        yield of_talk(talk, "sack_reneging", Severity.WARNING, words, frames, then)


def _blocks(talk: Talk) -> tuple[Ints, Ints, Ints]:
    """Every SACK block: its segment's position, and both edges in the numbers of the data's sender."""
    frames, rows = talk.frames, talk.connection.rows
    found: list[Ints] = [np.zeros((3, 0), np.int64)]
    for at, kind, value, size in each_option(frames, rows):
        here = (kind == SACK) & (size % 8 == 2)
        for block in range(int(((size[here] - 2) // 8).max(initial=0))):
            there = here & (size >= 10 + 8 * block)
            edges = [_edge(talk, at[there], value[there] + 8 * block + end) for end in (0, 4)]
            found.append(np.stack([at[there], *edges]))
    every = np.concatenate(found, axis=1)
    position, left, right = every[:, np.argsort(every[0], kind="stable")]
    return position, left, right


def _edge(talk: Talk, position: Ints, at: Ints) -> Ints:
    octets = talk.frames.octets[at[:, None] + np.arange(4)].astype(np.int64)
    number = octets @ (1 << np.array([24, 16, 8, 0]))
    acknowledged = talk.frames.acknowledgment[talk.connection.rows[position]].astype(np.int64)
    found: Ints = (number - acknowledged + HALF) % MODULUS - HALF
    return found + talk.acknowledgment[position]
