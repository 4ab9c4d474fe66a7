"""A receiver that does not read: the window closes, the sender probes, reading opens it again."""

from __future__ import annotations

import socket
import time
from itertools import pairwise

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.units import short_span

PORT = 12345
SIZE = 6000  # octets: more than a receive buffer of 2048 takes


def server(*, idle: float = 1.8) -> None:
    """Take a connection with a small buffer, read nothing for a while, then everything."""
    with socket.create_server(("", PORT)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # before the SYN comes
        connection, _ = listener.accept()
        with connection:
            time.sleep(idle)
            connection.recv(SIZE, socket.MSG_WAITALL)


def client(server: str) -> None:
    """Send everything at once, wait for the end."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(bytes(SIZE))
        connection.recv(1024)  # b""


def _closed_span(evidence: Evidence) -> tuple[list[int], list[int]]:
    """Rows of both ends from the first zero window until the first other one: client's, server's."""
    connection = evidence.view.connections[0]
    windows = evidence.view.capture.frames.window
    ends: tuple[list[int], list[int]] = ([], [])
    for row, from_client in zip(
        connection.rows.tolist(), connection.from_client.tolist(), strict=True
    ):
        if not from_client and ends[1] and windows[row]:
            break
        if ends[1] or (not from_client and not windows[row]):
            ends[not from_client].append(row)
    return ends


def _no_data_while_closed(evidence: Evidence) -> Seen:
    sent, announced = _closed_span(evidence)
    octets = int(evidence.view.capture.frames.payload_length[sent].sum())
    words = Text(
        "{n} segment[|s] with window 0, then {octets} octets of data until it opens",
        "{n} 个报文段通告窗口为 0，到窗口重新打开之前发送了 {octets} 字节数据",
    )
    frames = tuple(row + 1 for row in announced)
    return Seen(bool(frames) and not octets, words.fill(n=len(frames), octets=octets), frames)


def _probes_grow_rarer(evidence: Evidence) -> Seen:
    """Each wait is about twice the one before; the first counts from the window that closed."""
    sent, announced = _closed_span(evidence)
    times = evidence.view.capture.frames.time[announced[:1] + sent].tolist()
    waits = [later - earlier for earlier, later in pairwise(times)]
    kept = len(waits) >= 2 and all(
        1.4 < later / earlier < 2.8 for earlier, later in pairwise(waits)
    )
    return Seen(kept, same(", ".join(map(short_span, waits))), tuple(row + 1 for row in sent))


def _everything_arrives(evidence: Evidence) -> Seen:
    octets = sum(call.octets or 0 for call in evidence.calls["server"] if call.function == "recv")
    return Seen(octets == SIZE, Text("{n} octets read", "读到 {n} 字节").fill(n=octets))


SCENARIO = Scenario(
    id="zero_window",
    title=Text("Zero window and probes", "零窗口与探测"),
    group="flow",
    core=True,
    teaches=(
        Text(
            "A program that does not read fills its receive buffer, and its kernel announces "
            "window 0: send no more",
            "程序不读取，接收缓冲区就会填满，内核随即通告窗口为 0：请勿再发",
        ),
        Text(
            "The sender probes at growing intervals, for the segment that reopens the window may be lost."
            " A probe of Linux is empty, its number already acknowledged: Wireshark's keep-alive",
            "重新打开窗口的报文段可能丢失，因此发送方以越来越长的间隔探测；"
            "Linux 的探测报文不带数据，使用已被确认过的序号，因此 Wireshark 称之为 keep-alive",
        ),
        Text(
            "Reading makes room, and the kernel says so at once: a window update",
            "程序一读取，缓冲区便腾出空间，内核立即告知对方：窗口更新",
        ),
        Text(
            "This is flow control: it spares the receiver. Congestion control spares the network",
            "这是流量控制，保护的是接收方；拥塞控制保护的是网络",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK      seq 1     ack 1
        ...
        S>C FIN,ACK  seq 1     ack 6001
        C>S ACK      seq 6001  ack 2  optional
        C>S FIN,ACK  seq 6001  ack 2
        S>C ACK      seq 2     ack 6002
        """,
    ),
    promises=(
        Promise(
            "no_data_while_closed",
            Text("no data while the window is 0", "窗口为 0 期间不发送数据"),
            _no_data_while_closed,
        ),
        Promise(
            "probes_grow_rarer",
            Text("each probe waits twice as long as the last", "每次探测前的等待时间逐次加倍"),
            _probes_grow_rarer,
        ),
        Promise(
            "everything_arrives",
            Text("nothing is lost: the server reads everything", "没有丢失：服务器读到全部数据"),
            _everything_arrives,
        ),
    ),
    sources=("RFC 9293 section 3.8.6.1", "RFC 6429"),
)
