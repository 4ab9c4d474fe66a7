"""The accept queue fills up between SYN and ACK: the client is connected, the server is not."""

from __future__ import annotations

import socket
import struct

from lab.evidence.run import Evidence
from lab.evidence.states import Life, sockets_of
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, returned
from lab.scenarios.seen import segments
from lab.tcp.segments import CLIENT, SERVER
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import short_span
from lab.wire.rules import drop, pure_ack
from services import stage, waits

PORT = 12345
BACKLOG = 1
FIT = BACKLOG + 1  # the queue counts as full when it is longer than the backlog
LATE = 1  # the connection whose ACK is lost
PATIENCE_MS = 300  # of that one, from its first retransmission by timeout


def server() -> None:
    """Listen, accept nobody, and look at the accept queue."""
    with socket.create_server(("", PORT), backlog=BACKLOG) as listener:
        stage.wait("client_done")
        waiting, backlog = queue(listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32))
        print(f"{waiting} connections wait to be accepted, backlog {backlog}", flush=True)


def queue(told: bytes) -> tuple[int, int]:
    """How many connections wait in the accept queue, and the backlog (linux/tcp.h, tcp_info)."""
    waiting, backlog = struct.unpack_from("II", told, 24)  # tcpi_unacked, tcpi_sacked
    return waiting, backlog


def client(server: str) -> None:
    """Connect three times, and send on the second, whose place another has taken."""
    early, late, last = (socket.create_connection((server, PORT)) for _ in range(FIT + 1))
    with early, late, last:
        late.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE_MS)
        late.sendall(b"late")  # fine: connect() has succeeded long ago
        try:
            late.recv(1024)
        except (TimeoutError, ConnectionResetError) as error:
            print(error, flush=True)
        stage.say("client_done")
        for waiting in (early, last):
            waits.reset(waiting)


def _late_end(evidence: Evidence, side: int) -> Life | None:
    """One end of the connection that comes too late."""
    connection = evidence.view.connections[LATE]
    kernel = evidence.kernel[("client", "server")[side]]
    return sockets_of(connection, kernel.lives, *evidence.span(connection))[side]


def _two_truths(evidence: Evidence) -> Seen:
    """How long the client's end was ESTABLISHED while the server's was in SYN-RECEIVED."""
    ours, theirs = _late_end(evidence, CLIENT), _late_end(evidence, SERVER)
    if not ours or not theirs:
        return Seen(False, Text("an end was never sampled", "有一端从未采样到"))
    opened = [one for one in evidence.kernel["client"].stays(ours) if one.state == "ESTABLISHED"]
    states = {one.state for one in theirs.moments}
    asked = evidence.kernel["server"].stays(theirs)[0]
    both = min(opened[0].until, asked.until) - max(opened[0].by, asked.by)
    words = Text(
        "both for {span}; the server's end: {states}", "同时持续 {span}；服务器一端：{states}"
    )
    told = words.fill(span=short_span(max(both, 0)), states=", ".join(sorted(states)))
    return Seen(states == {"SYN-RECEIVED"} and both > 0, told)


def _full(evidence: Evidence) -> Seen:
    """What the server's program was told of its queue when the client had done all."""
    told = called(evidence, "server", "getsockopt")[0].result
    waiting, backlog = queue(bytes.fromhex(str(told)))
    words = Text("{waiting} wait, backlog {backlog}", "{waiting} 条在等待，backlog 为 {backlog}")
    kept = (waiting, backlog) == (FIT, BACKLOG)
    return Seen(kept, words.fill(waiting=waiting, backlog=backlog))


def _each_counted(evidence: Evidence) -> Seen:
    """The client's segments after its SYN that got there, against the overflows counted."""
    seen = segments(evidence, evidence.view.connections[LATE])
    came = [one for one in seen if one.sender == "C" and "ACK" in one.flags and not one.lost]
    counted = evidence.kernel["server"].counters.get("TcpExt.ListenOverflows", 0)
    told = same(f"TcpExt.ListenOverflows +{counted}")
    return Seen(counted == len(came) > 0, told, tuple(one.number for one in came))


WAITS = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK      seq 1      ack 1
    S>C RST,ACK  seq 1      ack 1
    """
COMES_LATE = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK      seq 1      ack 1  lost
    C>S PSH,ACK  seq 1  +4  ack 1
    """


def _scripts(end: str) -> tuple[str, ...]:
    """Two that wait to be accepted, until the listener is closed; between them the late one."""
    return (WAITS, f"{COMES_LATE}{end}", WAITS)


def _promises(error: str, *further: Promise) -> tuple[Promise, ...]:
    """What recv() fails with on the late connection, and what else is promised of it."""
    words = Text("recv() on the late one fails with {error}", "迟到的连接上 recv() 以 {error} 失败")
    return (
        *CONNECTED,
        returned("ends", words.fill(error=error), "client", "recv", error),
        *further,
    )


CONNECTED = (
    returned(
        "all_connect",
        Text("connect() succeeds three times", "三次 connect() 都成功"),
        "client",
        "connect",
        *["ok"] * (FIT + 1),
    ),
    Promise(
        "full",
        Text(
            "two fill the accept queue of a backlog of 1",
            "backlog 为 1 时，两条连接就占满全连接队列",
        ),
        _full,
    ),
    Promise(
        "each_counted",
        Text(
            "the server's kernel counts an overflow for each segment of the late one",
            "迟到连接的每个报文段都被服务器内核计为一次溢出",
        ),
        _each_counted,
    ),
)
TWO_TRUTHS = Promise(
    "two_truths",
    Text(
        "of the late one, the client's end is ESTABLISHED, the server's still SYN-RECEIVED",
        "迟到的连接在客户端是 ESTABLISHED，在服务器仍是 SYN-RECEIVED",
    ),
    _two_truths,
)


def _server(abort: int) -> Topology:
    """A server with this tcp_abort_on_overflow."""
    sysctls = {"net.ipv4.tcp_abort_on_overflow": f"{abort}"}
    return Topology((Host("client"), Host("server", sysctls=sysctls)))


SCENARIO = Scenario(
    id="accept_queue_late_full",
    title=Text("Queue fills between SYN and ACK", "握手中途全连接队列已满"),
    group="handshake",
    level=3,
    teaches=(
        Text(
            "A connection gets its place in the accept queue when the ACK of the handshake "
            "arrives, not with the SYN: meanwhile others may take it",
            "连接要等握手的 ACK 到达才进入全连接队列，而不是在 SYN 到达时：这期间位置可能被别的连接占去",
        ),
        Text(
            "Then the server ignores the ACK and stays in SYN-RECEIVED, while the client is "
            "ESTABLISHED since the SYN,ACK: it sends, and nobody answers",
            "这时服务器忽略该 ACK，停留在 SYN-RECEIVED；而客户端收到 SYN,ACK 时就已是 ESTABLISHED："
            "它发送数据，却无人应答",
        ),
        Text(
            "Ignoring is meant well: each repetition of the data is another chance to be let in, "
            "once the server has called accept()",
            "忽略是出于好意：数据的每次重传都是再次进入队列的机会，只要服务器调用了 accept()",
        ),
        Text(
            "With tcp_abort_on_overflow=1 the server answers with RST instead: honest, but a short "
            "burst becomes an error",
            "设置 tcp_abort_on_overflow=1 后，服务器改以 RST 应答：坦率，但短暂的突发也会变成错误",
        ),
    ),
    topology=_server(abort=0),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(pure_ack("client"), nth=1 + LATE),),
    scripts=_scripts(
        """
        C>S PSH,ACK  seq 1  +4  ack 1  after 0.19..30 s
        C>S PSH,ACK  seq 1  +4  ack 1  after 0.19..30 s
        ...
        """
    ),
    promises=_promises("ETIMEDOUT", TWO_TRUTHS),
    variants={
        "abort": {
            "topology": _server(abort=1),
            "scripts": _scripts("    S>C RST      seq 1  +0"),
            "promises": _promises("ECONNRESET"),
        }
    },
    sources=("Linux ip-sysctl: tcp_abort_on_overflow", "listen(2)", "RFC 9293 section 3.10.7.4"),
)
