"""Data before accept(): the kernel opens, acknowledges and stores before any program asks."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import stage, waits

PORT = 12345


def server() -> None:
    """Listen, never accept, and close the listener."""
    with socket.create_server(("", PORT), backlog=5):
        stage.wait("acknowledged")


def client(server: str) -> None:
    """Connect, send 5 octets, wait for their ACK, then for an answer."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(b"hello")
        waits.acknowledged(connection)
        stage.say("acknowledged")
        try:
            connection.recv(1024)
        except ConnectionResetError as error:
            print(error, flush=True)


def _nobody_accepted(evidence: Evidence) -> Seen:
    calls = [call.function for call in evidence.calls["server"]]
    return Seen("listen" in calls and "accept" not in calls, same(", ".join(calls)))


def _reset(evidence: Evidence) -> Seen:
    errors = [call.error for call in evidence.calls["client"] if call.function == "recv"]
    return Seen(errors == ["ECONNRESET"], same(f"recv: {', '.join(errors)}"))


SCENARIO = Scenario(
    id="data_before_accept",
    title=Text("Data accepted before accept()", "accept 之前数据已被确认"),
    group="open_close",
    level=2,
    core=True,
    teaches=(
        Text(
            "The kernel completes the handshake and acknowledges data, whatever the program does",
            "无论程序在做什么，内核都会完成握手并确认数据",
        ),
        Text(
            "accept() only hands over a connection that is already open",
            "accept() 只是取走一条已经建立好的连接",
        ),
        Text(
            "An ACK says that the kernel has the data, not that a program has read them",
            "ACK 只表示内核收到了数据，并不表示程序已经读取",
        ),
        Text(
            "Closing the listener resets the connections that nobody has accepted",
            "关闭监听套接字会复位尚未被 accept 的连接",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0      ack 1
        C>S ACK      seq 1      ack 1
        C>S PSH,ACK  seq 1  +5  ack 1
        S>C ACK      seq 1      ack 6
        S>C RST,ACK  seq 1      ack 6
        """,
    ),
    promises=(
        Promise(
            "nobody_accepts",
            Text("the server listens and never calls accept()", "服务器只监听，从不调用 accept()"),
            _nobody_accepted,
        ),
        Promise(
            "the_client_is_reset",
            Text("the client's recv() fails with ECONNRESET", "客户端的 recv() 以 ECONNRESET 失败"),
            _reset,
        ),
    ),
    sources=("accept(2)", "listen(2)", "RFC 9293 section 3.9.1.2", "tcp(7) SIOCOUTQ"),
)
