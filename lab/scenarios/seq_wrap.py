"""Sequence numbers go around: after 2^32 - 1 comes 0, in the middle of a stream."""

from __future__ import annotations

import socket
import struct
from itertools import pairwise

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import MODULUS
from services import stage, waits

PORT = 12345
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = (
    19,
    20,
    21,
)  # linux/tcp.h; Python has no names for them
SEND_QUEUE, OFF_WITHOUT_PROBE = 2, -1
ISN = 2**32 - 21  # one number for the SYN, 20 for two sends: then they are used up
STREAM = b"0123456789abcdefghijKLMNOPQRST?!.,:;+-*/"
SIZE = 10  # octets a send


def server() -> None:
    """Read to the end of the stream."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(SIZE):
                pass


def client(server: str) -> None:
    """Connect with a chosen ISN; send four times, each time once the last octets are acknowledged."""
    with socket.socket() as connection:
        choose_isn(connection)
        connection.connect((server, PORT))
        for start in range(0, len(STREAM), SIZE):
            connection.send(STREAM[start : start + SIZE])
            waits.acknowledged(connection)


def choose_isn(connection: socket.socket) -> None:
    """Choose the number of the SYN, by what was made to move connections from host to host."""
    try:
        connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except OSError as error:  # EPERM: no NET_ADMIN; ENOPROTOOPT: a kernel without it
        stage.unavailable("TCP_REPAIR", error)
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
    connection.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, struct.pack("=I", ISN))
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, OFF_WITHOUT_PROBE)


def _data(evidence: Evidence) -> list[int]:
    """Rows of the segments with data."""
    rows = evidence.view.connections[0].rows
    return [row for row in rows.tolist() if evidence.view.capture.frames.payload_length[row]]


def _goes_around(numbers: list[int], first: int) -> bool:
    """Whether numbers go up by one send each, modulo 2^32, and somewhere fall below the last one."""
    expected = [(first + SIZE * i) % MODULUS for i in range(len(STREAM) // SIZE)]
    return numbers == expected and any(later < number for number, later in pairwise(numbers))


def _chosen(evidence: Evidence) -> Seen:
    connection = evidence.view.connections[0]
    words = Text("ISN {isn} = 2^32 - {rest}", "ISN {isn} = 2^32 - {rest}")
    isn = connection.isn[0] or 0
    told = words.fill(isn=isn, rest=MODULUS - isn)
    return Seen(isn == ISN, told, connection.handshake_frames[:1])


def _sent(evidence: Evidence) -> Seen:
    rows = _data(evidence)
    numbers = [int(evidence.view.capture.frames.sequence[row]) for row in rows]
    told = same(f"seq {', '.join(map(str, numbers))}")
    return Seen(_goes_around(numbers, ISN + 1), told, tuple(row + 1 for row in rows))


def _acknowledged(evidence: Evidence) -> Seen:
    """The segment that follows each of them acknowledges it."""
    rows = [row + 1 for row in _data(evidence)]
    numbers = [int(evidence.view.capture.frames.acknowledgment[row]) for row in rows]
    told = same(f"ack {', '.join(map(str, numbers))}")
    return Seen(_goes_around(numbers, ISN + 1 + SIZE), told, tuple(row + 1 for row in rows))


def _in_order(evidence: Evidence) -> Seen:
    read = b"".join(bytes.fromhex(call.data) for call in called(evidence, "server", "recv"))
    return Seen(read == STREAM, same(read.decode()))


SCENARIO = Scenario(
    id="seq_wrap",
    title=Text("Sequence numbers wrap around", "序列号回绕"),
    group="open_close",
    level=3,
    teaches=(
        Text(
            "Sequence numbers count octets modulo 2^32: after 4294967295 comes 0, and nobody notices. "
            "Relative numbers, as ladders show them, just go on",
            "序列号以模 2^32 计数：4294967295 之后是 0，连接不受任何影响。梯形图显示的相对序列号照常递增",
        ),
        Text(
            'So "less than" means: behind by less than half a turn. ack 0 acknowledges more than '
            "ack 4294967286",
            "因此“小于”的含义是：落后不到半圈。ack 0 比 ack 4294967286 确认得更多",
        ),
        Text(
            "2^32 octets are 4 GiB, 3.4 s at 10 Gbit/s: a late segment could pass for one of the next "
            "turn. Timestamps tell them apart (PAWS)",
            "2^32 字节即 4 GiB，以 10 Gbit/s 只需 3.4 秒：迟到的报文段可能被当成下一圈的。"
            "时间戳选项用来区分（PAWS）",
        ),
        Text(
            "A test need not send 4 GiB: TCP_REPAIR lets a program with NET_ADMIN choose the ISN",
            "测试回绕不必真的发送 4 GiB：拥有 NET_ADMIN 权限的程序可以用 TCP_REPAIR 指定 ISN",
        ),
    ),
    topology=Topology((Host("client", capabilities=("NET_ADMIN",)), Host("server"))),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0        ack 1
        C>S ACK      seq 1        ack 1
        C>S PSH,ACK  seq 1   +10  ack 1
        S>C ACK      seq 1        ack 11
        C>S PSH,ACK  seq 11  +10  ack 1
        S>C ACK      seq 1        ack 21
        C>S PSH,ACK  seq 21  +10  ack 1
        S>C ACK      seq 1        ack 31
        C>S PSH,ACK  seq 31  +10  ack 1
        S>C ACK      seq 1        ack 41
        C>S FIN,ACK  seq 41       ack 1
        ...
        """,
    ),
    promises=(
        Promise(
            "the_isn_is_chosen",
            Text("the client's ISN is the one it chose", "客户端的 ISN 正是它指定的值"),
            _chosen,
        ),
        Promise(
            "the_data_go_around",
            Text(
                "each send is 10 further on modulo 2^32, and the numbers pass 0",
                "每次发送的序列号按模 2^32 递增 10，并越过 0",
            ),
            _sent,
        ),
        Promise(
            "so_do_the_acks",
            Text(
                "each ACK is 10 further on modulo 2^32, and the numbers pass 0",
                "每个 ACK 的确认号按模 2^32 递增 10，并越过 0",
            ),
            _acknowledged,
        ),
        Promise(
            "nothing_gets_lost",
            Text("the server reads the stream whole and in order", "服务器完整、按序地读到数据流"),
            _in_order,
        ),
    ),
    sources=("RFC 9293 section 3.4", "RFC 7323 section 5", "linux/tcp.h TCP_REPAIR"),
)
