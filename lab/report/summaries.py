"""The header of an exchange: who talked with whom, and what came of it."""

from __future__ import annotations

from lab.packets.frames import Capture
from lab.report.people import People
from lab.report.phrases import octets
from lab.tcp.model import Connection, Handshake, Teardown
from lab.text import Text, same
from lab.udp.model import Exchange
from lab.units import short_span

TCP_TITLE = Text(
    "TCP connection {stream}: {client} → {server}", "TCP 连接 {stream}：{client} → {server}"
)
UDP_TITLE = Text(
    "UDP exchange {stream}: {client} → {server}", "UDP 交换 {stream}：{client} → {server}"
)

HANDSHAKES = {
    Handshake.THREE_WAY: Text("three-way handshake", "三次握手"),
    Handshake.SIMULTANEOUS: Text("simultaneous open", "同时打开"),
    Handshake.REFUSED: Text("refused", "连接被拒绝"),
    Handshake.UNANSWERED: Text("SYN without answer", "SYN 没有应答"),
    Handshake.UNFINISHED: Text("handshake unfinished", "握手未完成"),
    Handshake.NOT_SEEN: Text("opened before the capture began", "在抓包开始之前已建立"),
}
TEARDOWNS = {
    Teardown.FOUR_SEGMENTS: Text("four-segment close", "四次挥手"),
    Teardown.THREE_SEGMENTS: Text("three-segment close", "三次挥手（FIN 与 ACK 合并）"),
    Teardown.SIMULTANEOUS: Text("simultaneous close", "同时关闭"),
    Teardown.RESET: Text("reset", "被 RST 复位"),
    Teardown.UNFINISHED: Text("close unfinished", "关闭未完成"),
    Teardown.NOT_SEEN: Text("still open when the capture ends", "抓包结束时仍未关闭"),
}
NEVER_OPENED = (Handshake.REFUSED, Handshake.UNANSWERED)

OCTETS = same("{client} → {server} ←")
RTT = Text("RTT {rtt}", "RTT {rtt}")
NO_SCALE = Text(
    "window scale unknown: the handshake is not in the capture",
    "窗口扩大因子未知：抓包中没有握手过程",
)
DATAGRAMS = Text("datagrams {client} → {server} ←", "数据报 {client} 个 → {server} 个 ←")
NO_ANSWER = Text("no answer", "没有应答")
ERRORS = Text("{count} ICMP errors", "{count} 个 ICMP 差错报文")
ERROR = Text("1 ICMP error", "1 个 ICMP 差错报文")


def title(talk: Connection | Exchange, who: People, elsewhere: str = "") -> Text:
    """The exchange and its two endpoints, by name where a host is known.

    ``elsewhere``: letter of the host whose capture numbers it, if it is not the originator's.
    """
    template = TCP_TITLE if isinstance(talk, Connection) else UDP_TITLE
    client, server = who.pair(talk.client, talk.server)
    return template.fill(
        stream=f"{talk.stream}{elsewhere}",
        client=Text(f"{client.en} {talk.client}", f"{client.zh} {talk.client}"),
        server=Text(f"{server.en} {talk.server}", f"{server.zh} {talk.server}"),
    )


def summary(talk: Connection | Exchange, capture: Capture) -> tuple[Text, ...]:
    """What came of it, in a few phrases."""
    return _connection(talk) if isinstance(talk, Connection) else _exchange(talk, capture)


def _connection(connection: Connection) -> tuple[Text, ...]:
    parts = [HANDSHAKES[connection.handshake]]
    if connection.handshake not in NEVER_OPENED:
        parts += [TEARDOWNS[connection.teardown], _octets(connection.octets)]
    if connection.rtt is not None:
        parts.append(RTT.fill(rtt=short_span(connection.rtt)))
    if connection.handshake is Handshake.NOT_SEEN:
        parts.append(NO_SCALE)
    return tuple(parts)


def _exchange(exchange: Exchange, capture: Capture) -> tuple[Text, ...]:
    client, server = (f"{count:,}" for count in exchange.datagrams)
    parts = [DATAGRAMS.fill(client=client, server=server), _octets(exchange.octets)]
    if exchange.errors:
        count = len(exchange.errors)
        parts.append(ERROR if count == 1 else ERRORS.fill(count=count))
    elif not exchange.datagrams[1]:
        parts.append(NO_ANSWER)
    if (delay := first_answer(exchange, capture)) is not None:
        parts.append(RTT.fill(rtt=short_span(delay)))
    return tuple(parts)


def _octets(counts: tuple[int, int]) -> Text:
    client, server = map(octets, counts)
    return OCTETS.fill(client=client, server=server)


def first_answer(exchange: Exchange, capture: Capture) -> int | None:
    """Time from the first datagram to the first answer, ns; None without one."""
    answers = exchange.rows[~exchange.from_client]
    if not len(answers):
        return None
    time = capture.frames.time
    return int(time[answers[0]] - time[exchange.rows[0]])
