"""SO_REUSEPORT: several sockets listen on one port, and a hash of the four-tuple picks one."""

from __future__ import annotations

import selectors
import socket
import struct
from collections import Counter
from contextlib import suppress

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import OK, called, returned
from lab.text import Text
from services import stage

PORT = 12345
LISTENERS = 3
PORTS = range(40001, 40016)  # the client's; it visits twice from each
ABORT = struct.pack("ii", 1, 0)  # struct linger: close() sends RST, and the port is free again


def server() -> None:
    """Open the listeners, and one too many; take each visitor where the kernel has put it."""
    listeners = [listen(reuse=True) for _ in range(LISTENERS)]
    try:
        listen(reuse=False)
    except OSError as error:
        print(error, flush=True)
    with selectors.DefaultSelector() as selector:
        for listener in listeners:
            selector.register(listener, selectors.EVENT_READ, listener)
        stage.say("all_listen")
        for _ in range(2 * len(PORTS)):
            key, _ = selector.select()[0]
            see_off(key.data)
    for listener in listeners:
        listener.close()


def listen(*, reuse: bool) -> socket.socket:
    """Open a listener, sharing its port if asked to."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse)
    listener.bind(("", PORT))
    listener.listen()
    return listener


def see_off(listener: socket.socket) -> None:
    """Accept, and wait until the visitor leaves."""
    connection, _ = listener.accept()
    with connection, suppress(ConnectionResetError):
        connection.recv(1)


def client(server: str) -> None:
    """Visit from each port, then from each once more."""
    stage.wait("all_listen")
    for port in [*PORTS, *PORTS]:
        with socket.socket() as connection:
            connection.bind(("", port))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            connection.connect((server, PORT))


def _visits(evidence: Evidence) -> list[tuple[int, int]]:
    """The port of each visitor, and the descriptor of the listener that it came to."""
    visits = []
    for call in called(evidence, "server", "accept"):
        if isinstance(call.result, list):
            _, (_, port) = call.result  # the new descriptor, and the peer's address
            visits.append((int(port), call.fd))
    return visits


def _shared(evidence: Evidence) -> Seen:
    """That one listener gets them all by chance: once in 3^14 runs, 4.8 million."""
    counts = Counter(listener for _, listener in _visits(evidence))
    told = " / ".join(str(count) for _, count in sorted(counts.items()))
    words = Text("{told} connections", "各得 {told} 条连接")
    kept = len(counts) > 1 and counts.total() == 2 * len(PORTS)
    return Seen(kept, words.fill(told=told))


def _by_hash(evidence: Evidence) -> Seen:
    """Both visits from a port come to one listener; taking turns would part most of them."""
    visits = _visits(evidence)
    listeners = {port: [fd for one, fd in visits if one == port] for port in PORTS}
    same_place = sum(len(found) == 2 and len(set(found)) == 1 for found in listeners.values())
    words = Text(
        "{n} of {all} ports: the same listener", "{all} 个端口中有 {n} 个两次都到同一监听者"
    )
    return Seen(same_place == len(PORTS), words.fill(n=same_place, all=len(PORTS)))


SCENARIO = Scenario(
    id="reuseport_balance",
    title=Text("SO_REUSEPORT", "SO_REUSEPORT 负载分担"),
    group="time_wait",
    level=2,
    teaches=(
        Text(
            "With SO_REUSEPORT several sockets listen on one port, each with an accept queue of its own. "
            "There is one a process or thread, and none is woken for another's client",
            "设置 SO_REUSEPORT 后，多个套接字可以监听同一端口，各有自己的全连接队列："
            "每个进程或线程一个，互不惊扰",
        ),
        Text(
            "The kernel does not take turns. A hash of the four-tuple picks the listener, so few "
            "connections spread unevenly, and the same four-tuple always comes to the same one",
            "内核并非轮流分配，而是以四元组的散列选择监听者：连接少时分布不均，"
            "同一个四元组总是落到同一个监听者",
        ),
        Text(
            "All of them have to set it before bind(), and belong to one user; the next one without it "
            "gets EADDRINUSE",
            "所有监听者都要在 bind() 之前设置，并且属于同一用户；没有设置的下一个得到 EADDRINUSE",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S RST,ACK  seq 1  ack 1
        """,
    ),
    promises=(
        returned(
            "one_without_it_fails",
            Text(
                "three sockets bind the port with SO_REUSEPORT, a fourth without it fails",
                "三个套接字以 SO_REUSEPORT 绑定同一端口，未设置的第四个失败",
            ),
            "server",
            "bind",
            *[OK] * LISTENERS,
            "EADDRINUSE",
        ),
        Promise(
            "shared_out",
            Text("the kernel shares the connections out", "连接由内核分给各个监听者"),
            _shared,
        ),
        Promise(
            "by_the_four_tuple",
            Text(
                "two connections from one port come to the same listener",
                "来自同一端口的两次连接落到同一个监听者",
            ),
            _by_hash,
        ),
    ),
    sources=("socket(7) SO_REUSEPORT",),
)
