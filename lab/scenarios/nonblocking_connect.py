"""Non-blocking connect: begun, under way, done; and how a program learns which of them it is."""

from __future__ import annotations

import errno
import os
import select
import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.wire.rules import SYN, delay, drop, packets, segment
from services import stage

PORT = 12345


def server(*, reachable: bool = True) -> None:
    """Take one connection and read to its end; if not reachable, listen until the client is done."""
    with socket.create_server(("", PORT)) as listener:
        if not reachable:
            stage.wait("done")
            return
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)  # b""


def absent_server() -> None:
    """Be there, and listen on nothing."""
    stage.wait("done")


def client(server: str, *, patience_ms: int = 10_000) -> None:
    """Begin to connect, ask while it is under way, wait for the outcome, ask again."""
    with socket.socket() as connection:
        connection.setblocking(False)
        begin = connection.connect_ex((server, PORT))
        again = connection.connect_ex((server, PORT))
        print(f"connect: {os.strerror(begin)}; again: {os.strerror(again)}", flush=True)
        try:
            connection.recv(1024)
        except BlockingIOError as error:
            print(f"recv: {error}", flush=True)
        outcome = select.poll()
        outcome.register(connection, select.POLLOUT)
        if not outcome.poll(patience_ms):
            print("still not writable: no outcome yet", flush=True)
        elif failure := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            print(f"SO_ERROR: {os.strerror(failure)}", flush=True)
        else:
            connection.connect_ex((server, PORT))  # collects the success: 0
            connection.connect_ex((server, PORT))  # EISCONN
    stage.say("done")


def _calls(*wanted: str) -> Promise:
    """What the client's calls must have returned, in order: "connect_ex EINPROGRESS"."""
    told = ("connect_ex", "recv", "getsockopt")

    def check(evidence: Evidence) -> Seen:
        calls = [call for call in evidence.calls["client"] if call.function in told]
        found = [f"{call.function} {call.error or call.result}" for call in calls]
        return Seen(found == list(wanted), same("; ".join(found)))

    words = Text("each call returns what the state allows", "每次调用的结果都与当时的状态相符")
    return Promise("each_call_tells_the_state", words, check)


UNDER_WAY = ("connect_ex EINPROGRESS", "connect_ex EALREADY", "recv EAGAIN")

SCENARIO = Scenario(
    id="nonblocking_connect",
    title=Text("Non-blocking connect", "非阻塞 connect"),
    group="handshake",
    level=2,
    teaches=(
        Text(
            "A non-blocking connect() returns EINPROGRESS at once: the SYN has left, "
            "nothing is decided",
            "非阻塞 connect() 立即返回 EINPROGRESS：SYN 已发出，结果未定",
        ),
        Text(
            "The socket becomes writable when it is decided, either way: only SO_ERROR tells "
            "success from failure",
            "结果一出，套接字就变为可写，成败皆然：只有 SO_ERROR 能区分成功与失败",
        ),
        Text(
            "Until then connect() answers EALREADY and recv() EAGAIN",
            "在此之前，connect() 返回 EALREADY，recv() 返回 EAGAIN",
        ),
        Text(
            "On Linux the first connect() after success returns 0, and only the next EISCONN",
            "在 Linux 上，成功之后的第一次 connect() 返回 0，再下一次才是 EISCONN",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(delay(packets("server"), ms=300),),
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0  ack 1  after 0.29..30 s
        C>S ACK      seq 1  ack 1
        C>S FIN,ACK  seq 1  ack 1
        ...
        """,
    ),
    promises=(_calls(*UNDER_WAY, "getsockopt 0", "connect_ex 0", "connect_ex EISCONN"),),
    variants={
        "refused": {
            "roles": {"server": absent_server, "client": client},
            "listens": {},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C RST,ACK         ack 1  after 0.29..30 s
                """,
            ),
            "promises": (_calls(*UNDER_WAY, f"getsockopt {errno.ECONNREFUSED}"),),
        },
        "dropped": {
            "options": {"server": {"reachable": False}, "client": {"patience_ms": 400}},
            "rules": (drop(segment(SYN)),),
            "scripts": (
                """
                C>S SYN  seq 0  lost
                ...
                """,
            ),
            "promises": (_calls(*UNDER_WAY),),
        },
    },
    sources=("connect(2)", "poll(2)", "socket(7) SO_ERROR"),
)
