"""The last segment is lost: nothing follows that could ask for it, so the sender probes."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.evidence.states import sockets_of
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import counted
from lab.tcp.segments import CLIENT
from lab.text import Text
from lab.topology import Host, Topology
from lab.wire.rules import data, delay, drop, packets, span

PORT = 12345
SEGMENT = 1448  # octets: an MSS of 1460 less 12 for the timestamps
WINDOW = 10  # segments: the initial window, all leave at once


def server() -> None:
    """Read all ten segments."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(WINDOW * SEGMENT, socket.MSG_WAITALL)


def client(server: str) -> None:
    """Send ten segments at once, and nothing after them."""
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        connection.connect((server, PORT))
        connection.sendall(bytes(WINDOW * SEGMENT))
        connection.recv(1024)  # b"": the server has everything


def _smallest_window(evidence: Evidence) -> int:
    """The least congestion window that the client's kernel told of, in segments."""
    kernel, connection = evidence.kernel["client"], evidence.view.connections[0]
    life = sockets_of(connection, kernel.lives, 0, kernel.last)[CLIENT]
    return min(window for _, window in life.history("cwnd")) if life else 0


def _window(name: str, words: Text, least: int, most: int) -> Promise:
    def check(evidence: Evidence) -> Seen:
        window = _smallest_window(evidence)
        told = Text("cwnd {n} at the least", "cwnd 最小为 {n}").fill(n=window)
        return Seen(least <= window <= most, told)

    return Promise(name, words, check)


def _counted(name: str, counter: str, times: int) -> Promise:
    words = Text("the client's kernel counts {n} {what}", "客户端内核的 {what} 计数为 {n}")
    what = f"TcpExt.{counter}"
    return counted(name, words.fill(n=times, what=counter), "client", what, times, times)


PROBED = (_counted("one_probe", "TCPLossProbes", 1), _counted("no_timeout", "TCPTimeouts", 0))

SCENARIO = Scenario(
    id="tail_loss_probe",
    title=Text("Last segment lost", "尾部丢包与 TLP"),
    group="loss",
    level=3,
    teaches=(
        Text(
            "Behind the last segment nothing follows: no duplicate ACK will ever tell of its loss",
            "最后一个报文段之后没有别的数据：它若丢失，不会有任何重复 ACK 来报告",
        ),
        Text(
            "So the kernel sends the last segment again as a probe (TLP), after two round trips. It adds "
            "200 ms if only one is in flight, whose ACK the other end may delay. It never waits longer "
            "than the timeout would, hence 300 ms here",
            "于是内核在两个往返之后重发最后一段作为探测（TLP）；若只有一段在途，"
            "对方可能延迟确认，再加 200 ms；但不会晚于超时本来的时刻，因此这里等了约 300 ms",
        ),
        Text(
            "A probe is no timeout, even when it comes as late as one. The congestion window stays as it "
            "was, while a timeout begins again with one segment",
            "探测不是超时，即使来得同样晚：拥塞窗口保持不变，而超时会使其从一个报文段重新开始",
        ),
        Text(
            "If more was lost than the last segment, the SACK that the probe draws shows the gap, "
            "and fast retransmission fills it",
            "如果丢失的不止最后一段，探测引来的 SACK 会指出缺口，随后由快速重传补上",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(data("client"), nth=WINDOW), delay(packets(), ms=50)),
    scripts=(
        """
        ...
        C>S PSH,ACK  seq 13033  +1448             lost
        ...
        S>C ACK                        ack 13033
        C>S PSH,ACK  seq 13033  +1448             after 0.28..3 s
        S>C ACK                        ack 14481  optional
        S>C FIN,ACK  seq 1             ack 14481
        ...
        """,
    ),
    promises=(
        *PROBED,
        _window(
            "window_stays",
            Text("the congestion window never shrinks", "拥塞窗口始终没有缩小"),
            WINDOW,
            10 * WINDOW,
        ),
    ),
    variants={
        "two_lost": {
            # An ACK that comes sooner than any before may be of the original, not of the probe, and
            # RACK learns nothing from it (RFC 8985 section 6.2): so the probe takes a longer way.
            "rules": (
                drop(data("client"), nth=span(9, 10)),
                delay(data("client", repeated=True), ms=60),
                delay(packets(), ms=50),
            ),
            "scripts": (
                """
                ...
                C>S [PSH],ACK  seq 11585  +1448             lost
                C>S PSH,ACK    seq 13033  +1448             lost
                ...
                S>C ACK                          ack 11585
                C>S PSH,ACK    seq 13033  +1448             after 0.19..3 s
                S>C ACK                          ack 11585  sack 13033:14481
                C>S [PSH],ACK  seq 11585  +1448
                S>C ACK                          ack 14481  optional
                S>C FIN,ACK    seq 1             ack 14481
                ...
                """,
            ),
            "promises": PROBED,
        },
        "timeout": {
            "topology": Topology(
                (Host("client", sysctls={"net.ipv4.tcp_early_retrans": "0"}), Host("server"))
            ),
            "promises": (
                _counted("no_probe", "TCPLossProbes", 0),
                _counted("one_timeout", "TCPTimeouts", 1),
                _window(
                    "window_begins_again",
                    Text("the congestion window falls to one segment", "拥塞窗口跌到一个报文段"),
                    1,
                    1,
                ),
            ),
        },
    },
    sources=("RFC 8985 sections 6.2 and 7", "RFC 5681 section 3.1", "ip-sysctl tcp_early_retrans"),
)
