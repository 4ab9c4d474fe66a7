"""Slow start: ten segments in the first round trip, then twice as many in each."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence

from lab.evidence.run import Evidence
from lab.evidence.states import sockets_of
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.script import Segment
from lab.scenarios.seen import segments
from lab.tcp.segments import CLIENT
from lab.text import Text, same
from lab.wire.rules import delay, packets

PORT = 12345
SEGMENT = 1448  # octets: an MSS of 1460 less 12 for the timestamps
ROUNDS = (10, 20, 40)  # segments: the initial window (RFC 6928), and then it doubles
SIZE = sum(ROUNDS) * SEGMENT
AGAIN = sum(ROUNDS[:2]) * SEGMENT  # after the pause
RTO_AT = 8  # octets into struct tcp_info: tcpi_rto, in µs (linux/tcp.h)


def server(*, again: int = 0) -> None:
    """Read all of it, say so; perhaps once more."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            for size in filter(None, (SIZE, again)):
                connection.recv(size, socket.MSG_WAITALL)
                connection.sendall(b"read")


def client(server: str, *, again: int = 0) -> None:
    """Hand everything to the kernel at once; when it was read, perhaps pause, and once more."""
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        connection.connect((server, PORT))
        connection.sendall(bytes(SIZE))
        connection.recv(1024)
        if again:
            time.sleep(4 * timeout_of(connection))
            connection.sendall(bytes(again))
            connection.recv(1024)


def timeout_of(connection: socket.socket) -> float:
    """The retransmission timeout now, in seconds (TCP_INFO, tcp(7))."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RTO_AT + 4)
    microseconds: int = struct.unpack_from("I", told, RTO_AT)[0]
    return microseconds / 1e6


def rounds_of(seen: Sequence[Segment]) -> list[list[Segment]]:
    """The client's data, by round trips: one ends when its first segment is acknowledged."""
    rounds: list[list[Segment]] = []
    acknowledged = 0
    for one in seen:
        if one.sender == "S":
            acknowledged = max(acknowledged, one.acknowledgment)
        elif one.length:
            if not rounds or acknowledged > rounds[-1][0].sequence:
                rounds.append([])
            rounds[-1].append(one)
    return rounds


def _rounds(*wanted: int) -> Promise:
    def check(evidence: Evidence) -> Seen:
        rounds = rounds_of(segments(evidence, evidence.view.connections[0]))
        sizes = [len(each) for each in rounds]
        told = " · ".join(f"{len(each)} (#{each[0].number}-{each[-1].number})" for each in rounds)
        return Seen(sizes == list(wanted), same(told), tuple(each[0].number for each in rounds))

    words = Text("one round trip after another sends {n} segments", "各往返依次发出 {n} 个报文段")
    return Promise("rounds", words.fill(n=" → ".join(map(str, wanted))), check)


def turns_of(values: Sequence[int]) -> tuple[int, ...]:
    """Where a course of values begins, turns and ends: 10, 20, 80, 80, 40 gives 10, 80, 40."""
    kept: list[int] = []
    for value in values:
        if len(kept) > 1 and (kept[-1] - kept[-2]) * (value - kept[-1]) >= 0:
            kept[-1] = value
        elif kept[-1:] != [value]:
            kept.append(value)
    return tuple(kept)


def _window(*wanted: int) -> Promise:
    """The congestion window, as the client's kernel told it each time it was asked."""

    def check(evidence: Evidence) -> Seen:
        kernel, first = evidence.kernel["client"], evidence.view.connections[0]
        life = sockets_of(first, kernel.lives, 0, kernel.last)[CLIENT]
        turns = turns_of([value for _, value in life.history("cwnd")] if life else [])
        return Seen(turns == wanted, same(" → ".join(map(str, turns))))

    words = Text("the kernel's congestion window: {n}", "内核的拥塞窗口：{n}")
    return Promise("window", words.fill(n=" → ".join(map(str, wanted))), check)


SCENARIO = Scenario(
    id="slow_start",
    title=Text("Slow start", "慢启动"),
    group="congestion",
    level=2,
    core=True,
    teaches=(
        Text(
            "A new connection may have ten segments on their way (RFC 6928), not one: what fits "
            "into 14 kB arrives within the first round trip",
            "新连接一开始就允许 10 个报文段在途（RFC 6928），而不是 1 个："
            "14 kB 以内的数据一个往返即可送达",
        ),
        Text(
            "Each segment acknowledged opens the congestion window by one, so each round trip "
            "carries twice as much as the one before: 10, 20, 40",
            "每确认一个报文段，拥塞窗口就增加 1，因此每个往返发送的数据翻倍：10、20、40",
        ),
        Text(
            "The sender holds back although the receiver would take more: the window announced is "
            "larger than what is in flight. It does not know yet what the network carries",
            "接收方通告的窗口还有余地，发送方却按兵不动：它还不知道网络能承受多少",
        ),
        Text(
            "On Linux an idle connection forgets: the window is halved for each RTO without data, "
            "down to the initial one (tcp_slow_start_after_idle)",
            "在 Linux 上，连接空闲会使窗口缩回：每过一个 RTO 不发数据就减半，"
            "直至初始窗口（tcp_slow_start_after_idle）",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(delay(packets(), ms=50),),
    scripts=(
        f"""
        C>S SYN
        S>C SYN,ACK  after 99..900 ms
        C>S ACK      seq 1  ack 1
        ...
        S>C PSH,ACK  seq 1  +4  ack {1 + SIZE}
        ...
        """,
    ),
    promises=(_rounds(*ROUNDS), _window(10, 80)),
    variants={
        "after_idle": {
            "options": {"server": {"again": AGAIN}, "client": {"again": AGAIN}},
            "promises": (_rounds(*ROUNDS, *ROUNDS[:2]), _window(10, 80, 10, 40)),
        }
    },
    sources=("RFC 6928", "RFC 5681 section 3.1", "RFC 5681 section 4.1", "ip-sysctl"),
)
