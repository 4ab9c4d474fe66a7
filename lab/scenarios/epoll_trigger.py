"""Level and edge trigger: whether epoll reports that data is left, or only that data has come."""

from __future__ import annotations

import select
import socket

from lab.evidence.calls import Call
from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, outcome
from lab.text import Text
from lab.units import short_span
from services import stage, waits

PORT = 12345
FIRST, SECOND = b"abcdef", b"gh"
SIZE = 2  # octets read at each wake-up
QUIET = 0.1  # seconds without a report


def server(*, edge: bool = False, drain: bool = False) -> None:
    """Read two octets at each wake-up, or all there is; look what is left once epoll is silent."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
    with connection, select.epoll() as epoll:
        connection.setblocking(False)
        epoll.register(connection, select.EPOLLIN | (select.EPOLLET if edge else 0))
        stage.say("registered")
        for word in ("first", "second"):
            stage.wait(f"{word}_is_there")
            while epoll.poll(QUIET):
                read(connection, drain=drain)
            look(connection)
            stage.say(f"{word}_is_over")
        epoll.poll()  # the client's FIN wakes as data do
        read(connection, drain=drain)


def read(connection: socket.socket, *, drain: bool) -> None:
    """Read once; or, as edge trigger demands, until the kernel says EAGAIN."""
    try:
        while connection.recv(SIZE) and drain:
            pass
    except BlockingIOError:
        pass


def look(connection: socket.socket) -> None:
    """Show what lies unread in the receive buffer, and leave it there."""
    try:
        connection.recv(1024, socket.MSG_PEEK)
    except BlockingIOError as error:
        print(error, flush=True)


def client(server: str) -> None:
    """Send six octets, and two more once the server's epoll has fallen silent."""
    with socket.create_connection((server, PORT)) as connection:
        stage.wait("registered")
        for word, octets in (("first", FIRST), ("second", SECOND)):
            connection.sendall(octets)
            waits.acknowledged(connection)
            stage.say(f"{word}_is_there")
            stage.wait(f"{word}_is_over")


def _reads(evidence: Evidence) -> list[list[Call]]:
    """The server's recv() calls, those up to each look together; a look asks for more octets."""
    found: list[list[Call]] = [[]]
    for call in called(evidence, "server", "recv"):
        found[-1].append(call)
        if call.arguments != (SIZE,):
            found.append([])
    return found[:-1]


def _said(call: Call) -> str:
    return f'"{bytes.fromhex(call.data).decode()}"' if call.octets else outcome(call)


def _reads_so(name: str, words: Text, *rounds: str) -> Promise:
    """Promise what was read after each of the two segments; the look comes last."""

    def check(evidence: Evidence) -> Seen:
        seen = [" ".join(map(_said, calls)) for calls in _reads(evidence)]
        told = Text("recv: {seen}", "recv：{seen}").fill(seen=" | ".join(seen))
        return Seen(seen == list(rounds), told, _data(evidence, 0))

    return Promise(name, words, check)


def _data(evidence: Evidence, view: int) -> tuple[int, ...]:
    """Numbers of the frames with data, in one of the captures."""
    lengths = evidence.views[view].capture.frames.payload_length
    rows = (row for one in evidence.views[view].connections for row in one.rows.tolist())
    return tuple(row + 1 for row in rows if lengths[row])


def _only_an_arrival_wakes(evidence: Evidence) -> Seen:
    """The server's second read comes after the second segment, whatever was left of the first."""
    frames = _data(evidence, 1)
    reads = [call for call in called(evidence, "server", "recv") if call.arguments == (SIZE,)]
    if len(frames) != 2 or len(reads) < 2:
        return Seen(False, Text("a read or a segment is missing", "缺少读取或报文段"))
    came = int(evidence.views[1].capture.frames.time[frames[1] - 1])
    silent = came - reads[0].after
    words = Text(
        "4 octets lay unread for {silent}, until the second segment came",
        "4 个字节在缓冲区里躺了 {silent}，直到第二个报文段到达",
    ).fill(silent=short_span(silent))
    return Seen(silent > QUIET * 1e9 and came < reads[1].before, words, _data(evidence, 0)[1:])


OPEN = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    C>S PSH,ACK  seq 1  +6
    S>C ACK             ack 7
    C>S PSH,ACK  seq 7  +2
    S>C ACK             ack 9
    C>S FIN,ACK  seq 9
"""
CLOSED = f"""{OPEN}
    S>C ACK             ack 10  optional
    S>C FIN,ACK  seq 1  ack 10
    C>S ACK             ack 2
"""
RESET = f"""{OPEN}
    S>C ACK             ack 10  optional
    S>C RST,ACK  seq 1
"""

SCENARIO = Scenario(
    id="epoll_trigger",
    title=Text("Level and edge trigger", "水平触发与边缘触发"),
    group="servers",
    level=2,
    teaches=(
        Text(
            "Level trigger, the default, reports a socket as long as octets are left to read",
            "水平触发是默认方式：只要还有字节没读，就一直报告",
        ),
        Text(
            "Edge trigger reports only that something new has come: what one read leaves waits for "
            "the next arrival, and then the old octets come first",
            "边缘触发只在有新数据到达时报告：一次没读完的部分要等到下次有数据来，而且先读到的是旧数据",
        ),
        Text(
            "So with EPOLLET read until EAGAIN, on a socket that does not block",
            "因此使用 EPOLLET 时，套接字要设为非阻塞，并一直读到 EAGAIN",
        ),
        Text(
            "The kernel acknowledges either way: on the wire nobody sees that a program is stuck",
            "无论哪种方式，内核照样确认数据：从网络上看不出程序卡住了",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(CLOSED,),
    promises=(
        _reads_so(
            "wakes_while_octets_are_left",
            Text(
                "two octets a wake-up: three wake-ups for the first segment, one for the second, "
                "and nothing is left",
                "每次唤醒读两个字节：第一个报文段唤醒三次，第二个唤醒一次，没有剩下数据",
            ),
            '"ab" "cd" "ef" EAGAIN',
            '"gh" EAGAIN',
        ),
    ),
    variants={
        "edge": {
            "title": Text("Edge trigger: the rest waits", "边缘触发：剩下的数据要等"),
            "options": {"server": {"edge": True}},
            "scripts": (RESET,),
            "promises": (
                _reads_so(
                    "one_wakeup_a_segment",
                    Text(
                        "one wake-up for each segment: the rest stays unread, and is read in place "
                        "of what has come",
                        "每个报文段只唤醒一次：剩下的数据留在缓冲区，下次先读到的正是它们",
                    ),
                    '"ab" "cdef"',
                    '"cd" "efgh"',
                ),
                Promise(
                    "only_an_arrival_wakes",
                    Text(
                        "with four octets unread, nothing but the second segment wakes the server",
                        "还有四个字节没读，但只有第二个报文段才能唤醒服务器",
                    ),
                    _only_an_arrival_wakes,
                ),
            ),
        },
        "edge_drained": {
            "title": Text("Edge trigger, read until EAGAIN", "边缘触发，读到 EAGAIN 为止"),
            "options": {"server": {"edge": True, "drain": True}},
            "promises": (
                _reads_so(
                    "read_until_eagain",
                    Text(
                        "read until EAGAIN, one wake-up a segment is enough",
                        "读到 EAGAIN 为止，每个报文段唤醒一次就够了",
                    ),
                    '"ab" "cd" "ef" EAGAIN EAGAIN',
                    '"gh" EAGAIN EAGAIN',
                ),
            ),
        },
    },
    sources=("epoll(7)", "RFC 9293 section 3.6.1 (a close with data unread: RST)"),
)
