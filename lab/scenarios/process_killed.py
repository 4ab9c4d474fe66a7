"""A process dies by SIGKILL: its kernel closes its sockets."""

from __future__ import annotations

import os
import select
import signal
import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import stage

PORT = 12345
REQUEST = b"please read"  # 11 octets


def server(*, request: bool = False) -> None:
    """Let a child serve, and kill it."""
    child = os.fork()
    if child == 0:
        serve(request=request)
    stage.wait("served")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def serve(*, request: bool) -> None:
    """Accept, wait until the request is there, read nothing of it, and never close."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        if request:
            select.select([connection], [], [])
        stage.say("served")
        signal.pause()


def client(server: str, *, request: bool = False) -> None:
    """Connect, ask perhaps, and wait for an answer."""
    with socket.create_connection((server, PORT)) as connection:
        if request:
            connection.sendall(REQUEST)
        try:
            connection.recv(1024)
        except ConnectionResetError as error:
            print(error, flush=True)


def _received(evidence: Evidence) -> str:
    """What the client's recv() gave: a number of octets, or an error."""
    reads = [call for call in evidence.calls["client"] if call.function == "recv"]
    return ", ".join(call.error or str(call.octets) for call in reads)


def _end_of_stream(evidence: Evidence) -> Seen:
    return Seen(_received(evidence) == "0", same(f"recv: {_received(evidence)}"))


def _reset(evidence: Evidence) -> Seen:
    return Seen(_received(evidence) == "ECONNRESET", same(f"recv: {_received(evidence)}"))


def _no_close(evidence: Evidence) -> Seen:
    functions = [call.function for call in evidence.calls["server"]]
    kept = "accept" in functions and "close" not in functions
    return Seen(kept, same(", ".join(functions)))


NO_CLOSE = Promise(
    "nobody_called_close",
    Text("no program called close() at the server", "服务器上没有程序调用 close()"),
    _no_close,
)

SCENARIO = Scenario(
    id="process_killed",
    title=Text("Process killed", "进程被杀死"),
    group="errors",
    level=2,
    teaches=(
        Text(
            "The kernel closes the sockets of a dead process: the peer sees FIN, as after close()",
            "进程死后由内核关闭它的套接字：对端看到 FIN，与调用 close() 无异",
        ),
        Text(
            "If data was left unread, it is RST, as after close() too",
            "如果还有未读数据，则发送 RST，这也与 close() 相同",
        ),
        Text(
            "A dead process is heard of at once; a dead host is only silent",
            "进程死亡，对端立即得知；主机死亡，则只有沉默",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        S>C FIN,ACK  seq 1  ack 1
        C>S ACK      seq 1  ack 2  optional
        C>S FIN,ACK  seq 1  ack 2
        S>C ACK      seq 2  ack 2
        """,
    ),
    promises=(
        Promise(
            "end_of_stream",
            Text('the client\'s recv() returns b""', '客户端的 recv() 返回 b""'),
            _end_of_stream,
        ),
        NO_CLOSE,
    ),
    variants={
        "unread_data": {
            "options": {"server": {"request": True}, "client": {"request": True}},
            "scripts": (
                """
                C>S SYN
                S>C SYN,ACK
                C>S ACK
                C>S PSH,ACK  seq 1  +11
                S>C ACK      seq 1       ack 12  optional
                S>C RST,ACK  seq 1       ack 12
                """,
            ),
            "promises": (
                Promise(
                    "receiving_fails",
                    Text(
                        "the client's recv() fails with ECONNRESET",
                        "客户端的 recv() 以 ECONNRESET 失败",
                    ),
                    _reset,
                ),
                NO_CLOSE,
            ),
        }
    },
    sources=("RFC 9293 section 3.6.1", "_exit(2)", "signal(7)"),
)
