"""Two small writes and a read: Nagle's algorithm waits for an ACK that the other end delays."""

from __future__ import annotations

import socket
from collections.abc import Callable
from statistics import median

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.seen import segments
from lab.text import Text, same
from lab.units import short_span

PORT = 12345
HEAD, BODY, REPLY = b"HEAD", b"--BODY", b"ok"  # 4, 6 and 2 octets
ROUNDS = 6
DELAYED_ACK = 35_000_000  # ns: 40 ms on Linux, less the coarseness of its timers


def server() -> None:
    """Answer each request once all its octets are there."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(len(HEAD + BODY), socket.MSG_WAITALL):
                connection.sendall(REPLY)


def client(server: str, *, nodelay: bool = False, cork: bool = False, joined: bool = False) -> None:
    """Write a head, write a body, read the answer; six times."""
    with socket.create_connection((server, PORT)) as connection:
        if nodelay:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(ROUNDS):
            if cork:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            for octets in (HEAD + BODY,) if joined else (HEAD, BODY):
                connection.sendall(octets)
            if cork:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            connection.recv(1024)


def _rounds(*, stall: bool) -> Callable[[Evidence], Seen]:
    """Whether a round lasts as long as a delayed ACK; the first does not count."""

    def check(evidence: Evidence) -> Seen:
        seen = [one for one in segments(evidence, evidence.view.connections[0]) if one.length]
        replies = [one for one in seen if one.sender == "S"]
        starts = [
            one for one in seen if one.sender == "C" and (one.sequence - 1) % len(HEAD + BODY) == 0
        ]
        spans = [end.time - start.time for start, end in zip(starts, replies, strict=True)]
        kept = len(spans) == ROUNDS and (median(spans[1:]) > DELAYED_ACK) == stall
        return Seen(kept, same(", ".join(map(short_span, spans))))

    return check


def _script(*request: str) -> str:
    """Six rounds of a request and its answer, between opening and closing."""
    answer = ("S>C ACK optional", "S>C PSH,ACK +2", "C>S ACK optional")
    opening = ("C>S SYN", "S>C SYN,ACK", "C>S ACK ack 1")
    closing = ("C>S FIN,ACK seq 61 ack 13", "S>C ACK optional", "S>C FIN,ACK", "C>S ACK")
    return "\n".join((*opening, *(*request, *answer) * ROUNDS, *closing))


STALLS = Promise(
    "rounds_stall",
    Text("from the second on, a round takes 40 ms", "从第二轮起，每轮耗时约 40 ms"),
    _rounds(stall=True),
)
FLOWS = Promise(
    "rounds_flow",
    Text("no round waits for a delayed ACK", "各轮都不必等待延迟确认"),
    _rounds(stall=False),
)

SCENARIO = Scenario(
    id="nagle_delack",
    title=Text("Nagle meets delayed ACK", "Nagle 与延迟确认"),
    group="flow",
    level=2,
    core=True,
    teaches=(
        Text(
            "Nagle: while a small segment is unacknowledged, the next small one has to wait",
            "Nagle 算法：只要还有小报文段未被确认，下一个小报文段就得等待",
        ),
        Text(
            "The server has no answer to send yet, so its kernel delays the ACK by 40 ms: each end "
            "waits for the other",
            "服务器还没有应答可发，其内核便把 ACK 推迟 40 ms：两端互相等待",
        ),
        Text(
            "The first round does not stall: a new connection acknowledges at once for a while",
            "第一轮没有停顿：新建立的连接起初会立即确认",
        ),
        Text(
            "Cures: one write, TCP_CORK around both, or TCP_NODELAY",
            "对策：合并为一次写入，用 TCP_CORK 包住两次写入，或设置 TCP_NODELAY",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(_script("C>S PSH,ACK +4", "S>C ACK", "C>S PSH,ACK +6"),),
    promises=(STALLS,),
    variants={
        "nodelay": {
            "options": {"client": {"nodelay": True}},
            "scripts": (_script("C>S PSH,ACK +4", "S>C ACK optional", "C>S PSH,ACK +6"),),
            "promises": (FLOWS,),
        },
        "cork": {
            "options": {"client": {"cork": True}},
            "scripts": (_script("C>S PSH,ACK +10"),),
            "promises": (FLOWS,),
        },
        "one_write": {
            "options": {"client": {"joined": True}},
            "scripts": (_script("C>S PSH,ACK +10"),),
            "promises": (FLOWS,),
        },
    },
    sources=("RFC 9293 section 3.7.4", "RFC 9293 section 3.8.6.3", "RFC 896", "tcp(7)"),
)
