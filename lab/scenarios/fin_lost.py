"""Losses during the close: a FIN is repeated by its sender, an ACK only when it is asked for again."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.tcp.segments import CLIENT, MODULUS, SERVER, segments
from lab.text import Text, same
from lab.wire.rules import FIN, drop, pure_ack, segment
from services import stage, waits

PORT = 12345
REQUEST, REPLY = b"ping", b"pong"


def server() -> None:
    """Answer once, see the end of the stream, close when the client's FIN is acknowledged."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)
            connection.recv(1024)  # b""
            stage.wait("fin_acknowledged")


def client(server: str) -> None:
    """Ask once, send FIN, wait for its ACK, then for the server's FIN."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.recv(1024)
        connection.shutdown(socket.SHUT_WR)  # FIN
        waits.acknowledged(connection)
        stage.say("fin_acknowledged")
        connection.recv(1024)  # b""


def _duplicate_reported(evidence: Evidence) -> Seen:
    """The ACK of the repeated FIN carries a SACK block: the FIN's own sequence number (RFC 2883)."""
    frames, connection = evidence.view.capture.frames, evidence.view.connections[0]
    found = segments(frames, connection.rows, connection.from_client)
    fins = {(one.sequence, one.end) for one in found if one.fin and one.side == CLIENT}
    reports = [one for one in found if one.side == SERVER and fins & set(one.sack)]
    isn = connection.isn[0] or 0
    blocks = [
        tuple((edge - isn) % MODULUS for edge in each) for one in reports for each in one.sack
    ]
    words = ", ".join(f"SACK {left}..{right}" for left, right in blocks)
    return Seen(len(reports) == 1, same(words), tuple(one.frame for one in reports))


SCENARIO = Scenario(
    id="fin_lost",
    title=Text("Losses during the close", "挥手报文丢失"),
    group="open_close",
    level=2,
    core=True,
    teaches=(
        Text(
            "A FIN is repeated by its sender until it is acknowledged, like data",
            "FIN 与数据一样，由发送方重传，直到被确认",
        ),
        Text(
            "An ACK is never repeated by itself: the repeated FIN draws it again",
            "ACK 不会自行重传：对方重传的 FIN 才会再次引出它",
        ),
        Text(
            "FIN-WAIT-1 and LAST-ACK wait for an ACK and repeat; FIN-WAIT-2 and CLOSE-WAIT "
            "wait for the other end and repeat nothing",
            "FIN-WAIT-1 与 LAST-ACK 在等待 ACK，会重传；FIN-WAIT-2 与 CLOSE-WAIT 在等待对方，不重传",
        ),
        Text(
            "TIME-WAIT is there for the last ACK: if that is lost, somebody must answer "
            "the repeated FIN",
            "TIME-WAIT 正是为最后一个 ACK 而设：它若丢失，必须有人应答重传的 FIN",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(segment(FIN, sender="client"), nth=1),),
    scripts=(
        """
        ...
        C>S FIN,ACK  seq 5  ack 5  lost
        C>S FIN,ACK  seq 5  ack 5  after 0.1..0.4 s
        S>C ACK      seq 5  ack 6
        S>C FIN,ACK  seq 5  ack 6
        C>S ACK      seq 6  ack 6
        """,
    ),
    variants={
        "first_fin": {},  # what is played without a variant
        "fin_ack": {
            "rules": (drop(pure_ack("server"), nth=1, after=segment(FIN, sender="client")),),
            "scripts": (
                """
                ...
                C>S FIN,ACK  seq 5  ack 5
                S>C ACK      seq 5  ack 6  lost
                C>S FIN,ACK  seq 5  ack 5  after 0.1..0.4 s
                S>C ACK      seq 5  ack 6
                S>C FIN,ACK  seq 5  ack 6
                C>S ACK      seq 6  ack 6
                """,
            ),
            "promises": (
                Promise(
                    "the_duplicate_is_reported",
                    Text(
                        "the ACK of the repeated FIN reports the duplicate in a SACK block (DSACK)",
                        "对重传 FIN 的 ACK 用一个 SACK 块报告了重复（DSACK）",
                    ),
                    _duplicate_reported,
                ),
            ),
        },
        "second_fin": {
            "rules": (drop(segment(FIN, sender="server"), nth=1),),
            "scripts": (
                """
                ...
                C>S FIN,ACK  seq 5  ack 5
                S>C ACK      seq 5  ack 6
                S>C FIN,ACK  seq 5  ack 6  lost
                S>C FIN,ACK  seq 5  ack 6  after 0.1..0.4 s
                C>S ACK      seq 6  ack 6
                """,
            ),
        },
        "last_ack": {
            "rules": (drop(pure_ack("client"), nth=1, after=segment(FIN, sender="server")),),
            "scripts": (
                """
                ...
                C>S FIN,ACK  seq 5  ack 5
                S>C ACK      seq 5  ack 6
                S>C FIN,ACK  seq 5  ack 6
                C>S ACK      seq 6  ack 6  lost
                S>C FIN,ACK  seq 5  ack 6  after 0.1..0.4 s
                C>S ACK      seq 6  ack 6
                """,
            ),
        },
    },
    sources=("RFC 9293 section 3.6", "RFC 9293 section 3.8.1", "RFC 2883", "tcp(7) SIOCOUTQ"),
)
