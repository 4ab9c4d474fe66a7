"""TCP_DEFER_ACCEPT: the server takes no connection that has nothing to say yet."""

from __future__ import annotations

import socket
import time

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import OK, called, counted, outcome
from lab.tcp.model import State
from lab.text import Text
from services import stage

PORT = 12345
REQUEST = b"now I speak"  # 11 octets
SILENCE = 0.2  # seconds between the client's connect() and its request


def server(*, seconds: int = 3) -> None:
    """Look for a connection while the client is silent, then wait for one."""
    with socket.create_server(("", PORT)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)
        listener.setblocking(False)
        stage.say("deferring")
        stage.wait("silent")
        try:
            listener.accept()
        except BlockingIOError as error:
            print(error, flush=True)
        stage.say("looked")
        listener.setblocking(True)
        connection, _ = listener.accept()
        with connection:
            stage.say("accepted")
            connection.recv(1024)
            connection.recv(1024)  # b""


def client(server: str, *, until_accepted: bool = False) -> None:
    """Connect, be silent, speak."""
    stage.wait("deferring")
    with socket.create_connection((server, PORT)) as connection:
        time.sleep(SILENCE)
        stage.say("silent")
        stage.wait("accepted" if until_accepted else "looked")
        connection.sendall(REQUEST)


def _third(evidence: Evidence) -> tuple[int, int]:
    """The time (ns) at which the third segment was at the server's port, and its frame's number."""
    view = evidence.views[1]
    row = int(view.connections[0].rows[2])
    return int(view.capture.frames.time[row]), row + 1


def _nobody_yet(evidence: Evidence) -> Seen:
    """accept() finds nobody although the third segment has come."""
    first = called(evidence, "server", "accept")[0]
    third, frame = _third(evidence)
    words = Text(
        "{outcome} {ms:.0f} ms after the third segment", "第三个报文段之后 {ms:.0f} 毫秒：{outcome}"
    )
    told = words.fill(outcome=outcome(first), ms=(first.before - third) / 1e6)
    return Seen(outcome(first) == "EAGAIN" and third < first.before, told, (frame,))


def _half_open(evidence: Evidence) -> Seen:
    """The server's kernel was sampled in SYN-RECEIVED after the third segment had come."""
    third, frame = _third(evidence)
    kernel = evidence.kernel["server"]
    stays = [stay for life in kernel.lives for stay in kernel.stays(life)]
    longest = max((stay.until for stay in stays if stay.state == State.SYN_RECEIVED), default=0)
    words = Text(
        "in SYN-RECEIVED for {ms:.0f} ms more at least",
        "此后至少还有 {ms:.0f} 毫秒处于 SYN-RECEIVED",
    )
    return Seen(longest > third, words.fill(ms=max(0, longest - third) / 1e6), (frame,))


def _accepted_after_data(evidence: Evidence) -> Seen:
    return _second_accept(evidence, with_data=True)


def _accepted_without_data(evidence: Evidence) -> Seen:
    return _second_accept(evidence, with_data=False)


def _second_accept(evidence: Evidence, *, with_data: bool) -> Seen:
    """Whether accept() returned only after the request was at the server's port, or before it."""
    frames, connection = evidence.views[1].capture.frames, evidence.views[1].connections[0]
    data = next(row for row in connection.rows.tolist() if frames.payload_length[row])
    second = called(evidence, "server", "accept")[1]
    late = second.after - int(frames.time[data])
    words = Text(
        "accept() returns {ms:+.3f} ms after the data", "accept() 相对数据 {ms:+.3f} 毫秒返回"
    )
    kept = outcome(second) == OK and (late > 0) is with_data
    return Seen(kept, words.fill(ms=late / 1e6), (data + 1,))


NOBODY_YET = Promise(
    "nobody_to_accept",
    Text(
        "accept() finds nobody, long after the client's connect() has returned",
        "客户端 connect() 早已返回，accept() 却取不到连接",
    ),
    _nobody_yet,
)
HALF_OPEN = Promise(
    "half_open",
    Text(
        "the server stays in SYN-RECEIVED after the third segment",
        "收到第三个报文段之后，服务器仍处于 SYN-RECEIVED",
    ),
    _half_open,
)
ACK_DROPPED = counted(
    "the_kernel_says_so",
    Text("the server's kernel counts an ACK that it ignored", "服务器内核记录了一个被忽略的 ACK"),
    "server",
    "TcpExt.TCPDeferAcceptDrop",
)

SCENARIO = Scenario(
    id="deferred_accept",
    title=Text("Deferred accept", "延迟 accept"),
    group="handshake",
    level=3,
    teaches=(
        Text(
            "With TCP_DEFER_ACCEPT the server's kernel ignores a third segment without data: "
            "the request stays in SYN-RECEIVED until data come, and accept() returns with them",
            "设置 TCP_DEFER_ACCEPT 后，服务器内核会忽略不带数据的第三个报文段："
            "请求停留在 SYN-RECEIVED，数据到达时 accept() 才返回",
        ),
        Text(
            "The client notices nothing: it is in ESTABLISHED, its connect() has returned",
            "客户端毫无察觉：它已处于 ESTABLISHED，connect() 早已返回",
        ),
        Text(
            "The option takes seconds, and they count. Then the server repeats its SYN,ACK, and the ACK "
            "of that one opens the connection, with data or without (variant no_data)",
            "该选项以秒为单位，到时服务器重发 SYN,ACK；客户端对它的 ACK 无论是否带数据，"
            "都会完成连接（变体 no_data）",
        ),
        Text(
            "It spares a server from waking up for silent clients; one that speaks first must not set it",
            "它让服务器不必为沉默的客户端而唤醒；由服务器先发言的协议不能使用",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0        ack 1
        C>S ACK      seq 1        ack 1
        C>S PSH,ACK  seq 1   +11  ack 1   after 0.2..30 s
        S>C ACK      seq 1        ack 12
        C>S FIN,ACK  seq 12       ack 1
        S>C ACK      seq 1        ack 13  optional
        S>C FIN,ACK  seq 1        ack 13
        C>S ACK      seq 13       ack 2
        """,
    ),
    promises=(
        NOBODY_YET,
        HALF_OPEN,
        ACK_DROPPED,
        Promise(
            "accepted_with_data",
            Text("accept() returns only after the data has come", "数据到达之后 accept() 才返回"),
            _accepted_after_data,
        ),
    ),
    variants={
        "no_data": {
            "options": {"server": {"seconds": 1}, "client": {"until_accepted": True}},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0       ack 1
                C>S ACK      seq 1       ack 1
                S>C SYN,ACK  seq 0       ack 1  after 0.95..10 s
                C>S ACK      seq 1       ack 1
                C>S PSH,ACK  seq 1  +11  ack 1
                ...
                """,
            ),
            "promises": (
                NOBODY_YET,
                HALF_OPEN,
                ACK_DROPPED,
                Promise(
                    "accepted_in_the_end",
                    Text(
                        "after a repeated SYN,ACK accept() returns without any data",
                        "重发 SYN,ACK 之后，没有数据 accept() 也会返回",
                    ),
                    _accepted_without_data,
                ),
            ),
        }
    },
    sources=("tcp(7) TCP_DEFER_ACCEPT", "RFC 9293 section 3.10.7.4"),
)
