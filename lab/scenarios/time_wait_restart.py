"""Restarting a server while its old connection is still in TIME-WAIT."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same

PORT = 12345


def server(*, reuse_at_first: bool = True) -> None:
    """Close first; then start again without SO_REUSEADDR, with it, and once too often."""
    first = listen(reuse=reuse_at_first)
    if first:
        connection, _ = first.accept()
        with first, connection:
            connection.shutdown(socket.SHUT_WR)  # FIN
            connection.recv(1024)  # b"": the client's FIN is here, TIME-WAIT has begun
    listeners = [listen(reuse=False), listen(reuse=True), listen(reuse=True)]
    for listener in filter(None, listeners):
        listener.close()


def listen(*, reuse: bool) -> socket.socket | None:
    """Open the listening socket; None if the address is in use."""
    listener = socket.socket()
    if reuse:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("", PORT))
        listener.listen()
    except OSError as error:
        print(error, flush=True)
        listener.close()
        return None
    return listener


def client(server: str) -> None:
    """Connect, read to the end of the stream, close."""
    with socket.create_connection((server, PORT)) as connection:
        connection.recv(1024)  # b""


def _binds(evidence: Evidence) -> list[str]:
    binds = [call for call in evidence.calls["server"] if call.function == "bind"]
    return [call.error or "0" for call in binds]


def _needs_the_option(evidence: Evidence) -> Seen:
    binds = _binds(evidence)
    return Seen(binds[:3] == ["0", "EADDRINUSE", "0"], same(f"bind: {', '.join(binds[:3])}"))


def _one_listener(evidence: Evidence) -> Seen:
    binds = _binds(evidence)
    return Seen(binds[3:] == ["EADDRINUSE"], same(f"bind: {', '.join(binds[3:])}"))


def _never_free(evidence: Evidence) -> Seen:
    binds = _binds(evidence)
    return Seen(binds == ["0", *["EADDRINUSE"] * 3], same(f"bind: {', '.join(binds)}"))


SCENARIO = Scenario(
    id="time_wait_restart",
    title=Text("Restarting a server", "服务器重启与地址占用"),
    group="time_wait",
    core=True,
    teaches=(
        Text(
            "Whoever closes first keeps TIME-WAIT; a server that does cannot bind its port again: "
            "EADDRINUSE",
            "先关闭的一方进入 TIME-WAIT；服务器若先关闭，重启时 bind 会失败：EADDRINUSE",
        ),
        Text(
            "SO_REUSEADDR before bind() cures it, while TIME-WAIT goes on",
            "在 bind() 之前设置 SO_REUSEADDR 即可解决，TIME-WAIT 仍会照常持续",
        ),
        Text(
            "On Linux the server that ran before must have set it too: TIME-WAIT remembers",
            "在 Linux 上，之前运行的服务器也必须设置过该选项：TIME-WAIT 会保留这一标志",
        ),
        Text(
            "SO_REUSEADDR does not allow two listeners on one port",
            "SO_REUSEADDR 不允许两个套接字监听同一端口",
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
            "restart_needs_so_reuseaddr",
            Text(
                "starting again fails with EADDRINUSE without SO_REUSEADDR, and succeeds with it",
                "不设 SO_REUSEADDR 重启以 EADDRINUSE 失败，设置后成功",
            ),
            _needs_the_option,
        ),
        Promise(
            "only_one_listens",
            Text(
                "a second listener fails with EADDRINUSE in spite of SO_REUSEADDR",
                "即使设置 SO_REUSEADDR，第二个监听者也以 EADDRINUSE 失败",
            ),
            _one_listener,
        ),
    ),
    variants={
        "first_without": {
            "options": {"server": {"reuse_at_first": False}},
            "promises": (
                Promise(
                    "too_late",
                    Text(
                        "SO_REUSEADDR does not help if the server before did not set it",
                        "之前的服务器没有设置 SO_REUSEADDR，重启时再设置也无济于事",
                    ),
                    _never_free,
                ),
            ),
        }
    },
    sources=("socket(7) SO_REUSEADDR", "RFC 9293 section 3.6.1"),
)
