"""A SYN that nobody answers: connect() waits, the kernel repeats the SYN, and silence is no refusal."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.wire.rules import SYN, drop, segment

PORT = 12345


def server() -> None:
    """Listen; no SYN will arrive."""
    with socket.create_server(("", PORT)) as listener:
        listener.settimeout(3.5)
        try:
            listener.accept()
        except TimeoutError:
            print("nobody came", flush=True)


def client(server: str, *, user_timeout_ms: int = 2500) -> None:
    """Connect, and give up after the time that TCP_USER_TIMEOUT grants."""
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout_ms)
        try:
            connection.connect((server, PORT))
        except TimeoutError as error:
            print(error, flush=True)


def _timed_out(evidence: Evidence) -> Seen:
    calls = [call for call in evidence.calls["client"] if call.function == "connect"]
    errors = ", ".join(call.error for call in calls)
    return Seen(errors == "ETIMEDOUT", same(errors or "no connect"))


SCENARIO = Scenario(
    id="syn_blackhole",
    title=Text("SYN into a black hole", "SYN 石沉大海"),
    group="handshake",
    core=True,
    teaches=(
        Text(
            "Nothing comes back: the kernel repeats the SYN, and connect() fails with ETIMEDOUT",
            "没有任何回应：内核重发 SYN，connect() 最终以 ETIMEDOUT 失败",
        ),
        Text(
            "Since Linux 6.5 the first repetitions come a second apart (tcp_syn_linear_timeouts)",
            "自 Linux 6.5 起，最初几次重发间隔为 1 秒（tcp_syn_linear_timeouts）",
        ),
        Text("A refusal is an answer; a timeout is silence", "拒绝是一种应答；超时则是沉默"),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(segment(SYN)),),
    scripts=(
        """
        C>S SYN  seq 0  lost
        C>S SYN  seq 0  lost  after 0.95..1.15 s
        C>S SYN  seq 0  lost  after 0.95..2.3 s
        """,
    ),
    promises=(
        Promise(
            "connect_times_out",
            Text("connect() fails with ETIMEDOUT", "connect() 以 ETIMEDOUT 失败"),
            _timed_out,
        ),
    ),
    sources=("RFC 9293 section 3.8.3", "RFC 6298 section 5.7", "tcp(7) TCP_USER_TIMEOUT"),
)
