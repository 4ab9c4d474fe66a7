"""An ICMP error that answers a datagram or a segment (RFC 792, RFC 1122 section 3.2.2, RFC 4443).

One that only tells of a smaller path MTU is of another kind (path_mtu).
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.glance import glance
from lab.evidence.icmp import errors_about_tcp
from lab.evidence.run import Evidence
from lab.evidence.suspects import unusual
from lab.findings.base import Finding, Severity, of_talk
from lab.packets.frames import Protocol
from lab.packets.rows import Frame, frame
from lab.tcp.model import Connection
from lab.text import Text, same

DATAGRAM = Text(
    "An ICMP error (frame {error}: {what}) answers the datagram to {server} in frame {cause}.",
    "ICMP 差错报文（第 {error} 帧：{what}）应答第 {cause} 帧中发往 {server} 的数据报。",
)
SEGMENT = Text(
    "ICMP says why the connection to {server} fails: {what} ({sender}).",
    "ICMP 说明了到 {server} 的连接为何失败：{what}（{sender}）。",
)
NEXT = Text(
    "The sender of the ICMP message is who gave up. A host says that nothing is bound to the port, a "
    "router that it has no way or may not pass it on.",
    "ICMP 报文的发送者就是放弃转发的一方：主机表示端口上没有程序，路由器表示没有路由或不许转发。",
)
CODES = {
    (3, 0): Text("network unreachable", "网络不可达"),
    (3, 1): Text("host unreachable", "主机不可达"),
    (3, 2): Text("protocol unreachable", "协议不可达"),
    (3, 3): Text("port unreachable", "端口不可达"),
    (3, 9): Text("network administratively prohibited", "管理上禁止访问该网络"),
    (3, 10): Text("host administratively prohibited", "管理上禁止访问该主机"),
    (3, 13): Text("communication administratively prohibited", "管理上禁止通信"),
    (11, 0): Text("TTL exceeded in transit", "传输途中 TTL 耗尽"),
    (11, 1): Text("fragments did not arrive in time", "分片未能及时到齐"),
}
CODES_V6 = {
    (1, 0): Text("no route to destination", "没有到目的地的路由"),
    (1, 1): Text("communication administratively prohibited", "管理上禁止通信"),
    (1, 3): Text("address unreachable", "地址不可达"),
    (1, 4): Text("port unreachable", "端口不可达"),
    (3, 0): Text("hop limit exceeded in transit", "传输途中跳数限制耗尽"),
}


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding an ICMP error of a UDP exchange, one a connection that ICMP errors speak of."""
    capture = evidence.view.capture
    for exchange in evidence.view.exchanges:
        for error, cause in exchange.errors:
            what = _what(frame(capture, error - 1))
            words = DATAGRAM.fill(error=error, what=what, cause=cause, server=exchange.server)
            frames = (cause, error)
            yield of_talk(exchange, "icmp_error", Severity.ERROR, words, frames, NEXT)
    yield from _about_tcp(evidence)


def _about_tcp(evidence: Evidence) -> Iterator[Finding]:
    told = errors_about_tcp(evidence.view.capture)
    if not told:
        return
    view = evidence.view
    odd = glance(view, unusual(view))
    odd = odd.only(odd.between({*told, *(ends[::-1] for ends in told)}))
    for at, stream in enumerate(odd.stream.tolist()):
        ends = odd.ends(at)
        yield _of_connection(view.connections[stream], told.get(ends) or told[ends[::-1]])


def _of_connection(connection: Connection, found: list[Frame]) -> Finding:
    sender = same(found[0].ip.source if found[0].ip else "?")
    words = SEGMENT.fill(server=connection.server, what=_what(found[0]), sender=sender)
    frames = (one.number for one in found)
    return of_talk(connection, "icmp_error", Severity.ERROR, words, frames, NEXT)


def _what(error: Frame) -> Text:
    """The meaning of its type and code."""
    if error.icmp is None:
        return same("?")
    known = CODES_V6 if error.protocol is Protocol.ICMPV6 else CODES
    number = error.icmp.type, error.icmp.code
    kind, code = number
    return known.get(number, Text(f"type {kind} code {code}", f"类型 {kind} 代码 {code}"))
