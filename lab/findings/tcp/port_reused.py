"""The same ports again for another connection, perhaps while the first was in TIME-WAIT.

A server may take a new SYN in TIME-WAIT if its sequence number or timestamp is higher (RFC 6191).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.glance import glance
from lab.evidence.run import Evidence, View
from lab.evidence.suspects import Suspects
from lab.findings.base import Finding, Severity, of_talk
from lab.tcp.model import Analysis, Connection, Handshake, State
from lab.text import Text
from lab.units import short_span

WORDS = Text(
    "The ports of connection {before} were used again {span} after its end.",
    "连接 {before} 结束 {span} 之后，同样的端口又被使用。",
)
SOON = Text(
    "The ports of connection {before} were used again only {span} after its end: one end was in TIME-WAIT.",
    "连接 {before} 结束仅 {span}，同样的端口又被使用：其中一端正处于 TIME-WAIT。",
)
NEXT = Text(
    "The ephemeral ports run short, or a program binds its client port itself. See `ss -s` and "
    "net.ipv4.ip_local_port_range; keep connections open instead of making new ones.",
    "临时端口不足，或程序自行绑定了客户端端口。查看 `ss -s` 与 net.ipv4.ip_local_port_range；宜保持连接，而不是不断新建。",
)
TIME_WAIT = 60_000_000_000  # ns: Linux; RFC 9293 has 2 MSL, 4 minutes


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """One finding a connection that follows another on the same ports."""
    if not any(_reused(one) for one in suspects.closely):
        return
    time, s = evidence.view.capture.frames.time, suspects.columns.segments
    before = _before(evidence.view)
    for one in suspects.closely:
        if one.stream in before and _reused(one) and one.handshake is not Handshake.NOT_SEEN:
            previous = before[one.stream]
            last = int(s.row[s.bounds(previous).stop - 1])
            span = int(time[one.rows[0]] - time[last])
            waits = State.TIME_WAIT in suspects.columns.outcome_of(previous).states
            words = (SOON if waits and span < TIME_WAIT else WORDS).fill(
                before=previous, span=short_span(max(span, 0))
            )
            frames = last + 1, int(one.rows[0]) + 1
            yield of_talk(one, "port_reused", Severity.NOTE, words, frames, NEXT)


def _before(view: View) -> dict[int, int]:
    """The connection that had the same ends before, for each that has one."""
    every = glance(view, np.ones(len(view.connections), np.bool_))
    one, other = (
        every.client << 16 | every.client_port,
        every.server << 16 | every.server_port,
    )
    ends = np.stack([np.minimum(one, other), np.maximum(one, other)])
    order = np.lexsort(ends)
    same = (ends[:, order[1:]] == ends[:, order[:-1]]).all(axis=0)
    return dict(zip(order[1:][same].tolist(), order[:-1][same].tolist(), strict=True))


def _reused(one: Connection) -> bool:
    return bool(one.flags.get(int(one.rows[0]) + 1, Analysis(0)) & Analysis.REUSED_PORTS)
