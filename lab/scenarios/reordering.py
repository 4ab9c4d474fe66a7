"""A segment is late, not lost: duplicate ACKs have it repeated in vain, and a DSACK says so."""

from __future__ import annotations

import socket
import time

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.units import SequenceNumber
from lab.wire.rules import data, delay, packets, reorder

PORT = 12345
READY = b"ready"
SEGMENT = 1448  # octets: an MSS of 1460 less 12 for the timestamps
SIZE = 10 * SEGMENT  # the initial window: all ten leave at once
LATE = (1 + 2 * SEGMENT, 1 + 3 * SEGMENT)  # the third segment: relative numbers


def server() -> None:
    """Say when ready, then sleep until all ten segments are there; read to the end."""
    with socket.create_server(("", PORT)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, SIZE)
        connection, _ = listener.accept()
        with connection:
            connection.sendall(READY)
            while connection.recv(SIZE):
                pass


def client(server: str) -> None:
    """Send ten segments at once; close when everything has long been acknowledged."""
    with socket.create_connection((server, PORT)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        connection.recv(1024)
        connection.sendall(bytes(SIZE))
        time.sleep(0.4)  # four round trips


def _dsack(evidence: Evidence) -> Seen:
    """A first SACK block below the ACK number reports a duplicate (RFC 2883 section 4)."""
    connection = evidence.view.connections[0]
    isn = SequenceNumber(connection.isn[0] or 0)
    for row in connection.rows[~connection.from_client].tolist():
        tcp = frame(evidence.view.capture, row).tcp
        if tcp and tcp.options.sack:
            left, right = (SequenceNumber(edge) - isn for edge in tcp.options.sack[0])
            ack = SequenceNumber(tcp.acknowledgment) - isn
            if right <= ack:
                words = same(f"SACK {left}:{right}, ack {ack}")
                return Seen((left, right) == LATE, words, (row + 1,))
    return Seen(False, Text("no DSACK", "没有 DSACK"))


SCENARIO = Scenario(
    id="reordering",
    title=Text("Reordered segments", "乱序"),
    group="loss",
    level=3,
    teaches=(
        Text(
            "Duplicate ACKs do not prove a loss: a segment that is overtaken causes them as well",
            "重复 ACK 并不能证明丢包：报文段被后面的超过，同样会引起重复 ACK",
        ),
        Text(
            "The sender cannot tell the difference, and repeats it: a spurious retransmission",
            "发送方分辨不出，于是重传：这是一次不必要的重传（spurious retransmission）",
        ),
        Text(
            "The receiver then has it twice, and says so by DSACK: a SACK block below the ACK number",
            "接收方因此收到两份，并以 DSACK 告知：位于 ACK 号之下的 SACK 块",
        ),
        Text(
            "Linux notices even sooner: the ACK echoes a timestamp older than the repetition, and the "
            "reduction of the congestion window is taken back",
            "Linux 发现得更早：ACK 回显的时间戳早于重传的时刻，对拥塞窗口的缩减随即撤销",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(reorder(data("client"), nth=3, behind=5), delay(packets(), ms=50)),
    scripts=(
        """
        ...
        C>S ACK      seq 2897  +1448
        ...
        S>C ACK      ack 2897
        S>C ACK      ack 2897
        S>C ACK      ack 2897  optional
        S>C ACK      ack 2897  optional
        C>S ACK      seq 2897  +1448  after 0..20 ms
        ...
        S>C ACK      ack 14481
        S>C ACK      ack 14481
        C>S FIN,ACK  seq 14481
        ...
        """,
    ),
    promises=(
        Promise(
            "dsack_names_the_copy",
            Text("a DSACK names the third segment", "DSACK 指明第三个报文段"),
            _dsack,
        ),
    ),
    sources=("RFC 2883 section 4", "RFC 3522", "RFC 8985"),
)
