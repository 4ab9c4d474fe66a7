"""A DNS query that was answered with a failure (RFC 1035 section 4.1.1, RFC 2308)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, of_talk
from lab.packets.rows import frame
from lab.text import Text
from lab.udp.dns import DNS, Question, parse_question
from lab.udp.model import Exchange

WORDS = Text(
    "The name server {server} answered the query for {name} ({type}) with {code}.",
    "域名服务器 {server} 对 {name}（{type}）的查询应答为 {code}。",
)
CODES = {
    1: Text("FORMERR: it did not understand the query", "FORMERR：无法理解该查询"),
    2: Text("SERVFAIL: it could not find out", "SERVFAIL：服务器未能查到"),
    3: Text("NXDOMAIN: there is no such name", "NXDOMAIN：该名称不存在"),
    4: Text("NOTIMP: it does not do that", "NOTIMP：不支持此类查询"),
    5: Text("REFUSED: it will not answer this client", "REFUSED：拒绝为该客户端解析"),
}
NEXT = Text(
    "Ask the same of another server (`dig @SERVER NAME`). NXDOMAIN of a name with a search domain "
    "behind it is the resolver trying its list, and harmless.",
    "向另一台服务器查询同一名称（`dig @服务器 名称`）。若名称后附有搜索域，NXDOMAIN 只是解析器在逐个尝试，无妨。",
)
AT_MOST = 10_000
"""Answers that are read."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding an exchange, for its first failure."""
    left = AT_MOST
    for one in evidence.view.exchanges:
        if one.server.port == DNS and one.datagrams[1] and left > 0:
            left -= one.datagrams[1]
            if failure := _failure(evidence, one):
                number, asked = failure
                severity = Severity.NOTE if asked.code == 3 else Severity.WARNING
                words = WORDS.fill(
                    server=one.server, name=asked.name, type=asked.type, code=CODES[asked.code]
                )
                yield of_talk(one, "dns_failed", severity, words, (number,), NEXT)


def _failure(evidence: Evidence, one: Exchange) -> tuple[int, Question] | None:
    for row in one.rows[~one.from_client][:AT_MOST].tolist():
        asked = parse_question(frame(evidence.view.capture, row).payload)
        if asked and asked.response and asked.code in CODES:
            return row + 1, asked
    return None
