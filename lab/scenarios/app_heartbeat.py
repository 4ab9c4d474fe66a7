"""A heartbeat asks the program; a keep-alive probe asks only its kernel."""

from __future__ import annotations

import os
import signal
import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, returned
from lab.scenarios.seen import segments
from lab.tcp.model import Analysis
from lab.text import Text
from services import stage

PORT = 12345
PING, PONG = b"PING", b"PONG"
ANSWERED, MISSED = 2, 3  # beats: before the server stops, and until the client gives up
LIMIT = 0.2  # seconds: for an answer
IDLE = 1  # seconds without a segment before a keep-alive probe


def server() -> None:
    """Let a child answer; end it once the client has given it up."""
    child = os.fork()
    if child == 0:
        answer()
    os.waitpid(child, os.WUNTRACED)
    stage.say("stopped")
    stage.wait("given_up")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def answer() -> None:
    """Answer two beats, then stop, as Ctrl-Z or a debugger stops a program."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        for _ in range(ANSWERED):
            connection.recv(len(PING), socket.MSG_WAITALL)
            connection.sendall(PONG)
        os.kill(os.getpid(), signal.SIGSTOP)


def client(server: str) -> None:
    """Beat; give up after three beats without an answer; then see what keep-alive says."""
    with socket.create_connection((server, PORT)) as connection:
        for _ in range(ANSWERED):
            connection.sendall(PING)
            connection.recv(len(PONG))
        stage.wait("stopped")
        for _ in range(MISSED):
            connection.sendall(PING)
            receive(connection, LIMIT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE)
        receive(connection, IDLE + 0.5)  # no more beats: into this silence the kernel sends a probe
    stage.say("given_up")


def receive(connection: socket.socket, seconds: float) -> None:
    """Wait so long for an answer."""
    connection.settimeout(seconds)
    try:
        connection.recv(len(PONG))
    except TimeoutError as error:
        print(error, flush=True)


def _acknowledged_unread(evidence: Evidence) -> Seen:
    """The kernel acknowledged every beat; its program read no more than it answered."""
    seen = segments(evidence, evidence.view.connections[0])
    beats = [one for one in seen if one.sender == "C" and one.length]
    end = beats[-1].sequence + beats[-1].length
    acks = [one for one in seen if one.sender == "S" and one.acknowledgment == end]
    read = sum(call.octets or 0 for call in called(evidence, "server", "recv"))
    words = Text(
        "{sent} octets of beats, all acknowledged; {read} were read",
        "心跳共 {sent} 字节，全部得到确认；读出 {read} 字节",
    ).fill(sent=end - 1, read=read)
    kept = bool(acks) and len(beats) == ANSWERED + MISSED and read == ANSWERED * len(PING)
    return Seen(kept, words, tuple(one.number for one in acks[:1]))


def _probe_answered(evidence: Evidence) -> Seen:
    """A keep-alive probe, and the ACK of the kernel whose program is stopped."""
    flags = evidence.view.connections[0].flags
    probes = [frame for frame, flag in flags.items() if flag & Analysis.KEEP_ALIVE]
    answers = [frame for frame, flag in flags.items() if flag & Analysis.KEEP_ALIVE_ACK]
    words = Text("{n} probe[|s], {m} answered", "{n} 次探测，{m} 次得到应答")
    kept = bool(probes) and len(answers) == len(probes)
    return Seen(kept, words.fill(n=len(probes), m=len(answers)), (*probes, *answers))


SCENARIO = Scenario(
    id="app_heartbeat",
    title=Text("Application heartbeat", "应用层心跳"),
    group="errors",
    level=2,
    teaches=(
        Text(
            "A program that hangs keeps its connections: its kernel acknowledges data that nobody reads",
            "程序挂起后连接依然存在：即使没有人读，内核照样确认数据",
        ),
        Text(
            "Keep-alive is answered by that kernel too: it shows a living host, not a living program",
            "keep-alive 探测同样由内核应答：只能说明主机还在，不能说明程序还在工作",
        ),
        Text(
            "Only an answer of the program itself tells that it works: a heartbeat, with a time limit "
            "and a number of misses",
            "只有程序自己的应答才能证明它在工作：这就是应用层心跳，要规定时限和允许错过的次数",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1   +4
        S>C ACK              ack 5   optional
        S>C PSH,ACK  seq 1   +4  ack 5
        C>S ACK              ack 5   optional
        C>S PSH,ACK  seq 5   +4
        S>C ACK              ack 9   optional
        S>C PSH,ACK  seq 5   +4  ack 9
        C>S ACK              ack 9   optional
        C>S PSH,ACK  seq 9   +4
        S>C ACK              ack 13
        C>S PSH,ACK  seq 13  +4
        S>C ACK              ack 17
        C>S PSH,ACK  seq 17  +4
        S>C ACK              ack 21
        C>S ACK      seq 20  ack 9  after 0.95..3 s
        S>C ACK      seq 9   ack 21
        C>S FIN,ACK  seq 21  ack 9
        S>C ACK      seq 9   ack 22  optional
        S>C RST,ACK  seq 9
        """,
    ),
    promises=(
        returned(
            "no_more_answers",
            Text(
                "two beats are answered; of three more, and of a longer wait, nothing comes",
                "前两次心跳有应答；之后三次以及更长的等待，都没有任何应答",
            ),
            "client",
            "recv",
            *["ok"] * ANSWERED,
            *["TimeoutError"] * (MISSED + 1),
        ),
        Promise(
            "acknowledged_unread",
            Text(
                "the stopped server's kernel acknowledges every beat, also those nobody reads",
                "服务器程序已停住，内核仍确认每次心跳，包括没有人读的那些",
            ),
            _acknowledged_unread,
        ),
        Promise(
            "probe_answered",
            Text(
                "it answers the keep-alive probe as well",
                "keep-alive 探测，内核也同样应答",
            ),
            _probe_answered,
        ),
    ),
    sources=("RFC 9293 section 3.8.4", "tcp(7) TCP_KEEPIDLE", "signal(7) SIGSTOP"),
)
