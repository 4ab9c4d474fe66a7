"""The same ports again for another connection, perhaps while the first was in TIME-WAIT.

A server may take a new SYN in TIME-WAIT if its sequence number or timestamp is higher (RFC 6191).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, of_talk
from lab.packets.addresses import Endpoint
from lab.tcp.model import Analysis, Connection, Handshake
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


def survey(evidence: Evidence, suspects: Sequence[Connection]) -> Iterator[Finding]:
    """One finding a connection that follows another on the same ports."""
    if not any(_reused(one) for one in suspects):
        return
    time = evidence.view.capture.frames.time
    last: dict[frozenset[Endpoint], Connection] = {}
    for one in suspects:
        ends = frozenset((one.client, one.server))
        before = last.get(ends)
        last[ends] = one
        if before and _reused(one) and one.handshake is not Handshake.NOT_SEEN:
            span = int(time[one.rows[0]] - time[before.rows[-1]])
            words = (SOON if _waits(before) and span < TIME_WAIT else WORDS).fill(
                before=before.stream, span=short_span(max(span, 0))
            )
            frames = (int(before.rows[-1]) + 1, int(one.rows[0]) + 1)
            yield of_talk(one, "port_reused", Severity.NOTE, words, frames, NEXT)


def _reused(one: Connection) -> bool:
    return bool(one.flags.get(int(one.rows[0]) + 1, Analysis(0)) & Analysis.REUSED_PORTS)


def _waits(before: Connection) -> bool:
    return "TIME-WAIT" in before.states
