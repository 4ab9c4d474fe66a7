"""One of ten segments is lost: three duplicate ACKs tell of it, long before the timer would."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import SequenceNumber
from lab.wire.rules import data, delay, drop, packets

PORT = 12345
READY = b"ready"
SEGMENT = 1448  # octets: an MSS of 1460 less 12 for the timestamps
SIZE = 10 * SEGMENT  # the initial window: all ten leave at once


def server() -> None:
    """Say when ready, then sleep until all ten segments are there."""
    with socket.create_server(("", PORT)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, SIZE)
        connection, _ = listener.accept()
        with connection:
            connection.sendall(READY)
            connection.recv(SIZE)


def client(server: str) -> None:
    """Send ten segments at once, read to the end."""
    with socket.create_connection((server, PORT)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        connection.recv(1024)
        connection.sendall(bytes(SIZE))
        connection.recv(1024)  # b""


def _blocks(evidence: Evidence) -> Iterator[tuple[int, int, int]]:
    """The first SACK block of each segment that has one: number of the frame, relative edges."""
    connection = evidence.view.connections[0]
    isn = SequenceNumber(connection.isn[0] or 0)
    for row in connection.rows[~connection.from_client].tolist():
        tcp = frame(evidence.view.capture, row).tcp
        if tcp and tcp.options.sack:
            left, right = tcp.options.sack[0]
            yield row + 1, SequenceNumber(left) - isn, SequenceNumber(right) - isn


def _all_behind_the_gap(evidence: Evidence) -> Seen:
    found = list(_blocks(evidence))
    rights = [right for _, _, right in found]
    starts = {left for _, left, _ in found}
    kept = starts == {1 + 3 * SEGMENT} and rights == sorted(rights) and rights[-1] == 1 + SIZE
    words = same(", ".join(f"{left}:{right}" for _, left, right in found))
    return Seen(kept, words, tuple(number for number, _, _ in found))


def _no_sack(evidence: Evidence) -> Seen:
    found = tuple(number for number, _, _ in _blocks(evidence))
    return Seen(
        not found, Text("{n} segment[|s] with SACK", "{n} 个报文段带 SACK").fill(n=len(found))
    )


SCENARIO = Scenario(
    id="fast_retransmit",
    title=Text("Three duplicate ACKs", "快速重传与 SACK"),
    group="loss",
    level=2,
    core=True,
    teaches=(
        Text(
            "A receiver answers each segment behind a gap at once, with the same ACK number. The third "
            "duplicate makes the sender repeat what is missing, without waiting for the timer",
            "缺口之后每到一个报文段，接收方都立即以同一 ACK 号应答；"
            "第三个重复 ACK 使发送方立刻重传缺失的部分，不必等定时器超时",
        ),
        Text(
            "The ACK number says only where the gap begins; the SACK block says what lies behind it",
            "ACK 号只说明缺口从哪里开始；SACK 块则说明缺口之后已经收到了什么",
        ),
        Text(
            "Once the gap is filled, a single ACK jumps over everything that was waiting behind it",
            "缺口补上之后，一个 ACK 便跨过其后等待的全部数据",
        ),
        Text(
            "Without delay the picture blurs: the duplicates come in one burst, and a loss probe "
            "(TLP) may be quicker",
            "没有时延时，过程就看不清了：重复 ACK 挤在一起到达，尾部丢失探测（TLP）也可能抢先",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(data("client"), nth=3), delay(packets(), ms=50)),
    scripts=(
        """
        ...
        C>S ACK  seq 2897  +1448  lost
        ...
        S>C ACK  ack 2897
        S>C ACK  ack 2897
        S>C ACK  ack 2897
        S>C ACK  ack 2897
        C>S ACK  seq 2897  +1448  after 0..20 ms
        ...
        S>C ACK  ack 14481
        ...
        """,
    ),
    promises=(
        Promise(
            "sack_names_what_arrived",
            Text(
                "the SACK block begins behind the gap and grows to the end",
                "SACK 块从缺口之后开始，一直增长到末尾",
            ),
            _all_behind_the_gap,
        ),
    ),
    variants={
        "fast_path": {
            "rules": (drop(data("client"), nth=3),),
            "scripts": (
                """
                ...
                C>S ACK  seq 2897  +1448  lost
                ...
                C>S [PSH],ACK  seq 2897  +1448
                ...
                S>C FIN,ACK  ack 14481
                ...
                """,
            ),
            "promises": (),  # what repairs it, and in what order, is a matter of microseconds
        },
        "no_sack": {
            "topology": Topology(
                (Host("client", sysctls={"net.ipv4.tcp_sack": "0"}), Host("server"))
            ),
            "promises": (
                Promise("no_sack", Text("no ACK carries SACK", "没有 ACK 携带 SACK"), _no_sack),
            ),
        },
    },
    sources=("RFC 5681 section 3.2", "RFC 2018", "RFC 6675", "RFC 8985"),
)
