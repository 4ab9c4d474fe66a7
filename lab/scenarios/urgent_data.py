"""Urgent data: TCP marks a place in the stream, the sockets interface makes one octet of it."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.packets.frames import Flags
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text, same
from services import stage, waits

PORT = 12345
BEFORE, URGENT, AFTER = b"abc", b"XY!", b"def"


def server(*, inline: bool = False) -> None:
    """Read once everything is here: up to the mark, the urgent octet, what follows."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, inline)
            stage.say("accepted")
            stage.wait("acknowledged")
            connection.recv(1024)  # stops at the mark, whatever lies behind it
            try:
                connection.recv(1, socket.MSG_OOB)
            except OSError as error:
                print(error, flush=True)
            connection.recv(1024)
            connection.recv(1024)  # b""


def client(server: str) -> None:
    """Send three times, the second time with MSG_OOB."""
    with socket.create_connection((server, PORT)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a segment a call
        stage.wait("accepted")
        connection.send(BEFORE)
        connection.send(URGENT, socket.MSG_OOB)
        connection.send(AFTER)
        waits.acknowledged(connection)
        stage.say("acknowledged")


def _pointer(evidence: Evidence) -> Seen:
    """Of the segments with data only the second has URG; it points behind the last octet of it."""
    view = evidence.view
    sent = [frame(view.capture, row) for row in view.connections[0].rows.tolist()]
    data = [one.number for one in sent if one.payload_length]
    urgent = [one for one in sent if one.tcp and one.tcp.flags & Flags.URG]
    pointers = [one.tcp.urgent for one in urgent if one.tcp]
    words = Text("urgent pointer {pointers}", "紧急指针 {pointers}")
    marked = tuple(one.number for one in urgent)
    kept = len(data) == 3 and list(marked) == data[1:2] and pointers == [len(URGENT)]
    return Seen(kept, words.fill(pointers=", ".join(map(str, pointers))), marked)


def _reads(*expected: str) -> Promise:
    """Promise what recv(), recv(MSG_OOB) and recv() give: text, or an error."""

    def check(evidence: Evidence) -> Seen:
        calls = called(evidence, "server", "recv")[:3]
        seen = [call.error or bytes.fromhex(call.data).decode() for call in calls]
        return Seen(seen == list(expected), same(", ".join(seen)))

    words = Text(
        "recv() returns {0}, recv(MSG_OOB) {1}, the next recv() {2}",
        "recv() 返回 {0}，recv(MSG_OOB) 返回 {1}，再次 recv() 返回 {2}",
    )
    return Promise("reads", Text(words.en.format(*expected), words.zh.format(*expected)), check)


POINTER = Promise(
    "one_pointer",
    Text(
        "one segment has URG, and its urgent pointer leads just behind its last octet",
        "只有一个报文段带 URG，其紧急指针指向自己最后一个字节之后",
    ),
    _pointer,
)

SCENARIO = Scenario(
    id="urgent_data",
    title=Text("Urgent data", "紧急数据"),
    level=3,
    teaches=(
        Text(
            "URG and the urgent pointer mark a place in the stream; the data stay where they are, "
            "nothing overtakes anything",
            "URG 与紧急指针只是在字节流中标记一个位置；数据仍在原处，并不会超前送达",
        ),
        Text(
            "The sockets interface takes the octet before the mark out of the stream. Of XY! with MSG_OOB"
            " only the ! is urgent, and a plain recv() never returns it",
            "套接字接口把标记之前的那个字节从流中取出：用 MSG_OOB 发送 XY!，只有 ! 是紧急的，"
            "普通的 recv() 不会返回它",
        ),
        Text(
            "recv() stops at the mark, so that a program can tell what came before and what after",
            "recv() 读到标记处就停下，程序因此能区分标记前后的数据",
        ),
        Text(
            "With SO_OOBINLINE the octet stays in the stream, as RFC 6093 wants it, and MSG_OOB "
            "fails with EINVAL (variant inline)",
            "设置 SO_OOBINLINE 后，该字节留在流中，这正是 RFC 6093 的要求，此时 MSG_OOB 以 EINVAL 失败"
            "（变体 inline）",
        ),
        Text(
            "There is room for one such octet, middleboxes clear URG, systems differ: new programs "
            "must not use it",
            "这样的字节只容得下一个，中间设备会清除 URG，各系统的实现又不一致：新程序不应使用",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK      seq 1   +3  ack 1
        S>C ACK                      ack 4   optional
        C>S PSH,URG,ACK  seq 4   +3  ack 1
        S>C ACK                      ack 7   optional
        C>S PSH,ACK      seq 7   +3  ack 1
        S>C ACK                      ack 10
        C>S FIN,ACK      seq 10      ack 1
        S>C ACK          seq 1       ack 11  optional
        S>C FIN,ACK      seq 1       ack 11
        C>S ACK          seq 11      ack 2
        """,
    ),
    promises=(POINTER, _reads("abcXY", "!", "def")),
    variants={
        "inline": {
            "options": {"server": {"inline": True}},
            "promises": (POINTER, _reads("abcXY", "EINVAL", "!def")),
        }
    },
    sources=(
        "RFC 9293 section 3.8.5",
        "RFC 6093",
        "tcp(7) Sockets API",
        "Stevens, UNP volume 1, chapter 24",
    ),
)
