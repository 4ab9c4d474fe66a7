"""Reno, CUBIC and BBR over the same slow link, first clean, then with random loss."""

from __future__ import annotations

import socket
import time
from itertools import pairwise

from lab.evidence.run import Evidence
from lab.evidence.states import sockets_of
from lab.scenarios.base import Promise, Scenario, Seen
from lab.tcp.model import Connection
from lab.tcp.segments import CLIENT
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.wire.rules import data, delay, drop, packets, rate
from services import stage

CLEAN, LOSSY = 12345, 12346  # ports: the wire loses frames only on the way to the second
ALGORITHMS = ("reno", "cubic", "bbr")
SPANS = {CLEAN: 0.8, LOSSY: 1.4}  # seconds that each of them sends for
CHUNK = 1 << 15  # octets of one call
LINK, QUEUE, ONE_WAY_MS = 3_000_000, 12, 30  # bit/s, frames, ms
PERCENT = 5  # of the data segments that the lossy link loses
NONE_YET = 0x7FFFFFFF  # ssthresh before the first loss
DISORDER, RECOVERY = 1, 3  # states of congestion avoidance (TCP_INFO tcpi_ca_state)


def server() -> None:
    """Read all that comes, one connection after another."""
    with socket.create_server(("", CLEAN)) as clean, socket.create_server(("", LOSSY)) as lossy:
        for _ in ALGORITHMS:
            for listener in (clean, lossy):
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(CHUNK, socket.MSG_WAITALL):
                        pass


def client(server: str) -> None:
    """Send for a while with each algorithm, over the clean link and over the lossy one."""
    for algorithm in ALGORITHMS:
        for port in (CLEAN, LOSSY):
            send_for((server, port), algorithm, SPANS[port])


def send_for(address: tuple[str, int], algorithm: str, seconds: float) -> None:
    """Send as fast as the kernel takes it, for so long; return when everything was read."""
    with socket.socket() as connection:
        choose(connection, algorithm)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, CHUNK // 2)
        connection.connect(address)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            connection.sendall(bytes(CHUNK))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1024)  # b""


def choose(connection: socket.socket, algorithm: str) -> None:
    """Set the congestion control of one socket: a system's default differs from host to host."""
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, algorithm.encode())
    except OSError as error:
        stage.unavailable(f"TCP congestion control {algorithm}", error)


def connection_of(evidence: Evidence, algorithm: str, port: int) -> Connection:
    """The connection with this algorithm and port: the client opened them in that order."""
    to_port = [one for one in evidence.view.connections if one.server.port == port]
    return to_port[ALGORITHMS.index(algorithm)]


def megabits(evidence: Evidence, algorithm: str, port: int) -> float:
    """Goodput: the data, each octet once, over the time from the first segment to the last."""
    connection = connection_of(evidence, algorithm, port)
    times = evidence.view.capture.frames.time[connection.rows]
    return connection.octets[0] * 8e3 / float(times[-1] - times[0])


def _goodputs(evidence: Evidence, port: int) -> dict[str, float]:
    return {name: megabits(evidence, name, port) for name in ALGORITHMS}


def _told(rates: dict[str, float]) -> str:
    return ", ".join(f"{name} {rate:.1f}" for name, rate in rates.items())


def _bbr_endures(evidence: Evidence) -> Seen:
    """Compared among each other: what a busy machine carries for the clean link is told only."""
    clean, lossy = _goodputs(evidence, CLEAN), _goodputs(evidence, LOSSY)
    words = Text("{lossy} Mbit/s; without loss {clean}", "{lossy} Mbit/s；不丢包时 {clean}")
    told = words.fill(lossy=_told(lossy), clean=_told(clean))
    return Seen(lossy["bbr"] >= 1.25 * max(lossy["reno"], lossy["cubic"]), told)


def reductions(evidence: Evidence, algorithm: str) -> list[tuple[int, int]]:
    """Each time its kernel took a segment for lost: cwnd in the sample before, ssthresh after.

    But for the end of the first slow start, in which cwnd doubles from one sample to the next.
    """
    kernel = evidence.kernel["client"]
    ends = [connection_of(evidence, algorithm, port) for port in (CLEAN, LOSSY)]
    found = []
    for life in (sockets_of(end, kernel.lives, 0, kernel.last)[CLIENT] for end in ends):
        for before, after in pairwise(one.numbers for one in (life.moments if life else ())):
            entered = before.get("ca_state", RECOVERY) <= DISORDER < RECOVERY <= after["ca_state"]
            if entered and before["ssthresh"] != NONE_YET:
                found.append((before["cwnd"], after["ssthresh"]))
    return found


def _keeps(algorithm: str, least: float, most: float, words: Text) -> Promise:
    """At a loss, the window shrinks to such a share of what it was, rounding and sampling aside."""

    def check(evidence: Evidence) -> Seen:
        found = reductions(evidence, algorithm)
        before, after = (sum(each) for each in zip(*found, strict=True)) if found else (0, 0)
        told = same(", ".join(f"{cwnd} → {ssthresh}" for cwnd, ssthresh in found))
        odd = len(found)  # each is rounded to a segment
        kept = least * before - odd <= after <= most * before + odd
        return Seen(kept and len(found) > 1, told)

    return Promise(f"{algorithm}_keeps", words, check)


SCENARIO = Scenario(
    id="cc_compare",
    title=Text("Reno, CUBIC, BBR", "拥塞控制算法对比"),
    group="congestion",
    level=3,
    teaches=(
        Text(
            "Reno and CUBIC take each loss for a sign of congestion. Reno halves its window, CUBIC keeps "
            "70 %; both grow until the queue overflows again: a saw-tooth",
            "Reno 与 CUBIC 把每次丢包都视为拥塞：Reno 将窗口减半，CUBIC 保留 70%；"
            "随后又增长到队列再次溢出，形成锯齿",
        ),
        Text(
            "On a clean link all three send about as much as it carries",
            "在不丢包的链路上，三者都能基本占满带宽",
        ),
        Text(
            "Loss that has nothing to do with congestion ruins the first two. Their rate falls with RTT "
            "and with the square root of the loss rate, whatever the link could carry",
            "与拥塞无关的随机丢包会毁掉前两者：其速率随 RTT 和丢包率的平方根下降，与链路带宽无关",
        ),
        Text(
            "BBR builds a model instead (bottleneck bandwidth, least RTT) and paces to it. Linux's "
            "version 1 hardly reacts to loss, and competes unfairly with those that do",
            "BBR 则建立模型（瓶颈带宽与最小 RTT），并据此控制发送节奏："
            "Linux 中的第 1 版对丢包几乎不作反应，与会退让的算法竞争时有失公平",
        ),
    ),
    topology=Topology((Host("client", capabilities=("NET_ADMIN",)), Host("server"))),
    roles={"server": server, "client": client},
    listens={"server": (f"{CLEAN}/tcp", f"{LOSSY}/tcp")},
    rules=(
        drop(data("client", destination_port=LOSSY), percent=PERCENT, seed=1),
        rate(packets("client"), bits_per_second=LINK, queue=QUEUE),
        delay(packets(), ms=ONE_WAY_MS),
    ),
    promises=(
        Promise(
            "bbr_endures",
            Text(
                "with random loss BBR delivers at least a quarter more than Reno and CUBIC",
                "随机丢包时，BBR 的吞吐量至少比 Reno 与 CUBIC 高四分之一",
            ),
            _bbr_endures,
        ),
        _keeps(
            "reno",
            0.4,
            0.58,
            Text("at a loss Reno keeps half of its window", "丢包时 Reno 保留窗口的一半"),
        ),
        _keeps(
            "cubic",
            0.58,
            0.8,
            Text("at a loss CUBIC keeps 70 % of its window", "丢包时 CUBIC 保留窗口的 70%"),
        ),
    ),
    sources=(
        "RFC 5681 section 3.1",
        "RFC 9438 section 4.6",
        "draft-ietf-ccwg-bbr",
        "tcp(7) TCP_CONGESTION",
    ),
)
