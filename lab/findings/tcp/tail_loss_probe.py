"""The last segment sent again before the timer ran out, to draw an ACK (RFC 8985 section 7)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.resent import Why
from lab.evidence.talk import Talk
from lab.findings.base import Finding, Severity, of_talk
from lab.text import Text
from lab.units import short_span

WORDS = Text(
    "{who} probed: it sent its last segment again after {wait} without an acknowledgment.",
    "{who} 进行了探测：{wait} 没有收到确认后，重发了最后一个报文段。",
)
NEXT = Text(
    "If the ACK of the probe carries SACK or DSACK, see what it says: the segment, or only its "
    "acknowledgment, was lost or late.",
    "看对探测的 ACK 是否带有 SACK 或 DSACK：可知丢失或迟到的是报文段本身，还是只是它的确认。",
)


def examine(talk: Talk) -> Iterator[Finding]:
    """One finding a probe."""
    for i, one in talk.resent.items():
        if one.why is Why.PROBE:
            words = WORDS.fill(who=talk.name(int(talk.side[i])), wait=short_span(one.wait))
            shown = (i,) if one.original is None else (one.original, i)
            frames = talk.numbers[list(shown)].tolist()
            yield of_talk(talk, "tail_loss_probe", Severity.NOTE, words, frames, NEXT)
