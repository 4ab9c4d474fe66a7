"""A close in three segments: the passive side closes before its delayed ACK goes out."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.closing import closes_in_three
from lab.text import Text

if TYPE_CHECKING:
    from lab.evidence.run import Evidence

PORT = 12345
REQUEST, REPLY = b"ping", b"pong"


def server(*, work: float = 0.0) -> None:
    """Answer once, see the end of the stream, work for a while, close."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)
            connection.recv(1024)  # b""
            time.sleep(work)


def client(server: str) -> None:
    """Ask once, then close first."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.recv(1024)


def _ack_rides_on_fin(evidence: Evidence) -> Seen:
    return closes_in_three(evidence, evidence.view.connections[0])


SCENARIO = Scenario(
    id="close_three_segments",
    title=Text("Close in three segments", "三个报文段完成挥手"),
    group="open_close",
    level=2,
    core=True,
    teaches=(
        Text(
            '"Four-way teardown" is four steps, not four packets: ACK and FIN may share a segment',
            "“四次挥手”是四个步骤，而不是四个报文：ACK 与 FIN 可以合在一个报文段中",
        ),
        Text(
            "The kernel delays the ACK of a FIN as it delays any other ACK",
            "内核对 FIN 的确认同样会延迟，与其他 ACK 无异",
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
        S>C ACK      seq 5  ack 6  optional
        S>C FIN,ACK  seq 5  ack 6
        C>S ACK      seq 6  ack 6
        """,
    ),
    promises=(
        Promise(
            "ack_rides_on_fin",
            Text(
                "the ACK of the client's FIN rides on the server's own",
                "对客户端 FIN 的 ACK 搭乘服务器自己的 FIN",
            ),
            _ack_rides_on_fin,
        ),
    ),
    variants={"after_20_ms": {"options": {"server": {"work": 0.02}}}},
    sources=("RFC 9293 section 3.6", "RFC 9293 section 3.8.6.3"),
)
