"""Requests over UDP that got neither an answer nor an ICMP error; of DNS, the name that was asked."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, of_talk, times
from lab.packets.rows import frame
from lab.text import Text
from lab.udp.dns import DNS, parse_question
from lab.udp.model import Exchange

WORDS = Text(
    "{server} did not answer: {client} sent it {times}, and no ICMP error came.",
    "{server} 没有应答：{client} 共发送 {times}，也没有收到 ICMP 差错报文。",
)
QUERY = Text(
    "The name server {server} did not answer the query for {name} ({type}), sent {times}.",
    "域名服务器 {server} 没有应答对 {name}（{type}）的查询，共发送 {times}。",
)
NEXT = Text(
    "A closed port of a host that is there is answered by ICMP port unreachable. Silence is a filter, a "
    "lost reply, or a protocol that does not answer.",
    "若主机在线而端口关闭，会以 ICMP 端口不可达应答；毫无回应则是被过滤、应答丢失，或该协议本就不应答。",
)
NO_ANSWER_MEANT = frozenset({9, 138, 162, 514, 1900, 2055, 4739, 5353, 5355, 6343, 8125})
"""Ports whose protocols do not answer, or not from there: syslog, traps, flow records, mDNS, …"""
PATIENCE = 1_000_000_000
"""ns that the capture has to go on after the last datagram; an answer may be on its way."""
AT_MOST = 10
"""Datagrams compared, to tell a request sent again from a stream."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding an exchange between two hosts."""
    for one in evidence.view.exchanges:
        if not one.datagrams[1] and not one.errors and _asks(one):
            query = one.server.port == DNS
            if _waited(evidence, one) and (query or _repeats(evidence, one)):
                yield _finding(evidence, one, query=query)


def _finding(evidence: Evidence, one: Exchange, *, query: bool) -> Finding:
    asked = (
        parse_question(frame(evidence.view.capture, int(one.rows[0])).payload) if query else None
    )
    values = {"client": one.client, "server": one.server, "times": times(one.datagrams[0])}
    words = (
        QUERY.fill(name=asked.name, type=asked.type, **values) if asked else WORDS.fill(**values)
    )
    frames = tuple((one.rows + 1).tolist())
    severity = Severity.WARNING if asked else Severity.NOTE
    return of_talk(one, "udp_unanswered", severity, words, frames, NEXT)


def _waited(evidence: Evidence, one: Exchange) -> bool:
    time = evidence.view.capture.frames.time
    return int(time.max() - time[one.rows[-1]]) >= PATIENCE


def _repeats(evidence: Evidence, one: Exchange) -> bool:
    """The same request again and again: all its datagrams carry the same."""
    rows = one.rows[:AT_MOST].tolist()
    payloads = [frame(evidence.view.capture, row).payload for row in rows]
    return len(rows) == len(one.rows) > 1 and len(set(payloads)) == 1


def _asks(one: Exchange) -> bool:
    """To one host, and not by a protocol that gives no answers."""
    ports = {one.server.port, one.client.port}
    if ports & NO_ANSWER_MEANT or one.client.port == DNS:
        return False
    address = ip_address(one.server.address)
    return not address.is_multicast and not one.server.address.endswith(".255")
