"""A SYN without a maximum segment size.

Without the option the peer must assume 536 octets, over IPv6 1220 (RFC 9293 section 3.7.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.findings.base import Finding, Severity, name_of
from lab.tcp.model import Handshake
from lab.text import Text

WORDS = Text(
    "{who}'s SYN announces no MSS: its peer may send segments of 536 octets only.",
    "{who} 的 SYN 没有通告 MSS：对端只能发送 536 字节的报文段。",
)
NEXT = Text(
    "A kernel always sends the option: look for a middlebox that strips it, or a program that makes its "
    "own packets.",
    "内核总会带上该选项：检查是否有中间设备将其删除，或者是某个自行构造报文的程序。",
)
AT_MOST = 20
"""SYNs without the option that are told one by one; a scan sends thousands."""


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """One finding a connection that opened and carried data without the option."""
    yield from islice(_missing(evidence, suspects), AT_MOST)


def _missing(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    for one in suspects.closely:
        if None in one.mss and one.handshake is Handshake.THREE_WAY and any(one.octets):
            side = one.mss.index(None)
            who = name_of(evidence, one.server if side else one.client)
            yield Finding(
                "mss_missing",
                Severity.NOTE,
                WORDS.fill(who=who),
                one.handshake_frames[side : side + 1],
                "tcp",
                one.stream,
                NEXT,
            )
