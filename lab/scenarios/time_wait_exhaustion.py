"""A client that always closes first uses up its ports: each stays in TIME-WAIT for a minute."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from itertools import count

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import returned
from lab.scenarios.seen import segments
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import SequenceNumber
from services import stage, waits

PORT, OTHER_PORT = 12345, 12346
FIRST, LAST = 45000, 45001  # an even number: Linux leaves out the last port of an odd one
PORTS = LAST - FIRST + 1
OLD_ENOUGH = 1.2  # seconds: tcp_tw_reuse wants 1 s in TIME-WAIT (tcp_tw_reuse_delay)


def server(*, visits: int = PORTS) -> None:
    """Serve so many connections, and one on the other port; always close after the client."""
    with socket.create_server(("", PORT)) as one, socket.create_server(("", OTHER_PORT)) as other:
        for number, listener in enumerate((*[one] * visits, other)):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)  # b""
                # Two CPUs may swap this ACK and the FIN behind it: a RST would end TIME-WAIT (RFC 1337).
                stage.wait(f"fin_acknowledged_{number}")


def client(server: str, *, pause: float = 0.0) -> None:
    """Use each port once; then, perhaps later, once more; then for another port of the server."""
    numbers = count()
    for _ in range(PORTS):
        visit(server, PORT, numbers)
    time.sleep(pause)
    try:
        visit(server, PORT, numbers)
    except OSError as error:
        print(error, flush=True)
    visit(server, OTHER_PORT, numbers)


def visit(server: str, port: int, numbers: Iterator[int]) -> None:
    """Connect, close first, and see the server's FIN: TIME-WAIT has begun."""
    with socket.create_connection((server, port)) as connection:
        connection.shutdown(socket.SHUT_WR)
        waits.acknowledged(connection)
        stage.say(f"fin_acknowledged_{next(numbers)}")
        connection.recv(1024)  # b""


def _ports(evidence: Evidence) -> list[int]:
    """The client's port in each connection."""
    return [connection.client.port for connection in evidence.view.connections]


def _used_up(evidence: Evidence) -> Seen:
    ports = _ports(evidence)[:PORTS]
    kept = sorted(ports) == list(range(FIRST, LAST + 1))
    return Seen(kept, same(", ".join(map(str, ports))))


def _all_wait(evidence: Evidence) -> Seen:
    """The ends that the client's kernel still keeps when the run is over."""
    lives = evidence.kernel["client"].lives
    left = [life for life in lives if life.peer and not life.end]
    states = [life.moments[-1].state for life in left]
    told = ", ".join(f"{life.local[1]} → {life.peer[1]}" for life in left if life.peer)
    return Seen(states == ["TIME-WAIT"] * (PORTS + 1), same(f"TIME-WAIT: {told}"))


def _same_port(evidence: Evidence) -> Seen:
    """Whether the last connection, to the other port, left from a port used before."""
    last = evidence.view.connections[-1]
    told = same(f"{last.client.port} → {last.server.port}")
    kept = last.server.port == OTHER_PORT and last.client.port in _ports(evidence)[:-1]
    return Seen(kept, told, tuple(int(row) + 1 for row in last.rows[:1]))


def _reused(evidence: Evidence) -> Seen:
    """The third connection against the one whose port it took: its numbers begin beyond."""
    connections = evidence.view.connections
    again = connections[PORTS]
    same_ends = [one for one in connections[:PORTS] if one.client == again.client]
    before = same_ends[0]
    ended = (before.isn[0] or 0) + segments(evidence, before)[-1].sequence
    ahead = SequenceNumber(again.isn[0] or 0) - SequenceNumber(ended)
    words = Text(
        "port {port} again, its ISN {n} beyond the last number before",
        "再次使用端口 {port}，ISN 比此前最后一个序号大 {n}",
    )
    number = segments(evidence, again)[0].number
    return Seen(ahead > 0, words.fill(port=again.client.port, n=ahead), (number,))


VISIT = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    C>S FIN,ACK  seq 1  ack 1
    S>C ACK      seq 1  ack 2
    S>C FIN,ACK  seq 1  ack 2
    C>S ACK      seq 2  ack 2
    """


def _client(tw_reuse: int) -> Topology:
    """A client with few ports, and this tcp_tw_reuse."""
    sysctls = {
        "net.ipv4.ip_local_port_range": f"{FIRST} {LAST}",
        "net.ipv4.tcp_tw_reuse": f"{tw_reuse}",
    }
    return Topology((Host("client", sysctls=sysctls), Host("server")))


def _connects(words: Text, *outcomes: str) -> Promise:
    return returned("connects", words, "client", "connect", *outcomes)


USED_UP = Promise(
    "used_up",
    Text(
        "the first connections take one port each, until none is left",
        "前几个连接各占一个端口，直至用尽",
    ),
    _used_up,
)

SCENARIO = Scenario(
    id="time_wait_exhaustion",
    title=Text("Ephemeral ports run out", "临时端口耗尽"),
    group="time_wait",
    level=3,
    teaches=(
        Text(
            "connect() takes a port from ip_local_port_range. A client that closes first keeps it "
            "in TIME-WAIT for 60 s; when all are there, connect() fails with EADDRNOTAVAIL",
            "connect() 从 ip_local_port_range 中选取端口。先关闭的客户端会让该端口在 TIME-WAIT "
            "中停留 60 秒；全部占满后，connect() 以 EADDRNOTAVAIL 失败",
        ),
        Text(
            "With the usual 28,232 ports that is 470 connections a second, for ever, to one "
            "address and port",
            "默认共有 28,232 个端口，对同一目的地址和端口，长期最多每秒 470 个连接",
        ),
        Text(
            "Not the port is used up but the pair of ends: towards another port of the server "
            "the same local ports are free",
            "用尽的不是端口，而是两端的组合：对服务器的另一个端口，同样的本地端口仍可使用",
        ),
        Text(
            "tcp_tw_reuse=1 lets connect() take a port over after 1 s in TIME-WAIT. Timestamps tell old "
            "segments from new ones, and the numbers begin beyond the old ones. The default, 2, allows "
            "that on loopback only",
            "tcp_tw_reuse=1 允许 connect() 接手已在 TIME-WAIT 停留 1 秒的端口：时间戳可区分新旧"
            "报文段，新的序号也从旧序号之后开始。默认值 2 只对环回地址生效",
        ),
        Text(
            "Better not to need it: keep connections open, or let the server close first",
            "更好的办法是避免这种情形：复用连接，或让服务器先关闭",
        ),
    ),
    topology=_client(tw_reuse=2),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp", f"{OTHER_PORT}/tcp")},
    scripts=(VISIT,) * (PORTS + 1),
    promises=(
        USED_UP,
        _connects(
            Text(
                "connect() fails with EADDRNOTAVAIL when no port is left, for this destination only",
                "端口用尽后 connect() 以 EADDRNOTAVAIL 失败，且只针对这一目的端口",
            ),
            *["ok"] * PORTS,
            "EADDRNOTAVAIL",
            "ok",
        ),
        Promise(
            "same_port",
            Text(
                "the connection to the other port of the server leaves from a port used before",
                "连接服务器另一端口时，用的是先前用过的本地端口",
            ),
            _same_port,
        ),
        Promise(
            "all_wait",
            Text("all of them end in TIME-WAIT at the client", "它们最终都在客户端处于 TIME-WAIT"),
            _all_wait,
        ),
    ),
    variants={
        "tw_reuse": {
            "topology": _client(tw_reuse=1),
            "options": {"server": {"visits": PORTS + 1}, "client": {"pause": OLD_ENOUGH}},
            "scripts": (VISIT,) * (PORTS + 2),
            "promises": (
                USED_UP,
                _connects(
                    Text("connect() succeeds each time", "每次 connect() 都成功"),
                    *["ok"] * (PORTS + 2),
                ),
                Promise(
                    "reused",
                    Text(
                        "a port in TIME-WAIT is taken over, with numbers beyond the old ones",
                        "处于 TIME-WAIT 的端口被重新使用，序号从旧序号之后开始",
                    ),
                    _reused,
                ),
            ),
        }
    },
    sources=(
        "Linux ip-sysctl: ip_local_port_range, tcp_tw_reuse",
        "connect(2) EADDRNOTAVAIL",
        "RFC 6191",
    ),
)
