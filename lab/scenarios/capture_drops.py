"""A capture that lost frames: its buffer was full, and only its counters tell."""

from __future__ import annotations

import socket
import struct

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text
from lab.topology import Host, Topology

PORT = 12345
SIZE = 20_000  # octets
TINY, ROOMY = 4096, 4 << 20  # octets of the capture's buffer
EVERYTHING = 0x0003  # ETH_P_ALL
SHOWN = 64  # octets of each frame that the call log has
SOL_PACKET, PACKET_STATISTICS = 263, 6  # linux/if_packet.h


def server(*, buffer: int = TINY) -> None:
    """Take the data while a capture of this host's own fills up unread; then see what it has."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sniffer:
        sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sniffer.bind(("eth0", EVERYTHING))  # from here on it receives what passes eth0
        take()
        read_all(sniffer)
        counters = sniffer.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        print("{} frames passed, {} dropped".format(*struct.unpack("II", counters)), flush=True)


def take() -> None:
    """Read everything, close first: when the client's end has come, its last frame has passed."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(SIZE, socket.MSG_WAITALL)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1024)  # b""


def read_all(sniffer: socket.socket) -> None:
    """Read the frames that the buffer holds, one a call, until there is none."""
    sniffer.setblocking(False)
    try:
        while True:
            sniffer.recv(65535)
    except BlockingIOError:
        pass


def client(server: str) -> None:
    """Send it all at once."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(bytes(SIZE))
        connection.recv(1024)  # b""


def _kept(evidence: Evidence) -> list[bytes]:
    """The beginning of each frame that the program's own capture had kept."""
    calls = called(evidence, "server", "recv")
    return [bytes.fromhex(call.data) for call in calls if call.kind != "tcp" and not call.error]


def _counters(evidence: Evidence) -> tuple[int, int]:
    """Frames that passed, and those that its kernel dropped: PACKET_STATISTICS, as the call told."""
    (call,) = called(evidence, "server", "getsockopt")
    passed, dropped = struct.unpack("II", bytes.fromhex(str(call.result)))
    return passed, dropped


def _recorded(evidence: Evidence) -> dict[int, bytes]:
    """What passed the server's port while that capture was open: the frames of the client's capture
    by their numbers, each as far as the call log has the other's.
    """
    assert evidence.match
    begin = next(call for call in called(evidence, "server", "bind") if call.kind != "tcp").before
    end = called(evidence, "server", "getsockopt")[0].after
    frames = evidence.view.capture.frames
    rows = [row for row in evidence.match.first.tolist() if begin < frames.time[row] < end]
    return {row + 1: frame(evidence.view.capture, row).octets[:SHOWN] for row in rows}


def _data(start: bytes) -> int:
    """The octets of data in a frame that begins so: TCP over IPv4 over Ethernet; 0 if it is not."""
    if start[12:14] != b"\x08\x00" or start[23] != socket.IPPROTO_TCP:
        return 0
    ip_header, tcp_header = (start[14] & 0x0F) * 4, (start[46] >> 4) * 4
    return int.from_bytes(start[16:18]) - ip_header - tcp_header


def _holes(evidence: Evidence) -> tuple[int, bool, Text, tuple[int, ...]]:
    """How many frames it dropped, whether those are the ones it lacks, in words, their numbers."""
    passed, dropped = _counters(evidence)
    kept, recorded = _kept(evidence), _recorded(evidence)
    lacking = tuple(number for number, start in recorded.items() if start not in kept)
    words = Text(
        "{passed} passed: {kept} kept, {dropped} dropped; the lab recorded {recorded}",
        "经过 {passed} 帧：留下 {kept}，丢弃 {dropped}；实验室录到 {recorded} 帧",
    )
    told = words.fill(passed=passed, kept=len(kept), dropped=dropped, recorded=len(recorded))
    explained = len(lacking) == dropped and passed == len(recorded) == len(kept) + dropped
    return dropped, explained, told, lacking


def _all_counted(evidence: Evidence) -> Seen:
    dropped, explained, told, lacking = _holes(evidence)
    return Seen(dropped > 0 and explained, told, lacking)


def _none_dropped(evidence: Evidence) -> Seen:
    dropped, explained, told, _ = _holes(evidence)
    return Seen(not dropped and explained, told)


def _all_arrived(evidence: Evidence) -> Seen:
    """Nothing was lost but in that capture: all was read, and nothing was sent twice."""
    kept = sum(map(_data, _kept(evidence)))
    read = sum(
        call.octets or 0 for call in called(evidence, "server", "recv") if call.kind == "tcp"
    )
    repeated = evidence.view.connections[0].flag_counts().get("retransmission", 0)
    words = Text(
        "of {size} octets the capture has {kept}, the program {read}",
        "{size} 字节中，抓包留下 {kept}，程序读到 {read}",
    )
    told = words.fill(size=f"{SIZE:,}", kept=f"{kept:,}", read=f"{read:,}")
    return Seen(kept < SIZE == read and not repeated, told)


SCENARIO = Scenario(
    id="capture_drops",
    title=Text("A capture that lost frames", "抓包自身丢帧"),
    group="observability",
    level=3,
    teaches=(
        Text(
            "A capture has a buffer, and a kernel that finds it full goes on without it. The frame "
            "arrives, the program gets its data, and the capture has a hole",
            "抓包有自己的缓冲区，一旦填满，内核不会等待：帧照常到达，程序照常拿到数据，抓包里却缺了一块",
        ),
        Text(
            "A hole in a capture whose octets were acknowledged is the capture's fault: "
            "a receiver does not acknowledge what it did not get",
            "抓包里缺失、却已被确认的数据，一定是抓包的问题：接收方不会确认没有收到的内容",
        ),
        Text(
            "The kernel counts what it could not keep (PACKET_STATISTICS; tcpdump: dropped by kernel): "
            "a capture without its counters is half the evidence",
            "没能留下的帧，内核都有计数（PACKET_STATISTICS；tcpdump 显示为 dropped by kernel）："
            "没有计数器的抓包只能算一半证据",
        ),
        Text(
            "The cure: a larger buffer, a program that reads fast enough, fewer octets of each frame",
            "对策：加大缓冲区，让程序读得够快，或每帧少抓一些字节",
        ),
    ),
    topology=Topology((Host("client"), Host("server", capabilities=("NET_RAW",)))),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        f"""
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        ...
        S>C FIN,ACK  seq 1           ack {SIZE + 1}
        ...
        C>S FIN,ACK  seq {SIZE + 1}  ack 2
        S>C ACK      seq 2           ack {SIZE + 2}
        """,
    ),
    promises=(
        Promise(
            "dropped",
            Text(
                "each frame that the program's capture lacks was counted as dropped",
                "程序自己的抓包缺少的每一帧，都计入了丢弃数",
            ),
            _all_counted,
        ),
        Promise(
            "arrived",
            Text(
                "data that is not in it arrived all the same, without being sent again",
                "抓包里没有的数据照样到达，并未重发",
            ),
            _all_arrived,
        ),
    ),
    variants={
        "roomy": {
            "options": {"server": {"buffer": ROOMY}},
            "promises": (
                Promise(
                    "all_kept",
                    Text("a larger buffer keeps every frame", "缓冲区加大后，每一帧都留下"),
                    _none_dropped,
                ),
            ),
        }
    },
    sources=("packet(7) PACKET_STATISTICS", "socket(7) SO_RCVBUF", "tcpdump(8)"),
)
