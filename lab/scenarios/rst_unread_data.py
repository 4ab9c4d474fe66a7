"""close() with unread data: RST in the place of FIN."""

from __future__ import annotations

import select
import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same

PORT = 12345
REQUEST = b"please read"  # 11 octets


def server() -> None:
    """Accept, wait until something can be read, and close without reading it."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            select.select([connection], [], [])


def client(server: str) -> None:
    """Send a request, and wait for an answer."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        try:
            connection.recv(1024)
        except ConnectionResetError as error:
            print(error, flush=True)


def _reset(evidence: Evidence) -> Seen:
    errors = [call.error for call in evidence.calls["client"] if call.function == "recv"]
    return Seen(errors == ["ECONNRESET"], same(f"recv: {', '.join(errors)}"))


SCENARIO = Scenario(
    id="rst_unread_data",
    title=Text("RST because of unread data", "有未读数据时 close 触发 RST"),
    group="errors",
    level=2,
    core=True,
    teaches=(
        Text(
            "close() with data left unread sends RST, not FIN: the data will never be processed",
            "接收缓冲区中还有未读数据时，close() 发送的是 RST 而不是 FIN：这些数据不会再被处理",
        ),
        Text(
            "The data was acknowledged all the same: an ACK comes from the kernel, not the program",
            "这些数据照样得到了确认：ACK 来自内核，而不是应用程序",
        ),
        Text(
            "A reset connection ends at once: no FIN, and no TIME-WAIT at either end",
            "被复位的连接立即结束：没有 FIN，两端都不进入 TIME-WAIT",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0       ack 1
        C>S ACK      seq 1       ack 1
        C>S PSH,ACK  seq 1  +11  ack 1
        S>C ACK      seq 1       ack 12  optional
        S>C RST,ACK  seq 1       ack 12
        """,
    ),
    promises=(
        Promise(
            "receiving_fails",
            Text("the client's recv() fails with ECONNRESET", "客户端的 recv() 以 ECONNRESET 失败"),
            _reset,
        ),
    ),
    sources=("RFC 9293 section 3.6.1 (SHLD-3)", "RFC 2525 section 2.17"),
)
