"""Fragments of one IP packet that carry the same octets twice, and not alike (RFC 1858, RFC 5722)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.fragments import packets
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.packets.addresses import address_text
from lab.text import Text

ONE = Text(
    "Fragments of a packet of {source} overlap from octet {begin} on: receivers differ in which one they "
    "believe, or drop the packet.",
    "来自 {source} 的一个 IP 包，其分片从第 {begin} 字节起重叠：各系统采信哪一片并不一致，也可能整个丢弃。",
)
SEVERAL = Text(
    "Fragments of {count} packets, of {source} for one, overlap: receivers differ in which they believe, "
    "or drop the packet.",
    "{count} 个 IP 包（例如来自 {source}）的分片重叠：各系统采信哪一片并不一致，也可能整个丢弃。",
)
NEXT = Text(
    "Kernels never make these: suspect an attempt to slip past a firewall. Or IPv4 identifications ran "
    "out within seconds (RFC 4963): compare the times.",
    "内核不会产生这样的分片：可能有人试图绕过防火墙；也可能 IPv4 标识在几秒内用尽（RFC 4963），请比较时间。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    pairs = [pair for packet in packets(frames) if (pair := packet.overlapping())]
    if pairs:
        first = pairs[0][0]
        words = (ONE if len(pairs) == 1 else SEVERAL).fill(
            source=address_text(*frames.source[first.row].tolist()),
            begin=f"{pairs[0][1].begin:,}",
            count=f"{len(pairs):,}",
        )
        numbers = tuple(sorted({part.row + 1 for pair in pairs for part in pair}))
        yield Finding("fragments_overlap", Severity.WARNING, words, numbers, next=NEXT)
