"""The third segment of the handshake is lost: one end is open, the other is not yet."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.wire.rules import drop, pure_ack
from services import stage, waits

PORT = 12345


def server() -> None:
    """Take one connection and read to its end."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            stage.say("accepted")
            while connection.recv(1024):
                pass


def client(server: str, *, first: str = "") -> None:
    """Connect, perhaps send something; once the server has accepted, close."""
    with socket.create_connection((server, PORT)) as connection:
        if first:
            connection.sendall(first.encode())
        stage.wait("accepted")


def forgetful_server() -> None:
    """Repeat the SYN,ACK only once, and wait until the kernel has given the connection up."""
    with socket.create_server(("", PORT)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
        stage.wait("connected")
        waits.until(lambda: not waits.sockets("SYN-RECEIVED"))
        stage.say("forgotten")
        stage.wait("reset")


def late_client(server: str) -> None:
    """Connect, and speak only when the server has forgotten everything."""
    with socket.create_connection((server, PORT)) as connection:
        stage.say("connected")
        stage.wait("forgotten")
        connection.sendall(b"hello")
        try:
            connection.recv(1024)
        except ConnectionResetError as error:
            print(error, flush=True)
    stage.say("reset")


def _accepted(evidence: Evidence) -> Seen:
    """accept() returned after what completed the handshake, and connect() before it."""
    frames, connection = evidence.view.capture.frames, evidence.view.connections[0]
    opening = int(connection.rows[3])  # SYN; SYN,ACK; ACK (lost); what came next
    time = int(frames.time[opening])
    (connected,) = [one for one in evidence.calls["client"] if one.function == "connect"]
    (accepted,) = [one for one in evidence.calls["server"] if one.function == "accept"]
    waited = (accepted.after - connected.after) / 1e6
    words = Text("accept() {ms:.1f} ms after connect()", "accept() 比 connect() 晚 {ms:.1f} 毫秒")
    kept = connected.after < time < accepted.after
    return Seen(kept, words.fill(ms=waited), (opening + 1,))


def _reset(evidence: Evidence) -> Seen:
    errors = [call.error for call in evidence.calls["client"] if call.function == "recv"]
    return Seen(errors == ["ECONNRESET"], same(f"recv: {', '.join(errors)}"))


ACCEPTED = Promise(
    "connect_first_accept_later",
    Text(
        "connect() returns at once, accept() only when another segment has replaced the lost ACK",
        "connect() 立即返回；accept() 要等到另一个报文段补上丢失的 ACK 才返回",
    ),
    _accepted,
)
RESET = Promise(
    "the_client_is_reset",
    Text("the client's recv() fails with ECONNRESET", "客户端的 recv() 以 ECONNRESET 失败"),
    _reset,
)

SCENARIO = Scenario(
    id="third_ack_lost",
    title=Text("Third ACK lost", "第三次握手丢失"),
    group="handshake",
    level=2,
    core=True,
    teaches=(
        Text(
            "The client is ESTABLISHED as soon as it has the SYN,ACK; "
            "without the third segment the server stays in SYN-RECEIVED",
            "客户端收到 SYN,ACK 即进入 ESTABLISHED；没有第三个报文段，服务器仍停在 SYN-RECEIVED",
        ),
        Text(
            "A pure ACK is never repeated for its own sake: "
            "the server repeats its SYN,ACK after 1 s, and that draws a new ACK",
            "纯 ACK 不会自行重传：服务器在 1 秒后重发 SYN,ACK，客户端才再次发出 ACK",
        ),
        Text(
            "Any later segment completes the handshake as well, since it carries the same ACK: "
            "data that come first are accepted, not reset",
            "之后的任何报文段都带着这个确认，因此也能完成握手：先到的数据会被接收，而不是被复位",
        ),
        Text(
            "A server that has given up tells nobody: the client learns of it by the RST "
            "that its next segment draws",
            "服务器放弃时不会通知对方：客户端要等到下一个报文段引来 RST 才知道",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(pure_ack("client"), nth=1),),
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0  ack 1
        C>S ACK      seq 1  ack 1  lost
        S>C SYN,ACK  seq 0  ack 1  after 0.95..1.2 s
        C>S ACK      seq 1  ack 1
        C>S FIN,ACK  seq 1  ack 1
        ...
        """,
    ),
    promises=(ACCEPTED,),
    variants={
        "idle": {},  # what is played without a variant
        "data": {
            "options": {"client": {"first": "hello"}},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0      ack 1
                C>S ACK      seq 1      ack 1  lost
                C>S PSH,ACK  seq 1  +5  ack 1
                ...
                C>S FIN,ACK  seq 6      ack 1
                ...
                """,
            ),
        },
        "server_gives_up": {
            "roles": {"server": forgetful_server, "client": late_client},
            "rules": (drop(pure_ack("client")),),
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0      ack 1
                C>S ACK      seq 1      ack 1  lost
                S>C SYN,ACK  seq 0      ack 1  after 0.95..1.2 s
                C>S ACK      seq 1      ack 1  lost
                C>S PSH,ACK  seq 1  +5  ack 1  after 1.9..2.6 s
                S>C RST      seq 1
                """,
            ),
            "promises": (RESET,),
        },
    },
    sources=("RFC 9293 section 3.4", "RFC 9293 section 3.10.7.4", "tcp(7) TCP_SYNCNT"),
)
