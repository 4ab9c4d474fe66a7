"""The diagnosis room: symptoms at the client, at most five pieces of evidence, then the cause.

The fewer pieces were looked at, the better: 100 points less PRICE for each, none for a wrong cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from lab.evidence.run import Evidence
from lab.questions.runs import Run
from lab.text import Text
from lab.units import short_span

MOST = 5
PRICE = 12


class Piece(StrEnum):
    """What may be asked for."""

    SOCKETS = "sockets"  # the socket tables of both hosts
    CLIENT = "client"  # the capture at the client's port
    SERVER = "server"  # the capture at the server's port
    COUNTERS = "counters"  # of both kernels
    CALLS = "calls"  # the server's call log
    SYSCTLS = "sysctls"


PIECES: Mapping[Piece, Text] = {
    Piece.SOCKETS: Text("the socket tables of the hosts", "各主机的套接字表"),
    Piece.CLIENT: Text("the capture at the client", "客户端处的抓包"),
    Piece.SERVER: Text("the capture at the server", "服务器处的抓包"),
    Piece.COUNTERS: Text("the kernels' counters", "内核计数器"),
    Piece.CALLS: Text("the server's call log", "服务器的调用记录"),
    Piece.SYSCTLS: Text("the sysctls", "sysctl 设置"),
}

CAUSES: Mapping[str, Text] = {
    "rst_refused": Text("nothing listens at that port", "该端口没有程序监听"),
    "syn_blackhole": Text("SYNs vanish on the way, without a word", "SYN 在途中被悄悄丢弃"),
    "loopback_bind": Text("the server listens on loopback only", "服务器只监听回环地址"),
    "accept_queue_overflow": Text(
        "the server's program does not accept: its accept queue is full",
        "服务器程序不 accept，全连接队列已满",
    ),
    "zero_window": Text(
        "the receiving program does not read: its window is zero",
        "接收方程序不读取数据，窗口为零",
    ),
    "close_wait_leak": Text(
        "the server's program never closes what the client has closed",
        "客户端已关闭，而服务器程序从不 close",
    ),
    "half_open_vanished": Text(
        "the other host has vanished without closing", "对端主机没有关闭连接就消失了"
    ),
    "rst_unread_data": Text(
        "the server closed with data unread, which resets", "服务器在数据未读完时关闭，引发复位"
    ),
    "send_after_peer_close": Text(
        "the client goes on sending after the server has closed",
        "服务器关闭之后客户端仍继续发送",
    ),
    "nagle_delack": Text(
        "Nagle's algorithm waits for an ACK that is being delayed",
        "Nagle 算法在等一个被推迟的 ACK",
    ),
    "pmtud_blackhole": Text(
        "large segments vanish: a path MTU black hole", "大报文段消失：路径 MTU 黑洞"
    ),
    "data_loss_rto": Text(
        "a data segment was lost, and only the timer noticed",
        "一个数据报文段丢失，只有定时器发现",
    ),
    "udp_port_unreachable": Text(
        "no UDP socket is bound to that port", "没有 UDP 套接字绑定到该端口"
    ),
    "abort_linger0": Text(
        "one end aborts with SO_LINGER 0: RST instead of FIN",
        "一端以 SO_LINGER 0 中止：发 RST 而不是 FIN",
    ),
}
"""What is wrong, by the scenario in which it is."""


class Found(Struct, frozen=True):
    """What became of a diagnosis."""

    right: bool
    cause: str
    pieces: int

    @property
    def score(self) -> int:
        return max(0, 100 - PRICE * self.pieces) if self.right else 0


def cases() -> tuple[str, ...]:
    """The scenarios that may lie behind the symptoms."""
    return tuple(CAUSES)


def symptoms(evidence: Evidence) -> list[str]:
    """What the client's programs saw: their calls with their results, nothing else."""
    host = "client" if "client" in evidence.calls else next(iter(evidence.calls), "")
    return list(_calls(evidence, host))


def piece(evidence: Evidence, wanted: Piece) -> list[str]:
    """One piece of evidence, line by line; captures are drawn by whoever shows them."""
    if wanted is Piece.CALLS:
        others = [host for host in evidence.calls if host != "client"]
        return [line for host in others for line in _calls(evidence, host)]
    return [line for host in evidence.kernel for line in _kernel(evidence, host, wanted)]


def judged(scenario: str, cause: str, pieces: Sequence[Piece]) -> Found:
    """Whether the cause is the one, and what it is worth."""
    return Found(cause == scenario, scenario, len(set(pieces)))


def _calls(evidence: Evidence, host: str) -> Iterator[str]:
    run = Run("", evidence)
    log = run.calls(host)
    for one in log:
        yield f"{host} {short_span(one.before - log[0].before):>8}  {one.words}"


def _kernel(evidence: Evidence, host: str, wanted: Piece) -> Iterator[str]:
    kernel = evidence.kernel[host]
    if wanted is Piece.COUNTERS:
        grown = {name: value for name, value in kernel.counters.items() if value}
        yield from (f"{host} {name} +{value}" for name, value in sorted(grown.items()))
    elif wanted is Piece.SYSCTLS:
        yield from (f"{host} {name} = {value}" for name, value in sorted(kernel.sysctls.items()))
    else:
        for life in kernel.lives:
            ends = " > ".join(f"{end[0]}:{end[1]}" for end in (life.local, life.peer) if end)
            states = " → ".join(stay.state for stay in kernel.stays(life))
            last = life.moments[-1].numbers
            queues = f"recv_q {last.get('recv_q', 0)} send_q {last.get('send_q', 0)}"
            yield f"{host} {life.protocol} {ends} {states} {queues}"
