"""Simultaneous open: both ends connect, nobody listens, and one connection comes of it."""

from __future__ import annotations

import select
import socket
import struct
from contextlib import suppress
from typing import NamedTuple

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import OK, called, outcome, sampled
from lab.tcp.model import Handshake, State
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import MODULUS
from lab.wire.rules import ACK, SYN, delay, segment
from services import stage, waits

CLIENT_PORT, SERVER_PORT = 6001, 6002
ABORT = struct.pack("ii", 1, 0)  # struct linger: close() sends RST
ECHO = b"anybody there?"
ETH_P_IP = 0x0800  # linux/if_ether.h
ONE_WAY_MS = 300  # both SYNs are on their way for so long: time enough for them to cross


def client(server: str) -> None:
    """Send a SYN to a port where nobody listens, and let the other end know."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as greeting:
        greeting.sendto(b"", (server, SERVER_PORT))
    stage.wait("greeted")
    with socket.socket() as connection:
        connection.bind(("", CLIENT_PORT))
        connection.setblocking(False)
        connection.connect_ex((server, SERVER_PORT))  # EINPROGRESS: the SYN is on its way
        stage.say("knocking")
        select.select([], [connection], [])
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # how it went
        connection.setblocking(True)
        with suppress(ConnectionResetError):
            connection.recv(1024)


def server(client: str) -> None:
    """Send a SYN as well, before the other one can have arrived."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as greeted:
        greeted.bind(("", SERVER_PORT))
        greeted.recvfrom(1024)  # so that ARP is done with, and no SYN has to wait for it
    with socket.socket() as connection:
        connection.bind(("", SERVER_PORT))
        stage.say("greeted")
        stage.wait("knocking")
        before = waits.counter("Tcp.InSegs")
        connection.connect((client, CLIENT_PORT))
        # SYN; SYN,ACK; ACK: all that the client sends to open
        waits.until(lambda: waits.counter("Tcp.InSegs") >= before + 3)
        # Over so slow a path a FIN might be sent twice. It is the opening that matters: abort.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)


def alone() -> None:
    """Connect a socket to its own address, talk to it, and read what its loopback carried."""
    try:
        watch = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    except PermissionError as error:
        stage.unavailable("a packet socket (NET_RAW)", error)
    with watch, socket.socket() as connection:
        watch.bind(("lo", ETH_P_IP))
        watch.setblocking(False)
        connection.bind(("127.0.0.1", CLIENT_PORT))
        connection.connect(("127.0.0.1", CLIENT_PORT))
        connection.sendall(ECHO)
        connection.recv(1024)  # what it has sent itself
        with suppress(BlockingIOError):
            while watch.recvfrom(128):
                pass


def _crossed(evidence: Evidence) -> Seen:
    """At either port the host's own SYN comes before the other's."""
    found = [view.connections[0].handshake for view in evidence.views]
    frames = evidence.view.connections[0].handshake_frames
    return Seen(set(found) == {Handshake.SIMULTANEOUS}, same(", ".join(found)), frames)


def _nobody_listens(evidence: Evidence) -> Seen:
    """Both connects succeed although neither program has ever called listen() or accept()."""
    calls = [call for host in ("client", "server") for call in called(evidence, host)]
    passive = [call for call in calls if call.function in ("listen", "accept")]
    error = called(evidence, "client", "getsockopt")[0]
    connect = called(evidence, "server", "connect")[0]
    words = Text(
        "SO_ERROR {error}, connect {outcome}, {n} calls of listen() or accept()",
        "SO_ERROR {error}，connect {outcome}，listen() 或 accept() 调用 {n} 次",
    )
    told = words.fill(error=error.result, outcome=outcome(connect), n=len(passive))
    return Seen(not passive and error.result == 0 and outcome(connect) == OK, told)


class OnLoopback(NamedTuple):
    """A segment that the program itself has seen on its loopback."""

    source: int
    destination: int
    sequence: int
    acknowledgment: int
    flags: int


def _on_loopback(evidence: Evidence) -> list[OnLoopback]:
    """What the packet socket has read; 20 octets of IPv4 header go before."""
    packets = (bytes.fromhex(call.data) for call in called(evidence, "client", "recvfrom"))
    return [OnLoopback(*struct.unpack_from(">HHIIxB", packet, 20)) for packet in packets if packet]


def _one_isn(evidence: Evidence) -> Seen:
    """SYN and SYN,ACK have the same ports and the same ISN, and the ACK of it is this plus one."""
    seen = _on_loopback(evidence)
    syn, answer, third = seen[0], seen[1], seen[2]
    following = (syn.sequence + 1) % MODULUS
    kept = (
        [one.flags for one in (syn, answer, third)] == [SYN, SYN | ACK, ACK]
        and {(one.source, one.destination) for one in (syn, answer, third)}
        == {(CLIENT_PORT, CLIENT_PORT)}
        and answer.sequence == syn.sequence
        and answer.acknowledgment == third.sequence == third.acknowledgment == following
    )
    words = Text(
        "SYN seq {syn}; SYN,ACK seq {answer} ack {ack}; ACK seq {third} ack {last}",
        "SYN seq {syn}；SYN,ACK seq {answer} ack {ack}；ACK seq {third} ack {last}",
    )
    told = words.fill(
        syn=syn.sequence,
        answer=answer.sequence,
        ack=answer.acknowledgment,
        third=third.sequence,
        last=third.acknowledgment,
    )
    return Seen(kept, told)


def _own_echo(evidence: Evidence) -> Seen:
    """One TCP socket, whose peer is itself, and which reads what it has sent."""
    sockets = [call for call in called(evidence, "client", "socket") if call.kind == "tcp"]
    ends = called(evidence, "client", "connect")[0]
    read = bytes.fromhex(called(evidence, "client", "recv")[0].data)
    words = Text(
        "{n} socket, {local} → {peer}, recv: {read}", "{n} 个套接字，{local} → {peer}，recv：{read}"
    )
    local, peer = _written(ends.local), _written(ends.peer)
    told = words.fill(n=len(sockets), local=local, peer=peer, read=read.decode())
    return Seen(len(sockets) == 1 and local == peer != "" and read == ECHO, told)


def _written(end: object) -> str:
    """An address and a port of the call log, as people write them; "" where there is none."""
    return ":".join(map(str, end)) if isinstance(end, list) else ""


SCENARIO = Scenario(
    id="open_simultaneous",
    title=Text("Simultaneous open", "同时打开"),
    group="open_close",
    level=3,
    teaches=(
        Text(
            "Two ends that connect to each other make one connection, not two, and nobody has to listen",
            "两端互相 connect，得到的是一条连接而不是两条，而且谁都不必 listen",
        ),
        Text(
            "A SYN that meets a SYN leads from SYN-SENT to SYN-RECEIVED: each end repeats its own SYN, "
            "now with an ACK",
            "处于 SYN-SENT 时收到对方的 SYN，就进入 SYN-RECEIVED：双方各自重发自己的 SYN，这次带上 ACK",
        ),
        Text(
            "Both have to know the other's port beforehand, and the SYNs must cross: a SYN that comes "
            "before connect() is refused. So peers behind NAT open holes for each other",
            "双方必须事先知道对方的端口，而且两个 SYN 要在途中交错：在 connect() 之前到达的 SYN 会被拒绝。"
            "NAT 之后的对等端正是这样互相“打洞”的",
        ),
        Text(
            "A socket can even meet itself: connect() to its own address and port (variant "
            "self_connect). It happens to clients that retry on a local port of the ephemeral range",
            "套接字甚至会连上自己：connect() 到自身的地址和端口（变体 self_connect）。"
            "客户端反复重试一个落在临时端口范围内的本机端口时，就会碰上",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{SERVER_PORT}/udp",)},
    rules=(delay(segment(), ms=ONE_WAY_MS),),
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN      seq 0
        C>S SYN,ACK  seq 0  ack 1
        S>C SYN,ACK  seq 0  ack 1
        C>S ACK      seq 1  ack 1
        S>C ACK      seq 1  ack 1
        S>C RST,ACK  seq 1  ack 1
        """,
    ),
    promises=(
        Promise(
            "the_syns_cross",
            Text(
                "at both ports the host's own SYN comes before the other's",
                "在两端的端口上，本机的 SYN 都先于对方的 SYN",
            ),
            _crossed,
        ),
        Promise(
            "nobody_listens",
            Text(
                "both calls of connect() succeed, and nobody listens",
                "两端的 connect() 都成功，而且谁都没有 listen",
            ),
            _nobody_listens,
        ),
        sampled(
            "client_in_syn_received",
            Text(
                "the client goes from SYN-SENT to SYN-RECEIVED",
                "客户端由 SYN-SENT 进入 SYN-RECEIVED",
            ),
            "client",
            State.SYN_SENT,
            State.SYN_RECEIVED,
        ),
        sampled(
            "server_in_syn_received",
            Text("so does the server", "服务器同样由 SYN-SENT 进入 SYN-RECEIVED"),
            "server",
            State.SYN_SENT,
            State.SYN_RECEIVED,
        ),
    ),
    variants={
        "self_connect": {
            "roles": {"client": alone},
            "topology": Topology((Host("client", capabilities=("NET_RAW",)), Host("server"))),
            "listens": {},
            "rules": (),
            "scripts": (),
            "promises": (
                Promise(
                    "one_socket_is_both_ends",
                    Text(
                        "one socket is its own peer, and reads what it has sent",
                        "同一个套接字就是自己的对端，读到的是自己发送的数据",
                    ),
                    _own_echo,
                ),
                Promise(
                    "syn_and_syn_ack_have_one_isn",
                    Text(
                        "on the loopback SYN and SYN,ACK carry the same ports and the same ISN",
                        "环回接口上的 SYN 与 SYN,ACK 端口相同，ISN 也相同",
                    ),
                    _one_isn,
                ),
            ),
        },
    },
    sources=("RFC 9293 section 3.5 figure 7", "RFC 9293 section 3.10.7.3", "packet(7)"),
)
