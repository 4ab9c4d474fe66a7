"""A SYN that nobody answers: connect() waits, the kernel repeats the SYN, and silence is no refusal."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, frames, is_unasked, outcome, returned
from lab.text import Text, same
from lab.units import short_span
from lab.wire.rules import SYN, drop, segment

PORT = 12345
NOBODY = 250  # the last number of an address that no host of the lab has


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


def silent_server() -> None:
    """Be there; nobody knows the way to the other address."""


def lost_client(server: str) -> None:
    """Connect to a neighbour that does not exist."""
    network, _, _ = server.rpartition(".")
    try:
        socket.create_connection((f"{network}.{NOBODY}", PORT)).close()
    except OSError as error:
        print(error, flush=True)


def _lasted(least_ms: int) -> Promise:
    """ETIMEDOUT, and not before its time: the timer never fires early."""

    def check(evidence: Evidence) -> Seen:
        (call,) = called(evidence, "client", "connect")
        waited = call.after - call.before
        words = same(f"{outcome(call)}, {short_span(waited)}")
        return Seen(outcome(call) == "ETIMEDOUT" and waited >= least_ms * 1_000_000, words)

    words = Text(
        "connect() fails with ETIMEDOUT after {n} ms at the earliest",
        "connect() 以 ETIMEDOUT 失败，且不早于 {n} 毫秒",
    )
    return Promise("connect_times_out", words.fill(n=least_ms), check)


def _only_arp(evidence: Evidence) -> Seen:
    """ARP asks again and again, nothing answers, and no SYN ever leaves."""
    seen = [one for one in frames(evidence.view) if not is_unasked(one)]
    requests = [
        one.number
        for one in seen
        if one.arp and one.arp.operation == 1 and one.arp.target.endswith(f".{NOBODY}")
    ]
    others = len(seen) - len(requests)
    words = Text(
        "{n} ARP request[|s], {m} other frame[|s] of IPv4", "{n} 个 ARP 请求，其他 IPv4 帧 {m} 个"
    )
    kept = len(requests) > 1 and not evidence.view.connections and not others
    return Seen(kept, words.fill(n=len(requests), m=others), tuple(requests))


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
        Text(
            "TCP_USER_TIMEOUT says how long to try; without it Linux goes on for about two minutes",
            "TCP_USER_TIMEOUT 决定尝试多久；不设置时，Linux 要等大约两分钟才放弃",
        ),
        Text(
            "A neighbour that is not there is something else. No SYN leaves before ARP has found its link"
            " address, and after about 3 s connect() fails with EHOSTUNREACH",
            "同一网段内不存在的主机则是另一回事：ARP 找不到链路层地址，SYN 就发不出去，"
            "约 3 秒后 connect() 以 EHOSTUNREACH 失败",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(segment(SYN)),),
    # The timer runs from connect(), while the first SYN still waits for ARP.
    scripts=(
        """
        C>S SYN  seq 0  lost
        C>S SYN  seq 0  lost  after 0.7..1.5 s
        C>S SYN  seq 0  lost  after 0.95..2.3 s
        """,
    ),
    promises=(_lasted(2500),),
    variants={
        "user_timeout": {
            "options": {"client": {"user_timeout_ms": 1500}},
            "scripts": (
                """
                C>S SYN  seq 0  lost
                C>S SYN  seq 0  lost  after 0.7..1.5 s
                """,
            ),
            "promises": (_lasted(1500),),
        },
        "no_host": {
            "roles": {"server": silent_server, "client": lost_client},
            "listens": {},
            "rules": (),
            "scripts": (),
            "promises": (
                Promise(
                    "only_arp",
                    Text(
                        "ARP asks and nobody answers: not one SYN is sent",
                        "只有 ARP 请求，无人应答：一个 SYN 也没有发出",
                    ),
                    _only_arp,
                ),
                returned(
                    "no_route",
                    Text("connect() fails with EHOSTUNREACH", "connect() 以 EHOSTUNREACH 失败"),
                    "client",
                    "connect",
                    "EHOSTUNREACH",
                ),
            ),
        },
    },
    background=True,
    sources=("RFC 9293 section 3.8.3", "RFC 6298 section 5.7", "tcp(7) TCP_USER_TIMEOUT"),
)
