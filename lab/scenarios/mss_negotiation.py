"""Each end announces the largest segment it takes: a limit for the other, not an agreement."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.seen import segments
from lab.text import Text, same
from lab.topology import Host, Topology

PORT = 12345
SIZE = 2000  # octets: more than one segment
TIMESTAMPS = 12  # octets of options in each segment, which the MSS counts as data


def server() -> None:
    """Send back what comes."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(SIZE, socket.MSG_WAITALL))
            connection.recv(1024)  # b""


def client(server: str, *, largest: int = 0) -> None:
    """Send 2000 octets and read them back."""
    with socket.socket() as connection:
        if largest:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, largest)
        connection.connect((server, PORT))
        connection.sendall(bytes(SIZE))
        connection.recv(SIZE, socket.MSG_WAITALL)


def _announced(client: int, server: int) -> Promise:
    def check(evidence: Evidence) -> Seen:
        connection = evidence.view.connections[0]
        words = same(", ".join(f"mss {mss}" for mss in connection.mss))
        return Seen(connection.mss == (client, server), words, connection.handshake_frames[:2])

    words = Text(
        "the SYNs announce {client} (client) and {server} (server)",
        "SYN 通告的 MSS：客户端 {client}，服务器 {server}",
    )
    return Promise("announced", words.fill(client=client, server=server), check)


def _kept_to(evidence: Evidence) -> Seen:
    """The longest segment of either end is the smaller MSS, less the options it carries."""
    connection = evidence.view.connections[0]
    limit = min(mss or 0 for mss in connection.mss) - TIMESTAMPS
    sent = segments(evidence, connection)
    longest = [max(one.length for one in sent if one.sender == end) for end in "CS"]
    words = Text("client {c}, server {s} octets", "客户端 {c}，服务器 {s} 字节")
    frames = tuple(one.number for one in sent if one.length)
    return Seen(longest == [limit, limit], words.fill(c=longest[0], s=longest[1]), frames)


KEPT_TO = Promise(
    "kept_to",
    Text(
        "the longest segment has 12 octets less than the smaller MSS",
        "最长的报文段比较小的 MSS 少 12 字节",
    ),
    _kept_to,
)

SCENARIO = Scenario(
    id="mss_negotiation",
    title=Text("MSS", "MSS 通告"),
    group="mtu",
    core=True,
    teaches=(
        Text(
            "Each end announces in its SYN what it can receive; nothing is negotiated, and the two "
            "may differ",
            "双方各自在 SYN 中通告自己能接收多大的报文段；这不是协商，两个值可以不同",
        ),
        Text(
            "MSS is the MTU less 40 octets of IPv4 and TCP headers (IPv6: 60), options not counted",
            "MSS 等于 MTU 减去 IPv4 与 TCP 首部的 40 字节（IPv6 为 60 字节），选项不计在内",
        ),
        Text(
            "So the timestamps take their 12 octets from the data: 1460 announced, 1448 sent",
            "因此时间戳选项的 12 字节要从数据中扣除：通告 1460，实际每段发送 1448",
        ),
        Text(
            "TCP_MAXSEG lowers what a socket announces, and what it sends itself as well",
            "TCP_MAXSEG 不仅降低套接字通告的值，也限制它自己发送的大小",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK      seq 1     ack 1
        ...
        C>S FIN,ACK  seq 2001  ack 2001
        S>C ACK                ack 2002  optional
        S>C FIN,ACK  seq 2001  ack 2002
        C>S ACK                ack 2002
        """,
    ),
    promises=(_announced(1460, 1460), KEPT_TO),
    variants={
        "maxseg": {
            "options": {"client": {"largest": 600}},
            "promises": (_announced(600, 1460), KEPT_TO),
        },
        "mtu": {
            "topology": Topology((Host("client"), Host("server")), mtu=1400),
            "promises": (_announced(1360, 1360), KEPT_TO),
        },
    },
    sources=("RFC 9293 section 3.7.1", "RFC 6691", "tcp(7) TCP_MAXSEG"),
)
