"""A SYN that nobody answered: lost, filtered, or sent to an address where nobody is."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.glance import Groups, glance, opened
from lab.evidence.icmp import errors_about_tcp
from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.findings.base import Finding, Severity, of_talk, times
from lab.packets.distinct import distinct
from lab.packets.frames import Flags
from lab.tcp.model import Connection, Handshake
from lab.text import Text

WORDS = Text(
    "No answer from {server}: the SYN was sent {times}.",
    "{server} 没有应答：SYN 共发送 {times}。",
)
SEVERAL = Text(
    "No answer from {server}: {client} tried {count} connections to {ports} of its ports.",
    "{server} 没有应答：{client} 向其 {ports} 个端口尝试了 {count} 个连接。",
)
NEXT = Text(
    "Silence is a filter that drops, a host that is not there, or a lost way back (a closed port would "
    "answer with RST). Try another port of that host, and capture where it is.",
    "没有任何回应，说明被过滤丢弃、主机不存在，或返回路径不通（端口关闭会以 RST 应答）。请试该主机的其他端口，并在它那一侧抓包。",
)
ONE_BY_ONE = 10
"""Connections between two hosts told one by one; more are told together."""


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """One finding a connection whose SYN stayed unanswered, even by ICMP, or one two hosts that had
    many."""
    silent = glance(evidence.view, opened(suspects.columns, {Handshake.UNANSWERED}))
    if told := errors_about_tcp(evidence.view.capture):
        silent = silent.only(~silent.between(told))
    one_by_one = set(silent.stream.tolist())
    for group in Groups(silent.client, silent.server).of_at_least(ONE_BY_ONE + 1):
        one_by_one.difference_update(silent.stream[group].tolist())
        client, server = (end.address for end in silent.ends(group[0]))
        ports = len(distinct(silent.server_port[group]))
        words = SEVERAL.fill(client=client, server=server, count=f"{len(group):,}", ports=ports)
        frames = tuple((silent.row[group] + 1).tolist())
        yield Finding("unanswered", Severity.ERROR, words, frames, next=NEXT)
    for one in suspects.closely:
        if one.stream in one_by_one:
            frames = _syns(evidence, one)
            words = WORDS.fill(server=one.server, times=times(len(frames)))
            yield of_talk(one, "unanswered", Severity.ERROR, words, frames, NEXT)


def _syns(evidence: Evidence, connection: Connection) -> tuple[int, ...]:
    flags = evidence.view.capture.frames.flags[connection.rows]
    return tuple(int(row) + 1 for row in connection.rows[(flags & int(Flags.SYN)) != 0])
