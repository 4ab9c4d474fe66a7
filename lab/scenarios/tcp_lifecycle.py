"""Open, exchange, close: the baseline every other scenario is compared with."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.units import MODULUS
from lab.wire.rules import delay, packets
from services import stage

if TYPE_CHECKING:  # numpy would keep the first scenario of all waiting
    from lab.evidence.run import Evidence

PORT = 12345
REQUEST = "你好,服务器!".encode()  # 17 octets
REPLY = "服务器已收到消息!".encode()  # 25 octets
GREETING = "你好,客户端!".encode()  # 17 octets
BULK = 65536  # octets that each end sends where both speak at once


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


def greeting_server() -> None:
    """Speak first, as mail servers and SSH do, then serve one request."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(GREETING)
            connection.recv(1024)
            connection.sendall(REPLY)
            connection.recv(1024)  # b""


def greeted_client(server: str) -> None:
    """Wait for the greeting before asking."""
    with socket.create_connection((server, PORT)) as connection:
        connection.recv(1024)
        connection.sendall(REQUEST)
        connection.recv(1024)


def hasty_server() -> None:
    """Serve one request and close, as HTTP/1.0 does: the end of the stream ends the answer."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)


def reading_client(server: str) -> None:
    """Ask, and read to the end of the stream before closing."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        while connection.recv(1024):
            pass


def talking_server() -> None:
    """Send and receive at once."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        stage.say("accepted")
        with connection:
            exchange(connection)


def talking_client(server: str) -> None:
    """Begin to send when the server does."""
    with socket.create_connection((server, PORT)) as connection:
        stage.wait("accepted")
        exchange(connection)


def exchange(connection: socket.socket) -> None:
    """Hand 64 kB to the kernel, then read the other end's 64 kB; both fit into the buffers."""
    connection.sendall(bytes(BULK))
    connection.recv(BULK, socket.MSG_WAITALL)


def _server_waits(evidence: Evidence) -> Seen:
    waiting = [
        host
        for host, kernel in evidence.kernel.items()
        for life in kernel.lives
        if "TIME-WAIT" in {stay.state for stay in kernel.stays(life)}
    ]
    return Seen(waiting == ["server"], same(f"TIME-WAIT: {', '.join(waiting) or '-'}"))


def _both_at_once(evidence: Evidence) -> Seen:
    """Seen from the client's port, data of each direction pass before the other's are through."""
    connection = evidence.view.connections[0]
    data = evidence.view.capture.frames.payload_length[connection.rows] > 0
    ours = connection.rows[data & connection.from_client].tolist()
    theirs = connection.rows[data & ~connection.from_client].tolist()
    words = Text("{c} octets →, {s} octets ←", "{c} 字节 →，{s} 字节 ←")
    told = words.fill(c=connection.octets[0], s=connection.octets[1])
    kept = connection.octets == (BULK, BULK) and ours[0] < theirs[-1] and theirs[0] < ours[-1]
    return Seen(kept, told, tuple(row + 1 for row in (ours[0], theirs[0], ours[-1], theirs[-1])))


def _data_acknowledge(evidence: Evidence) -> Seen:
    """Segments that bring data and acknowledge data: at each end at least one."""
    connection, frames = evidence.view.connections[0], evidence.view.capture.frames
    isn = {True: connection.isn[1] or 0, False: connection.isn[0] or 0}  # of the other end
    both = [
        (row + 1, from_client)
        for row, from_client in zip(
            connection.rows.tolist(), connection.from_client.tolist(), strict=True
        )
        if frames.payload_length[row]
        and (int(frames.acknowledgment[row]) - isn[from_client]) % MODULUS > 1
    ]
    words = Text("{n} segment[|s] [does|do] both", "{n} 个报文段兼作两用").fill(n=len(both))
    kept = {from_client for _, from_client in both} == {True, False}
    return Seen(kept, words, tuple(number for number, _ in both))


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
        Text(
            "Once open, the two ends are equal: either may speak first, both may speak at once, "
            "and whoever closes first keeps TIME-WAIT",
            "连接建立之后双方地位平等：谁都可以先说话，也可以同时说话；谁先关闭，谁进入 TIME-WAIT",
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
    variants={
        "hello_world": {
            "roles": {},
            "programs": {
                "server": ("services/tcp/hello/server.py", "--count", "1"),
                "client": ("services/tcp/hello/client.py", "server"),
            },
            "listens": {"server": ("8888/tcp",)},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0       ack 1
                C>S ACK      seq 1       ack 1
                C>S PSH,ACK  seq 1  +12  ack 1
                S>C ACK      seq 1       ack 13  optional
                S>C PSH,ACK  seq 1  +12  ack 13
                C>S ACK      seq 13      ack 13  optional
                C>S FIN,ACK  seq 13      ack 13
                S>C ACK      seq 13      ack 14  optional
                S>C FIN,ACK  seq 13      ack 14
                C>S ACK      seq 14      ack 14
                """,
            ),
        },
        # Both programs close after the echo; which of the two FINs comes first is left open.
        "phone": {
            "roles": {},
            "programs": {
                "server": ("services/tcp/echo_once/server_faithful.py", "--address", "0.0.0.0"),
                "client": ("services/tcp/echo_once/client_faithful.py", "server"),
            },
            "listens": {"server": ("1000/tcp",)},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0      ack 1
                C>S ACK      seq 1      ack 1
                C>S PSH,ACK  seq 1  +5  ack 1
                S>C ACK      seq 1      ack 6  optional
                S>C PSH,ACK  seq 1  +5  ack 6
                ...
                """,
            ),
        },
        "server_speaks_first": {
            "roles": {"server": greeting_server, "client": greeted_client},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0        ack 1
                C>S ACK      seq 1        ack 1
                S>C PSH,ACK  seq 1   +17  ack 1
                C>S ACK      seq 1        ack 18  optional
                C>S PSH,ACK  seq 1   +17  ack 18
                S>C ACK      seq 18       ack 18  optional
                S>C PSH,ACK  seq 18  +25  ack 18
                C>S ACK      seq 18       ack 43  optional
                C>S FIN,ACK  seq 18       ack 43
                S>C ACK      seq 43       ack 19  optional
                S>C FIN,ACK  seq 43       ack 19
                C>S ACK      seq 19       ack 44
                """,
            ),
        },
        "server_closes_first": {
            "roles": {"server": hasty_server, "client": reading_client},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0       ack 1
                C>S ACK      seq 1       ack 1
                C>S PSH,ACK  seq 1  +17  ack 1
                S>C ACK      seq 1       ack 18  optional
                S>C PSH,ACK  seq 1  +25  ack 18
                C>S ACK      seq 18      ack 26  optional
                S>C FIN,ACK  seq 26      ack 18
                C>S ACK      seq 18      ack 27  optional
                C>S FIN,ACK  seq 18      ack 27
                S>C ACK      seq 27      ack 19
                """,
            ),
            "promises": (
                Promise(
                    "server_waits",
                    Text(
                        "the server, and not the client, ends in TIME-WAIT",
                        "进入 TIME-WAIT 的是服务器，而不是客户端",
                    ),
                    _server_waits,
                ),
            ),
        },
        "duplex": {
            "roles": {"server": talking_server, "client": talking_client},
            "rules": (delay(packets(), ms=50),),  # long enough for the two streams to cross
            "scripts": (),
            "promises": (
                Promise(
                    "both_at_once",
                    Text(
                        "both ends send 64 kB, each before it has the other's",
                        "双方各发送 64 kB，都没有等对方先发完",
                    ),
                    _both_at_once,
                ),
                Promise(
                    "data_acknowledge",
                    Text(
                        "a segment with data acknowledges the other direction's as well",
                        "带数据的报文段同时确认另一方向的数据",
                    ),
                    _data_acknowledge,
                ),
            ),
        },
    },
    sources=("RFC 9293 section 3.5 figure 6", "RFC 9293 section 3.6 figure 12"),
)
