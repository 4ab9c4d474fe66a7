"""Octets that were acknowledged but are not in the capture: the recording lacks frames.

An end acknowledges only what it received (RFC 9293 section 3.10.7.4), so these passed unrecorded:
the capturing host was too slow, or they took another way.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.talk import Talk
from lab.findings.base import Finding, Severity, of_talk, times
from lab.tcp.model import Analysis, Handshake
from lab.text import Text

WORDS = Text(
    "The capture lacks segments that {who} acknowledged ({times}): they passed, but were not recorded.",
    "抓包缺少 {who} 已确认的报文段（{times}）：它们确实经过，但没有被记录。",
)
NEXT = Text(
    "Do not trust loss and retransmission here. Capture again with a larger buffer (tcpdump -B), a shorter "
    "snap length or a filter, on every way that the traffic takes.",
    "此处的丢包与重传结论不可信。请加大缓冲区（tcpdump -B）、缩短截取长度或加过滤器，并在流量经过的每条路径上重新抓包。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a connection and side; of one seen from its middle the first ACK proves nothing."""
    lacking = talk.has(Analysis.ACK_LOST_SEGMENT)
    if talk.connection.handshake is Handshake.NOT_SEEN:
        lacking[:3] = False
    for side in (0, 1):
        mine = lacking & (talk.side == side)
        both = (talk.side != side) & (talk.length > 0)
        if mine.any() and both.any():
            words = WORDS.fill(who=talk.name(side), times=times(int(mine.sum())))
            yield of_talk(talk, "capture_gap", Severity.WARNING, words, talk.at(mine), NEXT)
