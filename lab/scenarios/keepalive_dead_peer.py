"""Keep-alive asks an idle peer whether it is still there, and ends a connection to one that is not."""

from __future__ import annotations

import socket
import struct

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import lasted, returned, sampled
from lab.text import Text, same
from lab.wire.rules import drop, packets, pure_ack
from services import stage, waits

PORT = 12345
IDLE, INTERVAL, COUNT = 1, 1, 2  # seconds, seconds, probes; by default 7200, 75, 9
SECOND = 1_000_000_000  # ns


def server() -> None:
    """Accept, and do nothing: the kernel answers the probes by itself."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
    with connection:
        connection.recv(1024)  # b""


def lost_server() -> None:
    """Accept, and hear nothing more, not even that the client has given up."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
    with connection:
        stage.wait("client_gone")
        # RST, and be done: nobody is there to answer a FIN (socket(7) SO_LINGER)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def client(server: str) -> None:
    """Wait for data, with keep-alive on."""
    with connect(server) as connection:
        try:
            connection.recv(1024)
        except TimeoutError as error:
            print(error, flush=True)
    stage.say("client_gone")


def lucky_client(server: str) -> None:
    """Wait until the kernel has probed more often than it would bear without an answer."""
    with connect(server):
        waits.until(lambda: waits.counter("TcpExt.TCPKeepAlive") > COUNT)


def connect(server: str) -> socket.socket:
    """Connect, then turn keep-alive on, quicker than by default (tcp(7))."""
    connection = socket.create_connection((server, PORT))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, INTERVAL)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, COUNT)
    return connection


def _unanswered(evidence: Evidence) -> list[int]:
    """The client's count of unanswered probes, each time its kernel told another one."""
    lives = [life for life in evidence.kernel["client"].lives if life.peer]
    counts = [count for _, count in lives[0].history("probes")]
    return [one for one, before in zip(counts, [-1, *counts], strict=False) if one != before]


def _gives_up(evidence: Evidence) -> Seen:
    counts = _unanswered(evidence)
    return Seen(counts[-1] == COUNT, same(" → ".join(map(str, counts))))


def _keep_alive_only(evidence: Evidence) -> Seen:
    """The timers that ran at the client while the connection was ESTABLISHED and idle."""
    lives = [life for life in evidence.kernel["client"].lives if life.peer]
    idle = [one for one in lives[0].moments if one.state == "ESTABLISHED" and one.timer]
    timers = {one.timer for one in idle}
    return Seen(timers == {"keep-alive"}, same(", ".join(sorted(timers)) or "-"))


OPEN = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK      seq 1      ack 1
    """
PROBE = "C>S ACK      seq 0  +0  ack 1"
ANSWER = "S>C ACK      seq 1  +0  ack 1"
LATER = "after 0.99..30 s"

KEEP_ALIVE_ONLY = Promise(
    "keep_alive_timer",
    Text(
        "the only timer of the idle connection is that of keep-alive",
        "空闲连接上只有 keepalive 定时器在运行",
    ),
    _keep_alive_only,
)

SCENARIO = Scenario(
    id="keepalive_dead_peer",
    title=Text("Keep-alive finds a dead peer", "keepalive 发现死连接"),
    group="errors",
    level=2,
    core=True,
    teaches=(
        Text(
            "A keep-alive probe is an empty segment whose number lies one below the next. It is "
            "acknowledged long since, so a living peer answers at once with what it expects",
            "keepalive 探测是一个空报文段，序号比下一个要发送的小 1：这个序号早已确认过，"
            "因此对端只要还在，就会立即以它期待的序号应答",
        ),
        Text(
            "The peer's kernel answers: that the program behind it still works is not proved",
            "应答的是对端内核，并不能说明其上的程序仍在正常工作",
        ),
        Text(
            "It is off unless SO_KEEPALIVE is set; then Linux waits for 2 h of silence, and sends "
            "9 probes 75 s apart. TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT change that for one "
            "socket: here 1 s, 1 s, 2",
            "不设置 SO_KEEPALIVE 就不会启用；启用后，Linux 默认在静默 2 小时后开始，每隔 75 秒"
            "探测一次，共 9 次。TCP_KEEPIDLE、TCP_KEEPINTVL、TCP_KEEPCNT 可为单个套接字另行设定，"
            "此处为 1 秒、1 秒、2 次",
        ),
        Text(
            "One interval after the last probe the kernel sends RST, in case somebody still hears "
            "it, and the call that waits fails with ETIMEDOUT",
            "最后一次探测再过一个间隔仍无应答，内核便发出 RST（以防对方仍能收到），"
            "正在等待的调用以 ETIMEDOUT 失败",
        ),
    ),
    roles={"server": lost_server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(packets(), after=pure_ack("server")),),
    scripts=(
        f"""{OPEN}
        {PROBE}        {LATER}
        {ANSWER}
        {PROBE}  lost  {LATER}
        {PROBE}  lost  {LATER}
        C>S RST,ACK  seq 1      ack 1  lost  {LATER}
        S>C RST,ACK  seq 1      ack 1  lost
        """,
    ),
    promises=(
        returned(
            "receiving_times_out",
            Text("recv() fails with ETIMEDOUT", "recv() 以 ETIMEDOUT 失败"),
            "client",
            "recv",
            "ETIMEDOUT",
        ),
        Promise(
            "gives_up",
            Text(
                "the kernel counts the unanswered probes up to TCP_KEEPCNT",
                "内核对未获应答的探测计数，直至 TCP_KEEPCNT",
            ),
            _gives_up,
        ),
        KEEP_ALIVE_ONLY,
        sampled(
            "established_until_then",
            Text(
                "the client's end stays ESTABLISHED until the kernel gives up, then it is CLOSED",
                "内核放弃之前，客户端一端一直是 ESTABLISHED，随后变为 CLOSED",
            ),
            "client",
            "ESTABLISHED",
            "CLOSED",
        ),
    ),
    variants={
        "alive": {
            "rules": (),
            "roles": {"server": server, "client": lucky_client},
            "scripts": (
                f"""{OPEN}
                {PROBE}  {LATER}
                {ANSWER}
                {PROBE}  {LATER}
                {ANSWER}
                {PROBE}  {LATER}
                {ANSWER}
                ...
                """,
            ),
            "promises": (
                KEEP_ALIVE_ONLY,
                lasted(
                    "stays_open",
                    Text(
                        "the connection outlives as many probes as a dead one would get",
                        "连接经历的探测已多于死连接所能得到的次数，仍然保持",
                    ),
                    *("client", "ESTABLISHED", COUNT * INTERVAL * SECOND),
                ),
            ),
        }
    },
    sources=(
        "RFC 9293 section 3.8.4",
        "socket(7) SO_KEEPALIVE",
        "tcp(7) TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT",
        "Linux ip-sysctl: tcp_keepalive_time",
    ),
)
