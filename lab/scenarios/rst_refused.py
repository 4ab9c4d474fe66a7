"""Connection refused: a SYN to a port nobody listens on is answered by a RST."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same

PORT = 12345


def server() -> None:
    """Be there, and listen on nothing."""


def client(server: str) -> None:
    """Try to connect; the refusal is the result."""
    try:
        socket.create_connection((server, PORT)).close()
    except ConnectionRefusedError as error:
        print(error, flush=True)


def _refused(evidence: Evidence) -> Seen:
    errors = [call.error for call in evidence.calls["client"] if call.function == "connect"]
    return Seen(errors == ["ECONNREFUSED"], same(", ".join(errors) or "no connect"), (1,))


SCENARIO = Scenario(
    id="rst_refused",
    title=Text("Connection refused", "连接被拒绝"),
    group="handshake",
    core=True,
    teaches=(
        Text(
            "No listener: RST,ACK with sequence number 0 and ack = ISN + 1; connect fails at once",
            "没有监听者：RST,ACK 的序号为 0，ack = ISN + 1；connect 立即失败",
        ),
        Text("A refusal is an answer; a timeout is silence", "拒绝是一种应答；超时则是沉默"),
    ),
    roles={"server": server, "client": client},
    scripts=(
        """
        C>S SYN      seq 0
        S>C RST,ACK         ack 1  after 0..20 ms
        """,
    ),
    promises=(
        Promise(
            "connect_is_refused",
            Text("connect() fails with ECONNREFUSED", "connect() 以 ECONNREFUSED 失败"),
            _refused,
        ),
    ),
    sources=("RFC 9293 section 3.5.2", "connect(2)"),
)
