"""Open, exchange, close: the baseline every other scenario is compared with."""

from __future__ import annotations

import socket

from lab.scenarios.base import Scenario
from lab.text import Text

PORT = 12345
REQUEST = "你好,服务器!".encode()  # 17 octets
REPLY = "服务器已收到消息!".encode()  # 25 octets


def server() -> None:
    """Serve one request, read until end of stream, close at once."""
    with socket.create_server(("", PORT), backlog=5) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)
            connection.recv(1024)  # b"": the client has closed its side


def client(server: str) -> None:
    """Connect, ask, read the answer, close."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.recv(1024)


SCENARIO = Scenario(
    id="tcp_lifecycle",
    title=Text("Open, exchange, close", "建立连接、收发数据、关闭连接"),
    group="open_close",
    core=True,
    teaches=(
        Text(
            "SYN and FIN each consume one sequence number; a pure ACK consumes none",
            "SYN 与 FIN 各占一个序号；纯 ACK 不占序号",
        ),
        Text(
            "Some segments are caused by a call, others by the kernel alone",
            "有的报文段由某次调用引起，有的由内核自行发出",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0       ack 1
        C>S ACK      seq 1       ack 1
        C>S PSH,ACK  seq 1  +17  ack 1
        S>C ACK      seq 1       ack 18  optional
        S>C PSH,ACK  seq 1  +25  ack 18
        C>S ACK      seq 18      ack 26  optional
        C>S FIN,ACK  seq 18      ack 26
        S>C FIN,ACK  seq 26      ack 19
        C>S ACK      seq 19      ack 27
        """,
    ),
    sources=("RFC 9293 section 3.5 figure 6", "RFC 9293 section 3.6 figure 12"),
)
