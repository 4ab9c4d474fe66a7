"""Framing: messages are marked in the stream, and found again however the stream is cut."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text
from services import stage

PORT = 12345
MESSAGES = (b"hi", b"", b"you")  # the second is empty: a message all the same
HEADER = 2  # octets of the length before a message, big-endian
FIXED = 4  # octets of each message where all are of one size
TYPING = 0.005  # seconds between two octets, as if typed: most are read before the next comes


def with_length(message: bytes) -> bytes:
    """Put its length before the message."""
    return len(message).to_bytes(HEADER) + message


def with_delimiter(message: bytes) -> bytes:
    """Put a newline behind the message, which must have none in it."""
    return message + b"\n"


def padded(message: bytes) -> bytes:
    """Fill the message up with zeros."""
    return message.ljust(FIXED, b"\0")


def by_length(connection: socket.socket) -> Iterator[bytes]:
    """Yield each message: its length first, then exactly so many octets."""
    while header := exactly(connection, HEADER):
        yield exactly(connection, int.from_bytes(header))


def by_delimiter(connection: socket.socket) -> Iterator[bytes]:
    """Yield each line; makefile() keeps for the next what recv() returned beyond a newline."""
    with connection.makefile("rb") as lines:
        for line in lines:
            yield line.removesuffix(b"\n")


def by_size(connection: socket.socket) -> Iterator[bytes]:
    """Yield so many octets at a time."""
    while message := exactly(connection, FIXED):
        yield message.rstrip(b"\0")


def exactly(connection: socket.socket, size: int) -> bytes:
    """Receive so many octets, in as many pieces as they come; fewer at the end of the stream."""
    received = b""
    while len(received) < size:
        piece = connection.recv(size - len(received))  # never into the next message
        if not piece:
            break
        received += piece
    return received


FRAMINGS = {
    "length": (with_length, by_length),
    "delimiter": (with_delimiter, by_delimiter),
    "fixed": (padded, by_size),
}


def server(*, framing: str = "length") -> None:
    """Send back each message as soon as it is whole, on one connection after the other."""
    frame, messages = FRAMINGS[framing]
    with socket.create_server(("", PORT)) as listener:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                for message in messages(connection):
                    connection.sendall(frame(message))


def client(server: str, *, framing: str = "length") -> None:
    """Send the same messages twice: all in one piece, then octet by octet."""
    frame, _ = FRAMINGS[framing]
    stream = b"".join(map(frame, MESSAGES))
    for size in (len(stream), 1):
        with socket.create_connection((server, PORT)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(stream), size):
                connection.sendall(stream[start : start + size])
                time.sleep(TYPING)
            finish(connection)


def finish(connection: socket.socket) -> None:
    """Say that no more will come, and read what does to its end."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(1024):
        pass


def hasty_server() -> None:
    """Take it that one recv() returns what was asked for."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            while header := connection.recv(HEADER):
                stage.say("read")
                message = connection.recv(int.from_bytes(header))
                connection.sendall(with_length(message))


def cutting_client(server: str) -> None:
    """Send the first octet of a length, and the rest when that has been read."""
    stream = b"".join(map(with_length, MESSAGES))
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(stream[:1])
        stage.wait("read")
        connection.sendall(stream[1:])
        finish(connection)


def _answers(evidence: Evidence) -> list[list[bytes]]:
    """What the server sent back, one frame a call, by connection."""
    found: dict[str, list[bytes]] = {}
    for call in called(evidence, "server", "sendall"):
        found.setdefault(str(call.peer), []).append(bytes.fromhex(call.data))
    return list(found.values())


def _segments_with_data(evidence: Evidence) -> list[tuple[int, ...]]:
    """Frames in which the client sent data, by connection."""
    lengths = evidence.view.capture.frames.payload_length
    return [
        tuple(row + 1 for row in one.rows[one.from_client].tolist() if lengths[row])
        for one in evidence.view.connections
    ]


def _shown(frames: list[bytes]) -> str:
    return " ".join(repr(one)[1:] for one in frames)


def _same_messages(frame: Callable[[bytes], bytes]) -> Promise:
    """Promise that the server found the same messages in both connections."""

    def check(evidence: Evidence) -> Seen:
        wanted, seen = [frame(one) for one in MESSAGES], _answers(evidence)
        sent = _segments_with_data(evidence)
        words = Text(
            "{messages}, from {counts} segments", "{messages}，分别来自 {counts} 个报文段"
        ).fill(
            messages=_shown(seen[0]) if seen else "-",
            counts=", ".join(str(len(frames)) for frames in sent),
        )
        return Seen(seen == [wanted] * 2, words, tuple(frames[0] for frames in sent))

    words = Text(
        "cut nowhere or behind every octet, the stream gives the server the same three messages",
        "无论整块发送还是逐字节发送，服务器都还原出同样的三条消息",
    )
    return Promise("same_messages", words, check)


def _cut_differently(evidence: Evidence) -> Seen:
    """The two connections carry the same octets in one segment, and in several."""
    sent = _segments_with_data(evidence)
    one, several = len(sent[0]), len(sent[1])
    octets = [connection.octets[0] for connection in evidence.view.connections]
    words = Text(
        "{octets} octets in {one} and in {several} segments",
        "{octets} 字节，分别装在 {one} 个和 {several} 个报文段里",
    )
    return Seen(
        one == 1 < several and octets[0] == octets[1],
        words.fill(octets=octets[0], one=one, several=several),
        tuple(row for frames in sent for row in frames),
    )


def _misread(evidence: Evidence) -> Seen:
    """Half a length is taken for a whole one, and from there on nothing is where it should be."""
    stream = b"".join(map(with_length, MESSAGES))
    garbled = [with_length(b""), with_length(stream[1 + HEADER :])]
    seen = _answers(evidence)
    told = Text("taken for messages: {seen}", "被当成消息：{seen}")
    frames = tuple(row for frames in _segments_with_data(evidence) for row in frames)
    return Seen(seen == [garbled], told.fill(seen=_shown(seen[0]) if seen else "-"), frames)


OPEN = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
"""
CLOSE = """
    ...
    C>S FIN,[PSH],ACK
    ...
    S>C FIN,[PSH],ACK
    C>S ACK
"""


def _scripts(size: int) -> tuple[str, ...]:
    """All octets in one segment, and the first of them in a segment of its own."""
    return tuple(f"{OPEN}\nC>S PSH,ACK  seq 1  +{first}\n{CLOSE}" for first in (size, 1))


CUT_DIFFERENTLY = Promise(
    "cut_differently",
    Text(
        "the same octets travel in one segment, then in several",
        "同样的字节先装在一个报文段里，再分成多个",
    ),
    _cut_differently,
)

SCENARIO = Scenario(
    id="framing_protocols",
    title=Text("Framing", "消息定界"),
    group="stream",
    level=2,
    teaches=(
        Text(
            "A stream has no messages. The sender marks where each ends, and the receiver reads until it "
            "has all of one, with as many recv() as that takes",
            "字节流里没有消息：发送方要标明每条消息到哪里结束，接收方要循环 recv()，直到收齐一条",
        ),
        Text(
            "A length before the message allows any octets in it, even none; never believe a length "
            "beyond what you can hold",
            "在消息前写明长度，内容可以是任意字节，也可以为空；但超出承受能力的长度不可轻信",
        ),
        Text(
            "A delimiter is easy to read and to type, but must not occur in a message, or be escaped",
            "分隔符便于阅读和手工输入，但消息里不能出现它，否则必须转义",
        ),
        Text(
            "A fixed size needs no mark at all; short messages are filled up",
            "固定长度不需要任何标记，较短的消息要填充",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=_scripts(len(b"".join(map(with_length, MESSAGES)))),
    promises=(CUT_DIFFERENTLY, _same_messages(with_length)),
    variants={
        "delimiter": {
            "title": Text("Framing by a delimiter", "用分隔符定界"),
            "options": {host: {"framing": "delimiter"} for host in ("client", "server")},
            "scripts": _scripts(len(b"".join(map(with_delimiter, MESSAGES)))),
            "promises": (CUT_DIFFERENTLY, _same_messages(with_delimiter)),
        },
        "fixed": {
            "title": Text("Messages of one size", "固定长度的消息"),
            "options": {host: {"framing": "fixed"} for host in ("client", "server")},
            "scripts": _scripts(FIXED * len(MESSAGES)),
            "promises": (CUT_DIFFERENTLY, _same_messages(padded)),
        },
        "hasty": {
            "title": Text("Half a length, taken for a whole", "把半个长度字段当成完整的"),
            "teaches": (
                Text(
                    "recv(2) may return one octet: without a loop half a length is taken for a whole",
                    "recv(2) 可能只返回一个字节：不循环读取，半个长度字段就会被当成完整的",
                ),
                Text(
                    "After that nothing is where it should be, and no error says so. In a test on one "
                    "machine, where all arrives at once, the fault stays hidden",
                    "此后一切错位，却没有任何报错；在单机测试中数据总是一次到齐，这个错误不会暴露",
                ),
            ),
            "roles": {"server": hasty_server, "client": cutting_client},
            "scripts": (f"{OPEN}\nC>S PSH,ACK  seq 1  +1\n...\nC>S PSH,ACK  seq 2  +10\n{CLOSE}",),
            "promises": (
                Promise(
                    "misread",
                    Text(
                        "the server takes the same octets for other messages",
                        "同样的字节，服务器却理解成别的消息",
                    ),
                    _misread,
                ),
            ),
        },
    },
    sources=(
        "RFC 9293 section 2.2",
        "recv(2)",
        "Stevens, Fenner, Rudoff: UNIX Network Programming, volume 1, 3rd edition, section 3.9",
    ),
)
