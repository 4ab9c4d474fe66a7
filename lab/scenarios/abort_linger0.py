"""Abort: SO_LINGER with a time of 0 makes close() send RST."""

from __future__ import annotations

import socket
import struct

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import waits

PORT = 12345
ON_FOR_ZERO_SECONDS = struct.pack("ii", 1, 0)  # struct linger: l_onoff, l_linger
LAST_WORDS = b"last words"  # 10 octets


def server() -> None:
    """Wait until the connection is gone, and only then read."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            waits.reset(connection)
            try:
                while connection.recv(1024):
                    pass
            except ConnectionResetError as error:
                print(error, flush=True)


def client(server: str, *, speak: bool = False) -> None:
    """Connect, say something perhaps, and abort."""
    with socket.create_connection((server, PORT)) as connection:
        if speak:
            connection.sendall(LAST_WORDS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ON_FOR_ZERO_SECONDS)


def _received(evidence: Evidence) -> list[str]:
    """What each recv() of the server gave: a number of octets, or an error."""
    reads = [call for call in evidence.calls["server"] if call.function == "recv"]
    return [call.error or str(call.octets) for call in reads]


def _reset(evidence: Evidence) -> Seen:
    received = _received(evidence)
    return Seen(received == ["ECONNRESET"], same(f"recv: {', '.join(received)}"))


def _data_then_reset(evidence: Evidence) -> Seen:
    received = _received(evidence)
    return Seen(
        received == [str(len(LAST_WORDS)), "ECONNRESET"], same(f"recv: {', '.join(received)}")
    )


SCENARIO = Scenario(
    id="abort_linger0",
    title=Text("Abort with SO_LINGER 0", "SO_LINGER 为 0 的强制关闭"),
    group="errors",
    level=2,
    core=True,
    teaches=(
        Text(
            "With l_onoff 1 and l_linger 0, close() aborts: one RST, no FIN, and no TIME-WAIT",
            "l_onoff 为 1、l_linger 为 0 时，close() 直接中止连接：一个 RST，没有 FIN，也没有 TIME-WAIT",
        ),
        Text(
            "This is no cure for TIME-WAIT. Data on its way is lost, the peer gets an error, and nothing "
            "guards the next connection against old segments",
            "这不是消除 TIME-WAIT 的办法：途中的数据会丢失，对端会得到错误，"
            "新连接也不再受到保护，可能收到旧报文段",
        ),
        Text(
            "On Linux, data received before the RST can still be read; only then comes ECONNRESET",
            "在 Linux 上，RST 之前收到的数据仍可读出，之后才返回 ECONNRESET",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0  ack 1
        C>S ACK      seq 1  ack 1
        C>S RST,ACK  seq 1  ack 1
        """,
    ),
    promises=(
        Promise(
            "receiving_fails",
            Text("the server's recv() fails with ECONNRESET", "服务器的 recv() 以 ECONNRESET 失败"),
            _reset,
        ),
    ),
    variants={
        "queued_data": {
            "options": {"client": {"speak": True}},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0        ack 1
                C>S ACK      seq 1        ack 1
                C>S PSH,ACK  seq 1   +10  ack 1
                S>C ACK      seq 1        ack 11  optional
                C>S RST,ACK  seq 11       ack 1
                """,
            ),
            "promises": (
                Promise(
                    "queued_data_survives",
                    Text(
                        "the server reads the 10 octets, and only then gets ECONNRESET",
                        "服务器先读出 10 字节，之后才得到 ECONNRESET",
                    ),
                    _data_then_reset,
                ),
            ),
        }
    },
    sources=("socket(7) SO_LINGER", "RFC 9293 section 3.10.5"),
)
