"""IP packets that were sent in fragments, and came whole (RFC 8900 tells what is fragile in that)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.fragments import packets
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.packets.addresses import address_text
from lab.text import Text

ONE = Text(
    "{source} sent an IP payload of {octets} octets in {parts} fragments: only the first has the ports, and the "
    "loss of one loses all.",
    "{source} 把 {octets} 字节的 IP 数据分成 {parts} 片发送：只有首片带端口，丢失一片就丢失全部。",
)
SEVERAL = Text(
    "{count} packets, of {source} for one, came in fragments: only the first of each has the ports, and "
    "the loss of one loses all.",
    "{count} 个 IP 包（例如来自 {source}）分片到达：只有首片带端口，丢失一片就丢失全部。",
)
NEXT = Text(
    "Datagrams beyond the path MTU are cut like that; firewalls and NATs often drop them. Keep UDP payloads "
    "below 1,232 octets, or let TCP cut the data.",
    "超过路径 MTU 的数据报会被这样切开；防火墙与 NAT 常将其丢弃。UDP 数据宜小于 1,232 字节，或改由 TCP 分段。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    whole = [one for one in packets(frames) if not one.missing() and not one.overlapping()]
    if whole:
        first = whole[0]
        words = (ONE if len(whole) == 1 else SEVERAL).fill(
            source=address_text(*frames.source[first.parts[0].row].tolist()),
            octets=f"{first.length:,}",
            parts=len(first.parts),
            count=f"{len(whole):,}",
        )
        numbers = tuple(sorted(part.row + 1 for packet in whole for part in packet.parts))
        yield Finding("fragmented", Severity.NOTE, words, numbers, next=NEXT)
