"""ECN is agreed upon in the handshake, by two flags; from then on data may be marked, not dropped."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.packets.rows import Frame, frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text
from lab.topology import Host, Topology

PORT = 12345
HELLO = b"hello"
NOT_ECT, ECT_0 = 0, 2  # of the two ECN bits in the IP header (RFC 3168 section 5)
MARKS = {NOT_ECT: "Not-ECT", 1: "ECT(1)", ECT_0: "ECT(0)", 3: "CE"}


def server() -> None:
    """Send back what comes."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(1024))
            connection.recv(1024)  # b""


def client(server: str) -> None:
    """Say hello and read it back: no program asks for ECN, its host's tcp_ecn does."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(HELLO)
        connection.recv(1024)


def _mark(one: Frame) -> str:
    """The ECN bits of a packet."""
    return MARKS[one.ip.traffic_class & 3] if one.ip else "-"


def _marked(data: str) -> Promise:
    """Promise how packets with data are marked; SYNs and pure ACKs never are."""

    def check(evidence: Evidence) -> Seen:
        capture, connection = evidence.view.capture, evidence.view.connections[0]
        every = [frame(capture, int(row)) for row in connection.rows]
        carrying = [one for one in every if one.payload_length]
        marks = [_mark(one) for one in carrying]
        others = {_mark(one) for one in every if not one.payload_length}
        kept = marks == [data] * 2 and others == {MARKS[NOT_ECT]}
        words = Text("data: {d}; all others: {o}", "数据：{d}；其余：{o}")
        told = words.fill(d=", ".join(marks), o=", ".join(sorted(others)))
        return Seen(kept, told, tuple(one.number for one in carrying))

    words = Text(
        "packets with data say {data}; SYNs and pure ACKs say Not-ECT",
        "带数据的包标为 {data}；SYN 与纯 ACK 标为 Not-ECT",
    )
    return Promise("marked", words.fill(data=data), check)


def hosts(client: str, server: str) -> Topology:
    """Two hosts with these values of tcp_ecn: 0 never, 1 ask for it too, 2 agree if asked."""
    return Topology(
        (
            Host("client", sysctls={"net.ipv4.tcp_ecn": client}),
            Host("server", sysctls={"net.ipv4.tcp_ecn": server}),
        )
    )


def _script(asking: str, answer: str) -> str:
    """The connection: the two flags mean something else once it is open, and are not set here."""
    return f"""
        C>S {asking}
        S>C {answer}
        C>S ACK      seq 1     ack 1
        C>S PSH,ACK  seq 1 +5  ack 1
        S>C ACK      seq 1     ack 6  optional
        S>C PSH,ACK  seq 1 +5  ack 6
        C>S ACK      seq 6     ack 6  optional
        C>S FIN,ACK  seq 6     ack 6
        S>C ACK      seq 6     ack 7  optional
        S>C FIN,ACK  seq 6     ack 7
        C>S ACK      seq 7     ack 7
        """


SCENARIO = Scenario(
    id="ecn_negotiation",
    title=Text("ECN negotiation", "ECN 协商"),
    group="congestion",
    level=3,
    teaches=(
        Text(
            "A SYN with ECE and CWR asks for explicit congestion notification; a SYN,ACK with ECE "
            "alone agrees",
            "SYN 同时带 ECE 和 CWR，表示请求显式拥塞通知；SYN,ACK 只带 ECE，表示同意",
        ),
        Text(
            "From then on data travels as ECT(0) in the IP header: a router that is about to drop it "
            "may mark it CE instead",
            "此后携带数据的包在 IP 首部标为 ECT(0)：路由器本要丢弃时，可以改为标记 CE",
        ),
        Text(
            "Only new data is marked: SYNs and pure ACKs stay Not-ECT, and are dropped as ever",
            "只标记新数据：SYN 与纯 ACK 仍是 Not-ECT，拥塞时照旧被丢弃",
        ),
        Text(
            "Linux agrees when it is asked but does not ask by itself (tcp_ecn = 2). Without the "
            "agreement the connection is as good as any, only unmarked",
            "Linux 默认被请求时同意、自己不主动请求（tcp_ecn = 2）；没有达成一致时连接照常工作，只是不带标记",
        ),
    ),
    topology=hosts("1", "2"),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(_script("SYN,ECE,CWR", "SYN,ACK,ECE"),),
    promises=(_marked("ECT(0)"),),
    variants={
        "declined": {
            "title": Text("ECN declined", "ECN 未被接受"),
            "topology": hosts("1", "0"),
            "scripts": (_script("SYN,ECE,CWR", "SYN,ACK"),),
            "promises": (_marked("Not-ECT"),),
        },
        "not_asked": {
            "title": Text("ECN not asked for", "未请求 ECN"),
            "topology": hosts("2", "2"),
            "scripts": (_script("SYN", "SYN,ACK"),),
            "promises": (_marked("Not-ECT"),),
        },
    },
    sources=("RFC 3168 sections 5 and 6.1.1", "RFC 3168 section 6.1.4", "tcp(7) tcp_ecn"),
)
