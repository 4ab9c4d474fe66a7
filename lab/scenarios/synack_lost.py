"""The SYN,ACK is lost: both ends repeat, and one of the repetitions opens the connection."""

from __future__ import annotations

import socket
import time

from lab.scenarios.base import Scenario
from lab.text import Text
from lab.wire.rules import ACK, SYN, drop, segment

PORT = 12345


def server() -> None:
    """Take one connection and read to its end."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)


def client(server: str) -> None:
    """Connect, and close once the server's own repetition has come too: both waited 1 s."""
    with socket.create_connection((server, PORT)):
        time.sleep(0.2)


SCENARIO = Scenario(
    id="synack_lost",
    title=Text("SYN,ACK lost", "SYN,ACK 丢失"),
    group="handshake",
    level=2,
    core=True,
    teaches=(
        Text(
            "To the client a lost SYN and a lost SYN,ACK look the same: it repeats its SYN after 1 s",
            "在客户端看来，SYN 丢失与 SYN,ACK 丢失没有区别：1 秒后重发 SYN",
        ),
        Text(
            "A repeated SYN is answered with the same SYN,ACK: the server keeps its ISN",
            "对重复的 SYN，服务器以同样的 SYN,ACK 应答：ISN 不变",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(segment(SYN, ACK), nth=1),),
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0  ack 1  lost
        ...
        S>C SYN,ACK  seq 0  ack 1
        ...
        C>S ACK      seq 1  ack 1
        ...
        C>S FIN,ACK  seq 1  ack 1
        ...
        """,
    ),
    sources=("RFC 9293 section 3.8.1", "RFC 6298 section 2"),
)
