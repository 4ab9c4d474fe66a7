"""Writing to a peer that has closed: the first send() succeeds, the second fails."""

from __future__ import annotations

import select
import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import waits

PORT = 12345
REQUEST, MORE = b"hello", b"more?!"  # 5 and 6 octets
REPLY = "再见，不送！".encode("gbk")  # 12 octets


def server() -> None:
    """Read once, answer, close."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)


def client(server: str) -> None:
    """Send again after the server's FIN, and again after its RST; then read what had arrived."""
    with socket.create_connection((server, PORT)) as connection:
        connection.send(REQUEST)
        waits.event(connection, select.POLLRDHUP)  # FIN
        connection.send(MORE)
        waits.event(connection, select.POLLHUP)  # RST
        try:
            connection.send(MORE)
        except BrokenPipeError as error:
            print(error, flush=True)
        print(connection.recv(1024).decode("gbk"), flush=True)


def _results(evidence: Evidence, function: str) -> list[str]:
    """What the client's calls gave: a number of octets, or an error."""
    calls = [call for call in evidence.calls["client"] if call.function == function]
    return [call.error or str(call.octets) for call in calls]


def _third_send_fails(evidence: Evidence) -> Seen:
    sent = _results(evidence, "send")
    return Seen(sent == ["5", "6", "EPIPE"], same(f"send: {', '.join(sent)}"))


def _still_readable(evidence: Evidence) -> Seen:
    received = _results(evidence, "recv")
    return Seen(received == [str(len(REPLY))], same(f"recv: {', '.join(received)}"))


SCENARIO = Scenario(
    id="send_after_peer_close",
    title=Text("Writing to a closed peer", "向已关闭的对端写数据"),
    group="errors",
    level=2,
    core=True,
    teaches=(
        Text(
            "After the peer's close() the first send() still succeeds and draws a RST; "
            "the next one fails with EPIPE",
            "对端 close() 之后，第一次 send() 仍会成功，并引来 RST；再次 send() 才以 EPIPE 失败",
        ),
        Text(
            "A FIN says that the peer sends no more, not that it no longer reads",
            "FIN 只说明对端不再发送，并不说明它不再接收",
        ),
        Text(
            "Python ignores SIGPIPE, hence BrokenPipeError; a C program would be killed by the signal",
            "Python 忽略 SIGPIPE，所以得到 BrokenPipeError；C 程序默认会被该信号终止",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1   +5
        S>C ACK      seq 1        ack 6   optional
        S>C PSH,ACK  seq 1   +12  ack 6
        C>S ACK      seq 6        ack 13  optional
        S>C FIN,ACK  seq 13       ack 6
        C>S ACK      seq 6        ack 14  optional
        C>S PSH,ACK  seq 6   +6   ack 14
        S>C RST      seq 14
        """,
    ),
    promises=(
        Promise(
            "only_the_send_after_the_rst_fails",
            Text(
                "send() after the FIN returns 6, send() after the RST fails with EPIPE",
                "FIN 之后的 send() 照样返回 6，RST 之后的 send() 以 EPIPE 失败",
            ),
            _third_send_fails,
        ),
        Promise(
            "what_had_arrived_can_be_read",
            Text(
                "the 12 octets that arrived before the RST can still be read",
                "RST 之前到达的 12 字节仍可读出",
            ),
            _still_readable,
        ),
    ),
    sources=("send(2) EPIPE", "RFC 9293 section 3.5.2", "RFC 9293 section 3.6.1"),
)
