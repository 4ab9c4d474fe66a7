"""TIME-WAIT: who gets it, for how long, and what it is there for."""

from __future__ import annotations

import socket

from msgspec.structs import replace

from lab.evidence.run import Evidence
from lab.evidence.states import Moment
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import goes_off, sampled
from lab.scenarios.seen import segments
from lab.text import Text
from lab.topology import Host, Topology
from lab.wire.rules import FIN, drop, pure_ack, segment
from services import stage, waits

PORT = 12345
REQUEST, REPLY = b"ping", b"pong"
LENGTH = 60_000  # ms: TCP_TIMEWAIT_LEN of Linux (include/net/tcp.h)
FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"


def server(*, closes_first: bool = False) -> None:
    """Answer once; then close, before the client or after it."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)
            finish(connection, closes_first=closes_first)


def client(server: str, *, closes_first: bool = True) -> None:
    """Ask once; then close, before the server or after it."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.recv(1024)
        finish(connection, closes_first=closes_first)


def finish(connection: socket.socket, *, closes_first: bool) -> None:
    """Send FIN now; or leave that to close(), once the other's FIN is here and acknowledged."""
    if closes_first:
        connection.shutdown(socket.SHUT_WR)
        waits.acknowledged(connection)
        stage.say("fin_acknowledged")
    connection.recv(1024)  # b""
    # Two CPUs may swap this ACK and the FIN behind it: a RST would end TIME-WAIT (RFC 1337).
    stage.wait("fin_acknowledged")


def _waits(evidence: Evidence, host: str) -> list[Moment]:
    """The first sample of each socket of a host in TIME-WAIT."""
    lives = evidence.kernel[host].lives
    found = [[one for one in life.moments if one.state == "TIME-WAIT"] for life in lives]
    return [moments[0] for moments in found if moments]


def _one_of_two(host: str) -> Promise:
    """Promise that this host has the only socket in TIME-WAIT."""

    def check(evidence: Evidence) -> Seen:
        counts = {name: len(_waits(evidence, name)) for name in ("client", "server")}
        told = Text("TIME-WAIT: {n}", "TIME-WAIT：{n}")
        kept = counts == {"client": 0, "server": 0} | {host: 1}
        return Seen(kept, told.fill(n=", ".join(f"{name} {n}" for name, n in counts.items())))

    words = Text(
        "TIME-WAIT is at the {host}, which closed first, and there alone",
        "只有先关闭的 {host} 一端处于 TIME-WAIT",
    )
    return Promise("one_of_two", words.fill(host=host), check)


def _sixty_seconds(host: str) -> Promise:
    """Promise when the timer goes off, counted from the other's FIN, which began TIME-WAIT."""

    def check(evidence: Evidence) -> Seen:
        seen = segments(evidence, evidence.view.connections[0])
        fins = [one for one in seen if "FIN" in one.flags and one.sender != host[0].upper()]
        moment = _waits(evidence, host)[0]
        found = goes_off(moment, fins[0], LENGTH)
        return replace(found, kept=found.kept and moment.timer == "time-wait")

    words = Text("TIME-WAIT is to last for 60 s", "TIME-WAIT 将持续 60 秒")
    return Promise("sixty_seconds", words, check)


def _fin_timeout(evidence: Evidence) -> Seen:
    value = evidence.kernel["client"].sysctls[FIN_TIMEOUT]
    return Seen(int(value) * 1000 < LENGTH, Text("{value} s", "{value} 秒").fill(value=value))


OPEN = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    ...
    """
CLIENT_FIRST = f"""{OPEN}
    C>S FIN,ACK  seq 5  ack 5
    S>C ACK      seq 5  ack 6
    S>C FIN,ACK  seq 5  ack 6
    """

SCENARIO = Scenario(
    id="time_wait_basics",
    title=Text("TIME-WAIT", "TIME-WAIT 状态"),
    group="time_wait",
    core=True,
    teaches=(
        Text(
            "Whoever closes first ends in TIME-WAIT, client or server; the other end is gone at once",
            "谁先关闭，谁进入 TIME-WAIT，客户端和服务器都一样；另一端则立即消失",
        ),
        Text(
            "No process holds it: the program has closed the socket, and may long have ended",
            "它不属于任何进程：程序早已关闭套接字，甚至早已退出",
        ),
        Text(
            "The RFC wants twice the maximum segment lifetime, 4 minutes; Linux takes 60 s, and "
            "no sysctl changes that: tcp_fin_timeout is about FIN-WAIT-2",
            "RFC 规定为两倍最大报文段生存期，即 4 分钟；Linux 固定为 60 秒，没有参数可以修改："
            "tcp_fin_timeout 管的是 FIN-WAIT-2",
        ),
        Text(
            "It is there to acknowledge the other's FIN again, should the last ACK be lost. It also lets "
            "old segments die before the same ports are used again",
            "它的作用有二：最后一个 ACK 丢失时，再次确认对方的 FIN；"
            "让旧报文段在同一对端口被重新使用之前从网络中消失",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        f"""{CLIENT_FIRST}
        C>S ACK      seq 6  ack 6
        """,
    ),
    promises=(_one_of_two("client"), _sixty_seconds("client")),
    variants={
        "server_side": {
            "options": {"server": {"closes_first": True}, "client": {"closes_first": False}},
            "scripts": (
                f"""{OPEN}
                S>C FIN,ACK  seq 5  ack 5
                C>S ACK      seq 5  ack 6
                C>S FIN,ACK  seq 5  ack 6
                S>C ACK      seq 6  ack 6
                """,
            ),
            "promises": (_one_of_two("server"), _sixty_seconds("server")),
        },
        "last_ack_lost": {
            "rules": (drop(pure_ack("client"), nth=1, after=segment(FIN, sender="server")),),
            "scripts": (
                f"""{CLIENT_FIRST}
                C>S ACK      seq 6  ack 6  lost
                S>C FIN,ACK  seq 5  ack 6  after 0.1..30 s
                C>S ACK      seq 6  ack 6
                """,
            ),
            "promises": (
                _one_of_two("client"),
                sampled(
                    "last_ack_waits",
                    Text(
                        "the server's end stays in LAST-ACK until its FIN is acknowledged",
                        "服务器一端停留在 LAST-ACK，直到它的 FIN 被确认",
                    ),
                    "server",
                    "LAST-ACK",
                    "CLOSED",
                ),
            ),
        },
        "fin_timeout": {
            "topology": Topology((Host("client", sysctls={FIN_TIMEOUT: "5"}), Host("server"))),
            "promises": (
                Promise(
                    "fin_timeout",
                    Text("tcp_fin_timeout is shorter than that", "tcp_fin_timeout 比这更短"),
                    _fin_timeout,
                ),
                _sixty_seconds("client"),
            ),
        },
    },
    sources=(
        "RFC 9293 section 3.6.1",
        "RFC 9293 section 3.4.2",
        "Linux ip-sysctl: tcp_fin_timeout",
    ),
)
