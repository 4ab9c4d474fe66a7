"""An ICMP error that answers a datagram (RFC 792, RFC 1122 section 3.2.2, RFC 4443)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.text import Text

WORDS = Text(
    "An ICMP error (frame {error}) answers the datagram to {server} in frame {cause}.",
    "ICMP 差错报文（第 {error} 帧）应答第 {cause} 帧中发往 {server} 的数据报。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding an ICMP error that belongs to a UDP exchange."""
    for exchange in evidence.view.exchanges:
        for error, cause in exchange.errors:
            words = WORDS.fill(error=error, cause=cause, server=exchange.server)
            yield Finding(
                "icmp_error", Severity.ERROR, words, (cause, error), "udp", exchange.stream
            )
