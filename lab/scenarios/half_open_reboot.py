"""The peer restarts and has forgotten everything: the next segment draws a RST."""

from __future__ import annotations

import socket
import time

from lab.evidence.run import Evidence
from lab.evidence.states import sockets_of
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import counted, returned
from lab.tcp.segments import CLIENT, SERVER
from lab.text import Text
from lab.topology import Host, Topology
from lab.units import short_span
from services import stage

PORT = 12345
UPTIME, BOOTING = 0.2, 0.3  # seconds: long enough for the witness to see it
TCP_REPAIR = 19  # linux/tcp.h


def server() -> None:
    """Lose a connection as in a power cut; then listen again, as after a reboot."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
    time.sleep(UPTIME)
    forget(connection)
    time.sleep(BOOTING)
    with socket.create_server(("", PORT)):
        stage.say("back")
        stage.wait("client_gone")


def forget(connection: socket.socket) -> None:
    """Close without a segment: Linux does so while a socket is under repair (TCP_REPAIR)."""
    try:
        connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except OSError as error:
        stage.unavailable("TCP_REPAIR", error)
    connection.close()


def client(server: str) -> None:
    """Go on as if nothing had happened."""
    with socket.create_connection((server, PORT)) as connection:
        stage.wait("back")
        connection.sendall(b"hi")  # fine: the kernel has taken it
        try:
            connection.recv(1024)
        except ConnectionResetError as error:
            print(error, flush=True)
    stage.say("client_gone")


def _half_open(evidence: Evidence) -> Seen:
    """How long the client's end was ESTABLISHED while the server's was no more."""
    connection = evidence.view.connections[0]
    ours, theirs = evidence.kernel["client"], evidence.kernel["server"]
    end = sockets_of(connection, ours.lives, *evidence.span(connection))[CLIENT]
    other = sockets_of(connection, theirs.lives, *evidence.span(connection))[SERVER]
    if not end or not other or other.ended is None:
        return Seen(False, Text("the server's end did not vanish", "服务器一端没有消失"))
    stays = [stay for stay in ours.stays(end) if stay.state == "ESTABLISHED"]
    alone = stays[0].until - other.ended
    words = Text("half-open for {span}", "半开状态持续了 {span}")
    return Seen(alone > 0, words.fill(span=short_span(max(alone, 0))))


SCENARIO = Scenario(
    id="half_open_reboot",
    title=Text("Peer restarted, state lost", "对端重启后状态丢失"),
    group="errors",
    level=3,
    teaches=(
        Text(
            "A host that crashes sends nothing. The other end stays ESTABLISHED: the connection "
            "is half-open",
            "主机崩溃时什么也不会发出，另一端仍是 ESTABLISHED：连接处于半开状态",
        ),
        Text(
            "Once it is back, it answers a segment of a connection it does not know with RST, "
            "although something listens on that port again",
            "重启之后，收到不认识的连接的报文段就以 RST 应答，哪怕该端口上已重新有程序在监听",
        ),
        Text(
            "That RST takes its sequence number from the ACK field of what it answers, so the "
            "receiver believes it; it has no ACK itself",
            "该 RST 的序号取自所应答报文段的确认号，因此接收方会予以接受；它本身不带 ACK",
        ),
        Text(
            "send() had succeeded; the next call fails with ECONNRESET. An end that never sends "
            "never finds out",
            "send() 此前已成功返回，下一次调用才以 ECONNRESET 失败；从不发送的一端永远不会发现",
        ),
        Text(
            "Half-open is a fault, and nobody knows of it; half-closed is a choice: "
            "one end has sent FIN and still receives",
            "半开（half-open）是无人知晓的故障；半关闭（half-close）则是有意为之："
            "一端已发出 FIN，但仍在接收",
        ),
    ),
    topology=Topology((Host("client"), Host("server", capabilities=("NET_ADMIN",)))),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK      seq 1      ack 1
        C>S PSH,ACK  seq 1  +2  ack 1  after 0.5..30 s
        S>C RST      seq 1  +0
        """,
    ),
    promises=(
        Promise(
            "half_open",
            Text(
                "the client's end is ESTABLISHED while the server has none",
                "服务器一端已不存在，客户端一端仍为 ESTABLISHED",
            ),
            _half_open,
        ),
        returned(
            "sending_succeeds",
            Text("sendall() succeeds all the same", "sendall() 照样成功"),
            "client",
            "sendall",
            "ok",
        ),
        returned(
            "receiving_fails",
            Text("recv() fails with ECONNRESET", "recv() 以 ECONNRESET 失败"),
            "client",
            "recv",
            "ECONNRESET",
        ),
        counted(
            "one_reset",
            Text("the server's kernel sent one RST, no more", "服务器内核只发出一个 RST"),
            "server",
            "Tcp.OutRsts",
            1,
            1,
        ),
    ),
    sources=("RFC 9293 section 3.5.1", "RFC 9293 section 3.5.2", "RFC 9293 section 3.10.7.1"),
)
