"""The accept queue is full: whoever knocks now is not refused, but not heard either."""

from __future__ import annotations

import socket
import struct
from threading import Thread

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import stage, waits

PORT = 12345
BACKLOG = 2
FIT = BACKLOG + 1  # the queue counts as full when it is longer than the backlog
PATIENCE_MS = 1500  # of those that come too late


def server() -> None:
    """Listen, accept nobody, and look at the accept queue."""
    with socket.create_server(("", PORT), backlog=BACKLOG) as listener:
        stage.wait("connected")
        waits.until(lambda: queue(listener)[0] >= FIT)
        stage.say("full")
        stage.wait("gave_up")
        waiting, backlog = queue(listener)
        print(f"{waiting} connections wait to be accepted, backlog {backlog}", flush=True)
    for name in ("ListenOverflows", "ListenDrops"):
        print(name, waits.counter(f"TcpExt.{name}"), flush=True)
    stage.say("closed")


def client(server: str) -> None:
    """Connect until the queue is full, then three times more, all at once."""
    inside = [socket.create_connection((server, PORT)) for _ in range(FIT)]
    stage.say("connected")
    stage.wait("full")
    late = [Thread(target=knock, args=(server,)) for _ in range(3)]
    for thread in late:
        thread.start()
    for thread in late:
        thread.join()
    stage.say("gave_up")
    stage.wait("closed")
    for connection in inside:
        connection.close()


def knock(server: str) -> None:
    """Connect, and give up after a while."""
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE_MS)
        try:
            connection.connect((server, PORT))
        except TimeoutError as error:
            print(error, flush=True)


def queue(listener: socket.socket) -> tuple[int, int]:
    """How many connections wait in the accept queue, and the backlog (linux/tcp.h, tcp_info)."""
    told = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    waiting, backlog = struct.unpack_from("II", told, 24)  # tcpi_unacked, tcpi_sacked
    return waiting, backlog


def _one_more_than_the_backlog(evidence: Evidence) -> Seen:
    """The last look at the listener, after the late ones have given up."""
    looks = [call.result for call in evidence.calls["server"] if call.function == "getsockopt"]
    told = bytes.fromhex(str(looks[-1]))
    waiting, backlog = struct.unpack_from("II", told, 24)
    words = Text("{waiting} wait, backlog {backlog}", "{waiting} 条在等待，backlog 为 {backlog}")
    return Seen(waiting == FIT and backlog == BACKLOG, words.fill(waiting=waiting, backlog=backlog))


def _times_out(evidence: Evidence) -> Seen:
    results = [call.error or "0" for call in evidence.calls["client"] if call.function == "connect"]
    return Seen(results == ["0"] * FIT + ["ETIMEDOUT"] * 3, same(", ".join(results)))


OPEN = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    ...
    """
UNHEARD = """
    C>S SYN  seq 0
    C>S SYN  seq 0  after 0.95..1.15 s
    """

SCENARIO = Scenario(
    id="accept_queue_overflow",
    title=Text("Accept queue overflow", "全连接队列溢出"),
    group="handshake",
    level=2,
    core=True,
    teaches=(
        Text(
            "The backlog limits connections that are open and not yet accepted; "
            "Linux lets one more in",
            "backlog 限制的是已建立但尚未被 accept 的连接数；Linux 会多放进一个",
        ),
        Text(
            "When that queue is full, a SYN is dropped in silence: the client repeats it "
            "and sees a timeout, not a refusal",
            "队列满后，新的 SYN 会被悄悄丢弃：客户端不断重发，看到的是超时而不是拒绝",
        ),
        Text(
            "The SYNs did arrive: only the server's kernel knows that it dropped them "
            "(ListenOverflows, ListenDrops)",
            "这些 SYN 确实到达了：只有服务器内核知道自己丢弃了它们（ListenOverflows、ListenDrops）",
        ),
        Text(
            "ss -ltn shows it: of a listener, Recv-Q is the length of the queue and Send-Q the backlog",
            "用 ss -ltn 就能看到：监听套接字的 Recv-Q 是队列长度，Send-Q 是 backlog",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(OPEN,) * FIT + (UNHEARD,) * 3,
    promises=(
        Promise(
            "the_queue_holds_one_more",
            Text(
                "the accept queue holds one connection more than the backlog",
                "全连接队列中的连接比 backlog 多一个",
            ),
            _one_more_than_the_backlog,
        ),
        Promise(
            "the_rest_time_out",
            Text(
                "three calls of connect() succeed, the others fail with ETIMEDOUT",
                "前三次 connect() 成功，其余以 ETIMEDOUT 失败",
            ),
            _times_out,
        ),
    ),
    sources=("listen(2)", "tcp(7) TCP_USER_TIMEOUT", "Linux ip-sysctl: somaxconn"),
)
