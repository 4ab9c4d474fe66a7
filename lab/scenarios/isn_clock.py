"""Where initial sequence numbers come from: a clock, and a secret offset for each four-tuple."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text, same
from lab.units import MODULUS

PORT = 12345
FIXED_PORT = 40123
AGAIN, FRESH = 3, 5  # connections from the fixed port, then from a new port each
PAUSE = 0.1  # seconds between two of them: what the numbers are to show
ABORT = struct.pack("ii", 1, 0)  # struct linger: close() sends RST, so that no TIME-WAIT is left
TICK = 64  # ns of the clock by which Linux counts


def server() -> None:
    """Take one connection after another, each until it is reset."""
    with socket.create_server(("", PORT)) as listener:
        for _ in range(AGAIN + FRESH):
            connection, _ = listener.accept()
            with connection, suppress(ConnectionResetError):
                connection.recv(1)


def client(server: str) -> None:
    """Connect and abort, from one port, then from others."""
    for _ in range(AGAIN):
        visit(server, FIXED_PORT)
        time.sleep(PAUSE)
    for _ in range(FRESH):
        visit(server, 0)


def visit(server: str, port: int) -> None:
    """Connect from a port (0: whichever is free) and abort."""
    with socket.socket() as connection:
        connection.bind(("", port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        connection.connect((server, PORT))


def _births(evidence: Evidence, side: int) -> Iterator[tuple[int, int, int]]:
    """Each ISN of one side (0 the client's, 1 the server's), and the span (ns) in which it was made.

    The client's: between the call of connect() and the SYN. The server's: between the SYN's arrival
    at its port and the SYN,ACK.
    """
    view = evidence.views[side]
    times = view.capture.frames.time
    calls = called(evidence, "client", "connect")
    for call, connection in zip(calls, view.connections, strict=False):
        syn, answer = (int(times[row]) for row in connection.rows[:2])
        since, until = (syn, answer) if side else (call.before, syn)
        yield connection.isn[side] or 0, since, until


def _follow(evidence: Evidence, side: int) -> list[tuple[int, int, bool]]:
    """By how much each ISN exceeds the one before, the time between (ns), and whether both agree:
    the clock has gone on by as many ticks as lie between two moments of the two spans.
    """
    found = []
    for (isn, since, until), (later, later_since, later_until) in pairwise(_births(evidence, side)):
        growth = (later - isn) % MODULUS
        least, most = (later_since - until) // TICK - 1, (later_until - since) // TICK + 1
        found.append((growth, later_until - until, least <= growth <= most))
    return found


def _steady(evidence: Evidence) -> Seen:
    """From the fixed port, at both ends: one more every 64 ns."""
    steps = [step for side in (0, 1) for step in _follow(evidence, side)[: AGAIN - 1]]
    told = ", ".join(
        f"{span / 1e6:.1f} ms / {growth:,} = {span / growth:.1f} ns" for growth, span, _ in steps
    )
    frames = tuple(one.handshake_frames[0] for one in evidence.view.connections[:AGAIN])
    kept = len(steps) == 2 * (AGAIN - 1) and all(agrees for _, _, agrees in steps)
    return Seen(kept, same(told), frames)


def _unrelated(evidence: Evidence) -> Seen:
    """From fresh ports the clock explains nothing; by chance it may once seem to."""
    steps = _follow(evidence, 0)[AGAIN:]
    agree = sum(agrees for _, _, agrees in steps)
    words = Text("{agree} of {n} steps fit the clock", "{n} 次变化中有 {agree} 次与时钟相符")
    frames = tuple(one.handshake_frames[0] for one in evidence.view.connections[AGAIN:])
    return Seen(
        len(steps) == FRESH - 1 and agree <= 1, words.fill(agree=agree, n=len(steps)), frames
    )


SCENARIO = Scenario(
    id="isn_clock",
    title=Text("Initial sequence numbers", "初始序列号"),
    group="open_close",
    level=3,
    teaches=(
        Text(
            "ISN = clock + keyed hash of the four-tuple: nobody who cannot see the segments can guess it",
            "ISN = 时钟 + 四元组的带密钥散列：看不到报文段的人无从猜测",
        ),
        Text(
            "The same four-tuple has the same offset, so its ISN grows with the clock alone. On Linux it "
            "grows by one every 64 ns, once around in 275 s",
            "同一个四元组的偏移不变，其 ISN 只随时钟增长：在 Linux 上每 64 纳秒加一，约 275 秒回绕一圈",
        ),
        Text(
            "So a new connection on old ports begins where the clock is now. A late segment of the old "
            "one has numbers from behind, and is no part of the new stream",
            "因此在相同端口上重新建立的连接从时钟的当前值开始：旧连接迟到的报文段序列号落在后面，"
            "不会混入新的数据流",
        ),
        Text(
            "RFC 9293 speaks of one every 4 µs. Linux counts faster, as networks are faster, but still "
            "goes around only once in two lives of a segment (MSL, 2 min)",
            "RFC 9293 设想每 4 微秒加一；如今网络更快，Linux 计数也更快，"
            "但回绕一圈仍长于报文段最长寿命 MSL（2 分钟）的两倍",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0  ack 1
        C>S ACK      seq 1  ack 1
        C>S RST,ACK  seq 1  ack 1
        """,
    ),
    promises=(
        Promise(
            "the_same_four_tuple_follows_the_clock",
            Text(
                "same four-tuple: each end's ISN is higher by the time gone by, in units of 64 ns",
                "四元组相同：两端的 ISN 都按经过的时间增长，每 64 纳秒加一",
            ),
            _steady,
        ),
        Promise(
            "others_do_not",
            Text(
                "other ports: the next ISN is not where the clock alone would put it",
                "换了端口：下一个 ISN 与时钟的推算不符",
            ),
            _unrelated,
        ),
    ),
    sources=("RFC 9293 section 3.4.1", "RFC 6528"),
)
