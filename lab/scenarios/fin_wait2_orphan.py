"""After close() only the kernel is left in FIN-WAIT-2, and not for long: late data draws a RST."""

from __future__ import annotations

import socket
import time

from lab.evidence.run import Evidence
from lab.evidence.states import Moment
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import goes_off, returned, sampled
from lab.scenarios.seen import segments
from lab.text import Text, same
from services import stage, waits

PORT = 12345
LINGER2 = 1  # seconds in FIN-WAIT-2; tcp_fin_timeout, 60 by default, unless set (tcp(7))
LATE = b"late"


def server(*, too_late: bool = True) -> None:
    """See the client's FIN, keep the connection open, and write to it much later."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
    with connection:
        connection.recv(1024)  # b"": CLOSE-WAIT
        stage.wait("later")
        connection.sendall(LATE)  # fine in any case: the kernel has taken it
        if too_late:
            waits.reset(connection)
            try:
                connection.sendall(LATE)
            except BrokenPipeError as error:
                print(error, flush=True)


def client(server: str) -> None:
    """Connect and close; wait until the kernel keeps nothing of it."""
    with connect(server):
        pass
    waits.until(lambda: not waits.sockets("FIN-WAIT-1", "FIN-WAIT-2"))
    stage.say("later")


def patient_client(server: str) -> None:
    """Shut down one direction only, and read what comes when FIN-WAIT-2 might be over."""
    with connect(server) as connection:
        connection.shutdown(socket.SHUT_WR)
        time.sleep(1.5 * LINGER2)
        stage.say("later")
        while connection.recv(1024):
            pass


def connect(server: str) -> socket.socket:
    """Connect, with a limit to FIN-WAIT-2."""
    connection = socket.create_connection((server, PORT))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, LINGER2)
    return connection


def _waits(evidence: Evidence) -> list[Moment]:
    """What the client's kernel told of the connection in FIN-WAIT-2."""
    lives = evidence.kernel["client"].lives
    return [one for life in lives for one in life.moments if one.state == "FIN-WAIT-2"]


def _limited(evidence: Evidence) -> Seen:
    """When FIN-WAIT-2 was to end, counted from the ACK that began it."""
    seen = segments(evidence, evidence.view.connections[0])
    acks = [one for one in seen if one.sender == "S" and one.acknowledgment == 2]
    return goes_off(_waits(evidence)[0], acks[0], 1000 * LINGER2)


def _unlimited(evidence: Evidence) -> Seen:
    moments = _waits(evidence)
    timers = ", ".join(sorted({one.timer for one in moments if one.timer}))
    told = same(timers) if timers else Text("none", "没有")
    return Seen(bool(moments) and not timers, told)


OPEN = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    C>S FIN,ACK  seq 1      ack 1
    S>C ACK      seq 1      ack 2
    S>C PSH,ACK  seq 1  +4  ack 2  after 0.99..30 s
    """

SCENARIO = Scenario(
    id="fin_wait2_orphan",
    title=Text("Orphaned FIN-WAIT-2", "孤儿 FIN-WAIT-2"),
    group="time_wait",
    level=3,
    teaches=(
        Text(
            "FIN-WAIT-2 waits for the peer's FIN. By the RFC that may take for ever, and as long "
            "as a program still holds the socket (shutdown), it may on Linux",
            "FIN-WAIT-2 等待对端的 FIN。按 RFC 可以无限期地等；在 Linux 上，"
            "只要程序仍持有套接字（shutdown），也确实如此",
        ),
        Text(
            "After close() no program can read any more. The kernel forgets such an orphan after "
            "tcp_fin_timeout, 60 s, or TCP_LINGER2 of that socket, here 1 s",
            "close() 之后再没有程序能读取：这样的孤儿连接会在 tcp_fin_timeout（60 秒）"
            "或该套接字的 TCP_LINGER2（此处 1 秒）之后被内核遗忘",
        ),
        Text(
            "Data that comes then meets no socket, and draws a RST: the writer's first call still "
            "succeeds, the second fails with EPIPE",
            "此后到达的数据找不到套接字，引来 RST：写入方的第一次调用仍然成功，第二次以 EPIPE 失败",
        ),
        Text(
            "The peer stays in CLOSE-WAIT for as long as its program likes: no timer runs there",
            "对端停留在 CLOSE-WAIT 的时间完全取决于其程序：那里没有定时器",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        f"""{OPEN}
        C>S RST      seq 2
        """,
    ),
    promises=(
        Promise(
            "limited",
            Text("FIN-WAIT-2 is to last for TCP_LINGER2", "FIN-WAIT-2 的期限为 TCP_LINGER2"),
            _limited,
        ),
        sampled(
            "forgotten",
            Text(
                "the client's kernel forgets the connection without a FIN from the peer",
                "没有等到对端的 FIN，客户端内核便遗忘了连接",
            ),
            "client",
            "FIN-WAIT-2",
            "CLOSED",
        ),
        sampled(
            "peer_waits",
            Text(
                "the server's end is in CLOSE-WAIT until the RST comes",
                "服务器一端处于 CLOSE-WAIT，直到 RST 到来",
            ),
            "server",
            "CLOSE-WAIT",
            "CLOSED",
        ),
        returned(
            "second_write_fails",
            Text(
                "the first sendall() succeeds, the second fails with EPIPE",
                "第一次 sendall() 成功，第二次以 EPIPE 失败",
            ),
            "server",
            "sendall",
            "ok",
            "EPIPE",
        ),
    ),
    variants={
        "shutdown": {
            "roles": {"server": server, "client": patient_client},
            "options": {"server": {"too_late": False}},
            "scripts": (
                f"""{OPEN}
                C>S ACK      seq 2      ack 5  optional
                S>C FIN,ACK  seq 5      ack 2
                C>S ACK      seq 2      ack 6
                """,
            ),
            "promises": (
                Promise(
                    "unlimited",
                    Text("no timer runs in FIN-WAIT-2", "FIN-WAIT-2 中没有定时器在运行"),
                    _unlimited,
                ),
                returned(
                    "still_read",
                    Text(
                        "late data is read, and the end of the stream",
                        "迟到的数据照样读到，随后是流的结束",
                    ),
                    "client",
                    "recv",
                    "ok",
                    "ok",
                ),
            ),
        }
    },
    sources=(
        "Linux ip-sysctl: tcp_fin_timeout",
        "tcp(7) TCP_LINGER2",
        "RFC 9293 section 3.6",
        "RFC 1122 section 4.2.2.13",
    ),
)
