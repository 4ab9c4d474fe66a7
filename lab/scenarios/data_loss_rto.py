"""A segment is lost again and again: only the timer is left, and it waits twice as long each time."""

from __future__ import annotations

import socket
from itertools import pairwise

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.seen import segments
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import short_span
from lab.wire.rules import data, drop, span

PORT = 12345
REQUEST, REPLY, LOST = b"ping", b"pong", b"again"  # LOST is the only one of 5 octets


def server() -> None:
    """Answer two messages, however late they come."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            for _ in range(2):
                connection.recv(1024)
                connection.sendall(REPLY)
            connection.recv(1024)  # b""


def client(server: str) -> None:
    """Exchange one message, then another: the program notices nothing but the wait."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.recv(1024)
        connection.sendall(LOST)  # returns at once: the rest is the kernel's business
        connection.recv(1024)


def _waits_double(evidence: Evidence) -> Seen:
    """The probe and the first timeout wait alike; from then on each wait is twice the last."""
    sent = segments(evidence, evidence.view.connections[0])
    copies = [one for one in sent if one.sender == "C" and one.length == len(LOST)]
    waits = [later.time - earlier.time for earlier, later in pairwise(copies)]
    ratios = [later / earlier for earlier, later in pairwise(waits[1:])]
    kept = len(ratios) >= 2 and all(1.4 < ratio < 2.8 for ratio in ratios)
    return Seen(kept, same(", ".join(map(short_span, waits))), tuple(one.number for one in copies))


WAITS_DOUBLE = Promise(
    "waits_double",
    Text("from the second repetition on, each wait doubles", "从第二次重发起，等待时间逐次加倍"),
    _waits_double,
)

SCENARIO = Scenario(
    id="data_loss_rto",
    title=Text("Lost segment, timeout", "数据丢失与超时重传"),
    group="loss",
    core=True,
    teaches=(
        Text(
            "No acknowledgment comes, so the kernel sends the same sequence number again. It does so on "
            "Linux after 200 ms at the earliest, then after twice as long each time",
            "收不到确认，内核便以同一序号重发：在 Linux 上最早于 200 ms 之后，此后等待时间逐次加倍",
        ),
        Text(
            "The first repetition is a tail loss probe and not yet a timeout, so the second comes "
            "just as soon",
            "第一次重发是尾部丢失探测，还不算超时；因此第二次重发的间隔与第一次相近",
        ),
        Text(
            "send() has long returned: success means that the kernel has the data, not the peer",
            "send() 早已返回：成功只表示数据已交给内核，并不表示对方已经收到",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(data("client", at_least=len(LOST)), nth=span(1, 4)),),
    scripts=(
        """
        ...
        C>S PSH,ACK  seq 5  +5  lost
        C>S PSH,ACK  seq 5  +5  lost  after 0.19..0.4 s
        C>S PSH,ACK  seq 5  +5  lost  after 0.19..0.4 s
        C>S PSH,ACK  seq 5  +5  lost  after 0.38..0.8 s
        C>S PSH,ACK  seq 5  +5        after 0.76..1.6 s
        S>C ACK      ack 10  optional
        S>C PSH,ACK  seq 5  +4  ack 10
        ...
        """,
    ),
    promises=(WAITS_DOUBLE,),
    variants={
        "single": {
            "rules": (drop(data("client", at_least=len(LOST)), nth=1),),
            "scripts": (
                """
                ...
                C>S PSH,ACK  seq 5  +5  lost
                C>S PSH,ACK  seq 5  +5  after 0.19..0.4 s
                S>C ACK      ack 10  optional
                S>C PSH,ACK  seq 5  +4  ack 10
                ...
                """,
            ),
            "promises": (),
        },
        "fast": {
            "topology": Topology(
                (Host("client", sysctls={"net.ipv4.tcp_rto_min_us": "20000"}), Host("server"))
            ),
            "scripts": (
                """
                ...
                C>S PSH,ACK  seq 5  +5  lost
                C>S PSH,ACK  seq 5  +5  lost  after 18..80 ms
                C>S PSH,ACK  seq 5  +5  lost  after 18..80 ms
                C>S PSH,ACK  seq 5  +5  lost  after 36..160 ms
                C>S PSH,ACK  seq 5  +5        after 72..320 ms
                ...
                S>C PSH,ACK  seq 5  +4  ack 10
                ...
                """,
            ),
        },
    },
    sources=("RFC 6298 sections 2 and 5", "RFC 8985 section 7", "ip-sysctl tcp_rto_min_us"),
)
