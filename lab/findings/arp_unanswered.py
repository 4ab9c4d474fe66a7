"""ARP requests that nobody answers: no packet can be sent to that address (RFC 826)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, times
from lab.packets.frames import Protocol
from lab.packets.parts import where
from lab.packets.rows import frame
from lab.text import Text

WORDS = Text(
    "Nobody answers for {target}: {sender} asked for its link address {times}.",
    "没有人应答 {target}：{sender} 询问其链路地址 {times}。",
)
TWO = Text(
    "Two hosts answer for {target}: {links}. One address is in use twice, or someone poses as another.",
    "有两台主机应答 {target}：{links}。该地址被重复使用，或有人冒名顶替。",
)
NEXT = Text(
    "Packets to it wait in {sender}'s kernel and are dropped in the end: connect() fails with EHOSTUNREACH. "
    "Is that host up, on this link, and is the netmask right?",
    "发往该地址的包在 {sender} 的内核中等待，最终被丢弃：connect() 返回 EHOSTUNREACH。该主机是否在线、在同一链路上，子网掩码是否正确？",
)
NEXT_TWO = Text(
    "Find both by their link addresses in the switch's table; VRRP and the like answer so on purpose.",
    "凭链路地址在交换机的地址表中查找这两台主机；VRRP 之类的协议是有意如此应答的。",
)
LEAST = 2  # one request may be answered after the capture ends
AT_MOST = 10_000
"""ARP frames that are read."""
REQUEST, REPLY = 1, 2


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding an address and who asks for it, one an address that two claim."""
    capture = evidence.view.capture
    asked = defaultdict[tuple[str, str], list[int]](list)
    claimed = defaultdict[str, dict[str, int]](dict)
    spoke: set[str] = set()
    rows = where(capture.frames, lambda some: some.protocol == int(Protocol.ARP))[:AT_MOST]
    for row in rows.tolist():
        arp = frame(capture, row).arp
        if arp is None:
            continue
        spoke.add(arp.sender)
        if arp.operation == REQUEST and arp.sender not in (arp.target, "0.0.0.0"):
            asked[arp.target, arp.sender].append(row + 1)
        if arp.operation == REPLY:
            claimed[arp.sender].setdefault(arp.sender_link, row + 1)
    for (target, sender), numbers in asked.items():
        if target not in spoke and len(numbers) >= LEAST:
            words = WORDS.fill(target=target, sender=sender, times=times(len(numbers)))
            then = NEXT.fill(sender=sender)
            yield Finding("arp_unanswered", Severity.WARNING, words, tuple(numbers), next=then)
    for target, links in claimed.items():
        if len(links) > 1:
            words = TWO.fill(target=target, links=", ".join(links))
            shown = tuple(links.values())
            yield Finding("arp_conflict", Severity.WARNING, words, shown, next=NEXT_TWO)
