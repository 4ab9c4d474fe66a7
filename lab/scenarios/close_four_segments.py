"""A close in four segments: the passive side works on, so its kernel acknowledges the FIN first."""

from __future__ import annotations

import socket
import time

from lab.scenarios.base import Scenario
from lab.text import Text

PORT = 12345
REQUEST, REPLY = b"ping", b"pong"
WORK = 0.1  # seconds: longer than the delayed ACK takes


def server() -> None:
    """Answer once, see the end of the stream, work for 100 ms, close."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)
            connection.recv(1024)  # b""
            time.sleep(WORK)


def client(server: str) -> None:
    """Ask once, then close first."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.recv(1024)


SCENARIO = Scenario(
    id="close_four_segments",
    title=Text("Close in four segments", "四个报文段完成挥手"),
    group="open_close",
    core=True,
    teaches=(
        Text(
            "When the passive side outlasts the delayed-ACK timer, ACK and FIN travel separately",
            "当被动关闭方的处理时间超过延迟确认定时器，ACK 与 FIN 就分开发送",
        ),
        Text(
            "The gap between a FIN and its ACK measures that timer: about 40 ms on Linux",
            "FIN 与其 ACK 之间的间隔就是该定时器：Linux 上约 40 毫秒",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        ...
        C>S PSH,ACK  +4
        ...
        S>C PSH,ACK  +4
        ...
        C>S FIN,ACK  seq 5  ack 5
        S>C ACK      seq 5  ack 6  after 35..75 ms
        S>C FIN,ACK  seq 5  ack 6  after 0.02..30 s
        C>S ACK      seq 6  ack 6
        """,
    ),
    sources=("RFC 9293 section 3.6 figure 12", "RFC 9293 section 3.8.6.3"),
)
