"""The network delivers a segment twice: the receiver says so, the application never knows."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.units import SequenceNumber
from lab.wire.rules import data, duplicate

PORT = 12345
SEGMENT = 1448  # octets: an MSS of 1460 less 12 for the timestamps
SIZE = 10 * SEGMENT
DOUBLED = (1 + 2 * SEGMENT, 1 + 3 * SEGMENT)  # the third segment: relative numbers


def server() -> None:
    """Read everything, close."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(SIZE, socket.MSG_WAITALL)


def client(server: str) -> None:
    """Send ten segments, wait for the end."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(bytes(SIZE))
        connection.recv(1024)  # b""


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
                return Seen(
                    (left, right) == DOUBLED, same(f"SACK {left}:{right}, ack {ack}"), (row + 1,)
                )
    return Seen(False, Text("no DSACK", "没有 DSACK"))


def _once(evidence: Evidence) -> Seen:
    octets = sum(call.octets or 0 for call in evidence.calls["server"] if call.function == "recv")
    return Seen(octets == SIZE, Text("{n} octets read", "读到 {n} 字节").fill(n=octets))


SCENARIO = Scenario(
    id="duplicate_segment",
    title=Text("Duplicated segment", "重复报文"),
    group="loss",
    level=2,
    teaches=(
        Text(
            "IP may deliver a packet twice; TCP discards the copy by its sequence number",
            "IP 可能把一个报文送达两次；TCP 根据序号丢弃多余的一份",
        ),
        Text(
            "The receiver reports it: a SACK block below the ACK number, called DSACK, names the octets",
            "接收方会报告此事：位于 ACK 号之下的 SACK 块称为 DSACK，指明重复的字节",
        ),
        Text("The application reads each octet once", "应用程序对每个字节只读到一次"),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(duplicate(data("client"), nth=3),),
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK      seq 1      ack 1
        ...
        S>C FIN,ACK  seq 1      ack 14481
        S>C ACK      seq 2      ack 14481  optional
        C>S ACK      seq 14481  ack 2  optional
        C>S FIN,ACK  seq 14481  ack 2
        S>C ACK      seq 2      ack 14481  optional
        S>C ACK                 ack 14482
        """,
    ),
    promises=(
        Promise(
            "dsack_names_the_copy",
            Text("a DSACK names the third segment", "DSACK 指明第三个报文段"),
            _dsack,
        ),
        Promise(
            "delivered_once",
            Text("the application reads each octet once", "应用程序对每个字节只读到一次"),
            _once,
        ),
    ),
    sources=("RFC 2883 section 4", "RFC 9293 section 3.10.7.4"),
)
