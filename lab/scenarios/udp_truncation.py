"""A datagram larger than the buffer: what does not fit is gone."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text
from services import stage

PORT = 12345
SMALL = 4  # octets of the receiver's buffer
LONG, SHORT, EMPTY = b"0123456789", b"next", b""
SENT = (LONG, SHORT, LONG, LONG, EMPTY)
READ = ("recvfrom", "recvfrom", "recvmsg", "recv_into", "recvfrom")  # one call a datagram
SAYS = ("4", "4", "4 MSG_TRUNC", "10", "0")  # what each of them returns


def server() -> None:
    """Receive one datagram after another into a buffer of four octets, in every way there is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("", PORT))
        receiver.recvfrom(SMALL)  # 4 octets: no error, and the other 6 are gone
        stage.say("read_0")
        receiver.recvfrom(SMALL)  # the next datagram, not the rest of the first
        stage.say("read_1")
        receiver.recvmsg(SMALL)  # its flags say MSG_TRUNC
        stage.say("read_2")
        receiver.recv_into(bytearray(SMALL), 0, socket.MSG_TRUNC)  # how long it really was
        stage.say("read_3")
        receiver.recvfrom(SMALL)  # b"" is a datagram, not an end of file
        stage.say("read_4")


def client(server: str) -> None:
    """Send datagrams, each once the one before was read, so that none overtakes another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number, data in enumerate(SENT):
            sender.sendto(data, (server, PORT))
            stage.wait(f"read_{number}")


def _whole_on_the_wire(evidence: Evidence) -> Seen:
    """Every datagram arrives with all its octets: truncation is the receiving call's doing."""
    lengths = evidence.views[1].capture.frames.payload_length
    rows = [int(row) for one in evidence.views[1].exchanges for row in one.rows]
    seen = [int(lengths[row]) for row in rows]
    told = Text("arrived: {seen} octets", "到达：{seen} 字节").fill(seen=", ".join(map(str, seen)))
    return Seen(seen == [len(data) for data in SENT], told)


def _cut_short(evidence: Evidence) -> Seen:
    """What each call returned, and that the rest of one datagram never follows."""
    calls = [call for call in evidence.calls["server"] if call.function.startswith("recv")]
    said = tuple(_said(call.octets, call.result) for call in calls)
    data = [bytes.fromhex(call.data)[:SMALL] for call in calls]
    kept = (
        tuple(call.function for call in calls) == READ
        and said == SAYS
        and data == [one[:SMALL] for one in SENT]
        and not any(call.error for call in calls)
    )
    told = ", ".join(f"{call.function}: {one}" for call, one in zip(calls, said, strict=True))
    return Seen(kept, Text(told, told.replace(", ", "，")))


def _said(octets: int | None, result: object) -> str:
    """A result in short: the octets, and MSG_TRUNC where a recvmsg's flags have it."""
    flags = result[2] if isinstance(result, list) and len(result) == 4 else 0
    return f"{octets} MSG_TRUNC" if flags == socket.MSG_TRUNC else str(octets)


SCENARIO = Scenario(
    id="udp_truncation",
    title=Text("A datagram larger than the buffer", "数据报截断"),
    group="udp",
    core=True,
    teaches=(
        Text(
            "One call takes one datagram; what does not fit into the buffer is thrown away",
            "一次调用取走一个数据报；缓冲区放不下的部分会被丢弃",
        ),
        Text(
            "It is no error: only recvmsg() tells, by MSG_TRUNC in the flags it returns",
            "这不算错误：只有 recvmsg() 会在返回的标志中以 MSG_TRUNC 说明",
        ),
        Text(
            "Asked with MSG_TRUNC, recv() returns the datagram's real length",
            "调用 recv() 时带上 MSG_TRUNC，返回的便是数据报的真实长度",
        ),
        Text(
            "An empty datagram is a datagram: over UDP, 0 octets are not the end of anything",
            "空数据报也是数据报：在 UDP 中，收到 0 字节并不意味着结束",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/udp",)},
    promises=(
        Promise(
            "whole_on_the_wire",
            Text("every datagram arrives whole", "每个数据报都完整到达"),
            _whole_on_the_wire,
        ),
        Promise(
            "rest_is_thrown_away",
            Text(
                "with four octets of buffer each call returns the start of the next datagram",
                "缓冲区只有四字节时，每次调用返回的都是下一个数据报的开头",
            ),
            _cut_short,
        ),
    ),
    sources=("recv(2) MSG_TRUNC", "udp(7)"),
)
