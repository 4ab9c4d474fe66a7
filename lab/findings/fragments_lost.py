"""IP packets of which fragments are missing: not one octet of them reaches a program (RFC 791, RFC 8200)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.fragments import packets
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.packets.addresses import address_text
from lab.text import Text

ONE = Text(
    "A fragmented packet of {source} is not whole: {missing} of its octets never came, so all of it is lost.",
    "{source} 的 1 个分片的 IP 包不完整：缺少 {missing} 字节，整个包因此作废。",
)
OPEN_ENDED = Text(
    "A fragmented packet of {source} is not whole: its last fragment never came, so all of it is lost.",
    "{source} 的 1 个分片的 IP 包不完整：最后一片没有到达，整个包因此作废。",
)
SEVERAL = Text(
    "{count} fragmented packets, of {source} for one, are not whole: each is lost as a whole.",
    "{count} 个分片的 IP 包不完整（例如来自 {source}）：每一个都整体作废。",
)
NEXT = Text(
    "Fragments are lost more often than packets, and many firewalls drop all but the first. Send datagrams "
    "that fit the path MTU.",
    "分片比完整的包更易丢失，许多防火墙还会丢弃除首片以外的分片。请发送不超过路径 MTU 的数据报。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    lacking = [packet for packet in packets(frames) if packet.missing()]
    if lacking:
        first = lacking[0]
        one = OPEN_ENDED if first.open_ended else ONE
        words = (one if len(lacking) == 1 else SEVERAL).fill(
            source=address_text(*frames.source[first.parts[0].row].tolist()),
            missing=f"{first.missing():,}",
            count=f"{len(lacking):,}",
        )
        numbers = tuple(sorted(part.row + 1 for packet in lacking for part in packet.parts))
        yield Finding("fragments_lost", Severity.WARNING, words, numbers, next=NEXT)
