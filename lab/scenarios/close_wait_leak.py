"""A server that forgets to close: its connection stays in CLOSE-WAIT until the next client comes."""

from __future__ import annotations

import socket
import time

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text
from services import waits

PORT = 12345
REQUEST = b"hello"


def server() -> None:
    """Echo for two clients, one after the other, and never call close()."""
    with socket.create_server(("", PORT)) as listener:
        for _ in range(2):
            connection, _ = listener.accept()  # the name lets go of the connection before
            while data := connection.recv(1024):
                connection.sendall(data)


def client(server: str) -> None:
    """Talk and close; long after the server's kernel has acknowledged that, do it again."""
    talk(server)
    waits.until(lambda: waits.sockets("FIN-WAIT-2"))
    time.sleep(0.25)
    talk(server)


def talk(server: str) -> None:
    """Connect, ask, read the echo, close."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.recv(1024)


def _closed_by_the_next(evidence: Evidence) -> Seen:
    """The descriptor of the first connection is closed only once the second is accepted."""
    calls = evidence.calls["server"]
    accepted = [call for call in calls if call.function == "accept"]
    closed = [call for call in calls if call.function == "close"]
    if len(accepted) != 2 or not closed:
        return Seen(False, Text("{n} accepted", "接受了 {n} 个连接").fill(n=len(accepted)))
    first = [call for call in closed if call.peer == accepted[0].peer]
    kept = len(first) == 1 and first[0].before >= accepted[1].after
    words = Text("closed {ms} ms after it was accepted", "接受 {ms} 毫秒之后才关闭")
    waited = (first[0].before - accepted[0].after) // 1_000_000 if first else "?"
    return Seen(kept, words.fill(ms=waited))


SCENARIO = Scenario(
    id="close_wait_leak",
    title=Text("CLOSE-WAIT leak", "CLOSE-WAIT 泄漏"),
    group="time_wait",
    level=2,
    core=True,
    teaches=(
        Text(
            "CLOSE-WAIT means: the peer has closed, this application has not; no timer ends it",
            "CLOSE-WAIT 意味着对端已关闭，而本端应用程序没有关闭；没有任何定时器会结束它",
        ),
        Text(
            "The kernel acknowledges the FIN by itself, but only the program can send its own",
            "内核会自行确认对方的 FIN，但本端的 FIN 只能由应用程序引发",
        ),
        Text(
            "Here Python closes the forgotten socket when accept() gives its name to the next one",
            "在这里，accept() 把变量名给了下一个连接，Python 这才关闭被遗忘的套接字",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1  +5
        S>C ACK      seq 1      ack 6  optional
        S>C PSH,ACK  seq 1  +5  ack 6
        C>S ACK      seq 6      ack 6  optional
        C>S FIN,ACK  seq 6      ack 6
        S>C ACK      seq 6      ack 7
        S>C FIN,ACK  seq 6      ack 7  after 0.2..30 s
        C>S ACK      seq 7      ack 7
        """,
        """
        C>S SYN
        ...
        C>S FIN,ACK  seq 6      ack 6
        ...
        S>C FIN,ACK  seq 6      ack 7
        C>S ACK      seq 7      ack 7
        """,
    ),
    promises=(
        Promise(
            "the_next_client_closes_it",
            Text(
                "the server's end of the first connection is closed when the second is accepted",
                "接受第二个连接时，服务器才关闭第一个连接",
            ),
            _closed_by_the_next,
        ),
    ),
    sources=("RFC 9293 section 3.3.2", "RFC 9293 section 3.6"),
)
