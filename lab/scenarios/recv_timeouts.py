"""Three ways in which recv() says "too late": Python's, the kernel's, and TCP's own."""

from __future__ import annotations

import socket
import struct

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, outcome, returned
from lab.text import Text, same
from lab.units import short_span
from lab.wire.rules import drop, keep_alive

PORT = 12345
LIMIT = 0.2  # seconds
QUESTION, ANSWER = b"still there?", b"yes"
IDLE = INTERVAL = 1  # seconds: before the first keep-alive probe, and after each
TICK = 10_000_000  # ns: the longest tick in which a kernel counts


def server() -> None:
    """Say nothing unless asked; the end of the connection comes as an error."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(ANSWER)
            receive(connection)


def client(server: str) -> None:
    """Wait for a server that is silent, in three ways; after two of them the connection works."""
    with socket.create_connection((server, PORT)) as connection:
        connection.settimeout(LIMIT)  # Python's: it waits in poll() before it calls recv()
        receive(connection)

        connection.settimeout(None)
        set_kernel_limit(connection, LIMIT)  # the kernel's: recv() itself returns
        receive(connection)

        set_kernel_limit(connection, 0)  # none
        connection.sendall(QUESTION)
        connection.recv(1024)

        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, INTERVAL)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 1)
        receive(connection)  # TCP's: the probe is lost, and the connection given up


def receive(connection: socket.socket) -> None:
    """Receive, and print how that failed."""
    try:
        connection.recv(1024)
    except OSError as error:
        print(f"{type(error).__name__}, errno {error.errno}: {error}", flush=True)


def set_kernel_limit(connection: socket.socket, seconds: float) -> None:
    """Set SO_RCVTIMEO, a struct timeval (socket(7)); 0: wait for ever."""
    limit = struct.pack("ll", int(seconds), round(seconds % 1 * 1_000_000))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def _alive_after_two(evidence: Evidence) -> Seen:
    """After two timeouts the same connection carries a question and its answer."""
    reads = called(evidence, "client", "recv")
    late, answer = [outcome(call) for call in reads[:2]], bytes.fromhex(reads[2].data)
    kept = "ok" not in late and answer == ANSWER
    return Seen(kept, same(f"{', '.join(late)}, {answer.decode(errors='replace')!r}"))


def _never_early(evidence: Evidence) -> Seen:
    """The first two waits last as long as they were told to; TCP's own is timed by the script."""
    failed = [call for call in called(evidence, "client", "recv") if call.error]
    spans = [call.after - call.before for call in failed[:2]]
    kept = len(spans) == 2 and min(spans) >= LIMIT * 1e9 - TICK
    return Seen(kept, same(", ".join(map(short_span, spans))))


def _silence(evidence: Evidence) -> Seen:
    """The first two waits end with no segment sent: nobody but the client knows of them."""
    waits = [call for call in called(evidence, "client", "recv") if call.error][:2]
    times = evidence.view.capture.frames.time.tolist()
    rows = [row for one in evidence.view.connections for row in one.rows.tolist()]
    inside = [row + 1 for row in rows for one in waits if one.before < times[row] < one.after]
    # The ACK of the handshake leaves before connect() returns, and the server speaks only if asked.
    words = Text("{n} segment[|s] in {waits} waits", "{waits} 次等待中有 {n} 个报文段")
    return Seen(len(waits) == 2 and not inside, words.fill(n=len(inside), waits=len(waits)))


SCENARIO = Scenario(
    id="recv_timeouts",
    title=Text("Three kinds of receive timeout", "三种接收超时"),
    group="errors",
    level=2,
    teaches=(
        Text(
            "settimeout() is Python's: it waits in poll(), and raises TimeoutError without an errno",
            "settimeout() 由 Python 实现：在 poll() 中等待，抛出的 TimeoutError 没有 errno",
        ),
        Text(
            "SO_RCVTIMEO is the kernel's: recv() returns EAGAIN, in Python BlockingIOError",
            "SO_RCVTIMEO 由内核实现：recv() 返回 EAGAIN，在 Python 中是 BlockingIOError",
        ),
        Text(
            "Both are local patience: no segment tells of them, and the connection goes on",
            "这两种都只是本端的耐心用尽：网络上没有任何报文段，连接照常可用",
        ),
        Text(
            "ETIMEDOUT is TCP giving up, here after a lost keep-alive probe: the connection is gone. "
            "In Python it is a TimeoutError too; its errno tells",
            "ETIMEDOUT 是 TCP 自己放弃，这里是因为 keep-alive 探测丢失：连接已不复存在。"
            "在 Python 中它也是 TimeoutError，要看 errno 才能区分",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(keep_alive(sender="client")),),
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1   +12  ack 1  after 0.4..30 s
        S>C ACK      seq 1        ack 13  optional
        S>C PSH,ACK  seq 1   +3   ack 13
        C>S ACK      seq 13       ack 4
        C>S ACK      seq 12       ack 4   lost  after 0.8..3 s
        C>S RST,ACK  seq 13       ack 4   after 0.95..3 s
        """,
    ),
    promises=(
        returned(
            "three_errors",
            Text(
                "recv() fails without an errno, with EAGAIN, and at last with ETIMEDOUT",
                "recv() 依次失败：没有 errno、EAGAIN，最后是 ETIMEDOUT",
            ),
            "client",
            "recv",
            *("TimeoutError", "EAGAIN", "ok", "ETIMEDOUT"),
        ),
        Promise(
            "alive_after_two",
            Text(
                "after two timeouts the connection still carries a question and its answer",
                "两次超时之后，连接仍能一问一答",
            ),
            _alive_after_two,
        ),
        Promise(
            "silence",
            Text(
                "no segment is sent while the first two wait: the server knows nothing of it",
                "前两次等待期间没有报文段：服务器对此一无所知",
            ),
            _silence,
        ),
        Promise(
            "never_early",
            Text(
                "neither of the first two gives up before its 0.2 s are over",
                "前两种都要等满 0.2 秒才放弃",
            ),
            _never_early,
        ),
        returned(
            "the_server_is_reset",
            Text(
                "the server learns of the end by RST: ECONNRESET",
                "服务器因 RST 得知连接结束：ECONNRESET",
            ),
            "server",
            "recv",
            *("ok", "ECONNRESET"),
        ),
    ),
    sources=(
        "socket(7) SO_RCVTIMEO",
        "tcp(7) TCP_KEEPIDLE",
        "RFC 9293 section 3.8.4",
        "Python: socket timeouts",
    ),
)
