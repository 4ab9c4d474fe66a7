"""The third segment carries the request: the client holds its ACK back until there are data."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text
from services import stage

PORT = 12345
REQUEST, REPLY = b"one segment is saved", b"so it is"  # 20 and 8 octets


def server() -> None:
    """Answer once, read to the end of the stream, close."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            stage.say("accepted")
            connection.recv(1024)
            connection.sendall(REPLY)
            connection.recv(1024)  # b""


def client(server: str, *, silent: bool = False) -> None:
    """Connect without a quick ACK, ask (if silent: only once the server has accepted), close."""
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        connection.connect((server, PORT))
        if silent:
            stage.wait("accepted")
        connection.sendall(REQUEST)
        connection.recv(1024)


def _connected_first(evidence: Evidence) -> Seen:
    """connect() returned before the third segment was sent, accept() after it."""
    frames, connection = evidence.view.capture.frames, evidence.view.connections[0]
    third = int(connection.rows[2])
    time = int(frames.time[third])
    (connected,) = [one for one in evidence.calls["client"] if one.function == "connect"]
    (accepted,) = [one for one in evidence.calls["server"] if one.function == "accept"]
    words = Text("connect() {ms:.2f} ms before it", "connect() 早 {ms:.2f} 毫秒返回")
    kept = connected.after < time < accepted.after
    return Seen(kept, words.fill(ms=(time - connected.after) / 1e6), (third + 1,))


SCENARIO = Scenario(
    id="third_ack_with_data",
    title=Text("Third segment carries data", "第三次握手携带数据"),
    group="handshake",
    level=2,
    core=True,
    teaches=(
        Text(
            "The third segment may carry data: every segment of an open connection acknowledges, "
            "so the request does it too",
            "第三个报文段可以携带数据：连接建立后的每个报文段都带确认，请求本身就能完成握手",
        ),
        Text(
            "The client is ESTABLISHED once it has the SYN,ACK, before its own ACK has left",
            "客户端收到 SYN,ACK 就进入 ESTABLISHED，此时它自己的 ACK 还没有发出",
        ),
        Text(
            "With TCP_QUICKACK off, Linux holds that ACK back; if no data come along, "
            "it leaves alone after 200 ms",
            "关闭 TCP_QUICKACK 后，Linux 会暂缓发送这个 ACK；若没有数据可捎带，200 毫秒后单独发出",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0       ack 1
        C>S PSH,ACK  seq 1  +20  ack 1
        S>C ACK      seq 1       ack 21  optional
        S>C PSH,ACK  seq 1  +8   ack 21
        C>S ACK      seq 21      ack 9   optional
        C>S FIN,ACK  seq 21      ack 9
        ...
        """,
    ),
    promises=(
        Promise(
            "connect_returns_before_the_third_segment",
            Text(
                "connect() returns before the third segment leaves, accept() after it",
                "connect() 在第三个报文段发出之前返回，accept() 在其之后返回",
            ),
            _connected_first,
        ),
    ),
    variants={
        "silent": {
            "options": {"client": {"silent": True}},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0       ack 1
                C>S ACK      seq 1       ack 1   after 0.19..0.3 s
                C>S PSH,ACK  seq 1  +20  ack 1
                ...
                """,
            ),
        },
    },
    sources=("RFC 9293 section 3.5", "tcp(7) TCP_QUICKACK"),
)
