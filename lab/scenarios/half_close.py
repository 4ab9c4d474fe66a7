"""Half-close: one direction ends, the other goes on."""

from __future__ import annotations

import socket
import time

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same

PORT = 12345
REQUEST, REPLY = b"all I have to say", b"and now it is my turn"  # 17 and 21 octets


def server(*, work: float = 0.12) -> None:
    """Read to the end of the stream, work, and only then answer."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(1024):
                pass
            time.sleep(work)
            connection.sendall(REPLY)


def client(server: str) -> None:
    """Say everything, close the sending side, read to the end; then try to send once more."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.shutdown(socket.SHUT_WR)  # FIN
        try:
            connection.send(b"one more")
        except BrokenPipeError as error:
            print(error, flush=True)
        while connection.recv(1024):
            pass


def _broken_pipe(evidence: Evidence) -> Seen:
    sends = [call.error for call in evidence.calls["client"] if call.function == "send"]
    return Seen(sends == ["EPIPE"], same(f"send: {', '.join(sends)}"))


SCENARIO = Scenario(
    id="half_close",
    title=Text("Half-close", "半关闭"),
    group="open_close",
    level=2,
    core=True,
    teaches=(
        Text(
            "shutdown(SHUT_WR) sends FIN, but receiving goes on for as long as the other side likes",
            "shutdown(SHUT_WR) 会发送 FIN，但接收仍可继续，直到对方也结束",
        ),
        Text(
            "Sending after SHUT_WR fails locally: EPIPE, and no packet",
            "SHUT_WR 之后发送会在本地失败：EPIPE，不产生任何报文",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1   +17
        S>C ACK              ack 18  optional
        C>S FIN,ACK  seq 18
        S>C ACK              ack 19  optional
        S>C PSH,ACK  seq 1   +21 ack 19
        C>S ACK              ack 22  optional
        S>C FIN,ACK  seq 22      ack 19
        C>S ACK      seq 19      ack 23
        """,
    ),
    promises=(
        Promise(
            "sending_after_shut_wr_fails",
            Text(
                "send() after shutdown(SHUT_WR) fails with EPIPE",
                "shutdown(SHUT_WR) 之后 send() 以 EPIPE 失败",
            ),
            _broken_pipe,
        ),
    ),
    sources=("RFC 9293 section 3.6.1", "shutdown(2)"),
)
