"""Many SYNs that came to nothing: a port scan, a sweep of hosts, a SYN flood.

Judged by what ordinary programs do not do: try many ports or hosts that refuse or ignore them, or
leave the handshake at SYN,ACK.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from lab.evidence.glance import Glance, Groups, glance, opened, table
from lab.evidence.run import Evidence, View
from lab.findings.base import Finding, Severity
from lab.packets.distinct import distinct
from lab.tcp.columns import Ints, Mask
from lab.tcp.model import Handshake
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
    "{target} got {count} SYNs, from {sources} address[|es], that no handshake followed: a SYN flood.",
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
    fruitless = opened(table(view), FRUITLESS)
    if fruitless.sum() < FEW_PORTS:
        return
    tried = glance(view, fruitless)
    half_open = opened(table(view), {Handshake.UNFINISHED})[tried.stream]
    refused = opened(table(view), {Handshake.REFUSED})[tried.stream]
    yield from _scans(tried, half_open)
    yield from _sweeps(tried)
    yield from _floods(tried.only(~refused))


def _scans(tried: Glance, half_open: Mask) -> Iterator[tuple[object, Finding]]:
    """Ports of one host: many, or few of which one was left half open and another failed."""
    pairs = Groups(tried.client, tried.server)
    ports = pairs.different(tried.server_port)
    both = pairs.with_any(half_open) & pairs.with_any(~half_open)
    for pair in np.flatnonzero((ports >= MANY_PORTS) | (ports >= FEW_PORTS) & both).tolist():
        group = pairs.members(pair)
        source, target = (end.address for end in tried.ends(group[0]))
        words = PORTS.fill(source=source, target=target, count=f"{ports[pair]:,}")
        frames = _frames(tried, group)
        yield (source, target), Finding("port_scan", Severity.WARNING, words, frames, next=NEXT)


def _sweeps(tried: Glance) -> Iterator[tuple[object, Finding]]:
    """One port of many hosts."""
    same_port = Groups(tried.client, tried.server_port)
    hosts = same_port.different(tried.server)
    for one in np.flatnonzero(hosts >= MANY_HOSTS).tolist():
        group = same_port.members(one)
        client, server = tried.ends(group[0])
        words = HOSTS.fill(source=client.address, port=server.port, count=f"{hosts[one]:,}")
        about, frames = (client.address, server.port), _frames(tried, group)
        yield about, Finding("sweep", Severity.WARNING, words, frames, next=NEXT)


def _floods(ignored: Glance) -> Iterator[tuple[object, Finding]]:
    """SYNs to one endpoint that were not refused."""
    for group in Groups(ignored.server, ignored.server_port).of_at_least(MANY_SYNS):
        target, count = ignored.ends(group[0])[1], f"{len(group):,}"
        sources = len(distinct(ignored.client[group]))
        words = FLOOD.fill(target=target, count=count, sources=f"{sources:,}")
        frames = _frames(ignored, group)
        yield target, Finding("syn_flood", Severity.ERROR, words, frames, next=NEXT_FLOOD)


def _frames(tried: Glance, group: Ints) -> tuple[int, ...]:
    return tuple((tried.row[group] + 1).tolist())
