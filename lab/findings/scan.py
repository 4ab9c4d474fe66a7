"""Many SYNs that came to nothing: a port scan, a sweep of hosts, a SYN flood.

Judged by what ordinary programs do not do: try many ports or hosts that refuse or ignore them, or
leave the handshake at SYN,ACK.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from lab.evidence.run import Evidence, View
from lab.evidence.suspects import suspects
from lab.findings.base import Finding, Severity
from lab.tcp.model import Connection, Handshake
from lab.text import Text

PORTS = Text(
    "{source} tried {count} ports of {target}, none with any data: a port scan.",
    "{source} 尝试了 {target} 的 {count} 个端口，均未传输数据：端口扫描。",
)
HOSTS = Text(
    "{source} tried port {port} of {count} hosts, and none answered: a sweep.",
    "{source} 尝试了 {count} 台主机的端口 {port}，无一应答：横向扫描。",
)
FLOOD = Text(
    "{target} got {count} SYNs, from {sources} addresses, that no handshake followed: a SYN flood.",
    "{target} 收到来自 {sources} 个地址的 {count} 个 SYN，均未完成握手：SYN 洪泛。",
)
NEXT = Text(
    "See which ports answered with SYN,ACK: those are what the scanner learned.",
    "查看哪些端口以 SYN,ACK 应答：那正是扫描者得到的信息。",
)
NEXT_FLOOD = Text(
    "On the server: `nstat` TcpExtSyncookiesSent, TcpExtListenDrops; net.ipv4.tcp_syncookies lets others "
    "connect meanwhile.",
    "在服务器上查看 `nstat` 的 TcpExtSyncookiesSent 与 TcpExtListenDrops；net.ipv4.tcp_syncookies 可使其他客户端仍能连接。",
)
FRUITLESS = frozenset({Handshake.REFUSED, Handshake.UNANSWERED, Handshake.UNFINISHED})
MANY_PORTS, FEW_PORTS, MANY_HOSTS, MANY_SYNS = 15, 3, 15, 50
"""From how many on; few ports are enough where a handshake was left half open."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a scanner and target, a scanner and port, and a flooded endpoint, at any port of
    the lab; frames are given of the first view only."""
    told: set[object] = set()
    for view in evidence.views:
        for about, one in _of_view(view):
            if (one.id, about) not in told:
                told.add((one.id, about))
                yield one if view is evidence.view else replace(one, frames=())


def _of_view(view: View) -> Iterator[tuple[object, Finding]]:
    """Each finding with whom it is about."""
    fruitless = [one for one in suspects(view) if one.handshake in FRUITLESS]
    if len(fruitless) < FEW_PORTS:
        return
    by_pair = defaultdict[tuple[str, str], list[Connection]](list)
    by_port = defaultdict[tuple[str, int], list[Connection]](list)
    by_target = defaultdict[tuple[str, int], list[Connection]](list)
    for one in fruitless:
        by_pair[one.client.address, one.server.address].append(one)
        by_port[one.client.address, one.server.port].append(one)
        by_target[one.server.address, one.server.port].append(one)
    yield from ((pair, one) for pair, group in by_pair.items() for one in _scan(group))
    yield from ((port, one) for port, group in by_port.items() for one in _sweep(group))
    yield from ((target, one) for target, group in by_target.items() for one in _flood(group))


def _scan(group: list[Connection]) -> Iterator[Finding]:
    """Ports of one host: many, or few of which one was left half open and another failed."""
    ports = len({one.server.port for one in group})
    half_open = any(one.handshake is Handshake.UNFINISHED for one in group)
    failed = any(one.handshake is not Handshake.UNFINISHED for one in group)
    if ports >= MANY_PORTS or (ports >= FEW_PORTS and half_open and failed):
        words = PORTS.fill(
            source=group[0].client.address, target=group[0].server.address, count=f"{ports:,}"
        )
        yield Finding("port_scan", Severity.WARNING, words, _frames(group), next=NEXT)


def _sweep(group: list[Connection]) -> Iterator[Finding]:
    """One port of many hosts."""
    hosts = len({one.server.address for one in group})
    if hosts >= MANY_HOSTS:
        source, port = group[0].client.address, group[0].server.port
        words = HOSTS.fill(source=source, port=port, count=f"{hosts:,}")
        yield Finding("sweep", Severity.WARNING, words, _frames(group), next=NEXT)


def _flood(group: list[Connection]) -> Iterator[Finding]:
    """SYNs to one endpoint that were not refused."""
    ignored = [one for one in group if one.handshake is not Handshake.REFUSED]
    if len(ignored) >= MANY_SYNS:
        sources = len({one.client.address for one in ignored})
        target, count = group[0].server, f"{len(ignored):,}"
        words = FLOOD.fill(target=target, count=count, sources=f"{sources:,}")
        yield Finding("syn_flood", Severity.ERROR, words, _frames(ignored), next=NEXT_FLOOD)


def _frames(group: list[Connection]) -> tuple[int, ...]:
    return tuple(sorted(int(one.rows[0]) + 1 for one in group))
