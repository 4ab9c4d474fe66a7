"""Serving many clients: the segments are the same whatever the server does, the waiting is not."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.scenarios.script import Segment
from lab.scenarios.seen import segments
from lab.text import Text
from lab.units import short_span

PORT, OTHER_PORT = 12345, 12346
GREETING = "你好,服务器!".encode()  # 17 octets; the answer has 25
PATIENCE = 0.3  # seconds that the second client waits for a server that serves one at a time
ENOUGH = 20.0  # seconds, where it need not wait


def client(server: str, *, visits: Iterable[tuple[int, float]] = ((PORT, ENOUGH),)) -> None:
    """Visit the server on one port after another, so patiently."""
    for port, patience in visits:
        visit((server, port), patience)


def visit(server: tuple[str, int], patience: float) -> None:
    """Connect twice: the first client says nothing until the second is served, or has waited."""
    first, second = socket.create_connection(server), socket.create_connection(server)
    with second:
        with first:
            second.sendall(GREETING)
            served = is_answered(second, patience)
            first.sendall(GREETING)
            first.recv(1024)
        if not served:
            is_answered(second, ENOUGH)


def is_answered(connection: socket.socket, seconds: float) -> bool:
    """Tell whether an answer comes within that time."""
    connection.settimeout(seconds)
    try:
        return len(connection.recv(1024)) > 0
    except TimeoutError:
        return False


def _pair(evidence: Evidence, port: int) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """The segments of both connections to a port: the first client's, the second's."""
    pair = [one for one in evidence.view.connections if one.server.port == port]
    return segments(evidence, pair[0]), segments(evidence, pair[1])


def _data(seen: Iterable[Segment], sender: str) -> Segment:
    """The first segment with data of one side; LookupError if there is none."""
    found = [one for one in seen if one.sender == sender and one.length]
    return found[0]


def _accepted(evidence: Evidence, port: int) -> list[int]:
    """When accept() returned each connection to a port, in ns."""
    calls = called(evidence, "server", "accept")
    return [
        call.after
        for call in calls
        if not call.error and isinstance(call.local, list) and call.local[1] == port
    ]


def _second_waits(port: int) -> Promise:
    """Promise that the second client is let in by the kernel, and by no program for long."""

    def check(evidence: Evidence) -> Seen:
        first, second = _pair(evidence, port)
        greeting, answer = _data(second, "C"), _data(second, "S")
        leaving = [one for one in first if one.sender == "C" and "FIN" in one.flags]
        end = greeting.sequence + greeting.length
        acks = [one for one in second if one.sender == "S" and one.acknowledgment == end]
        kept = acks[0].time < leaving[0].time < _accepted(evidence, port)[1] < answer.time
        words = Text(
            "acknowledged after {ack}, accepted and answered after {answer}",
            "{ack} 后得到确认，{answer} 后才被 accept 并得到应答",
        ).fill(
            ack=short_span(acks[0].time - greeting.time),
            answer=short_span(answer.time - greeting.time),
        )
        shown = (greeting, acks[0], leaving[0], answer)
        return Seen(kept, words, tuple(one.number for one in shown))

    words = Text(
        "one at a time: the second client is connected and acknowledged by the kernel, but accepted "
        "and answered only when the first has left",
        "逐个服务：内核替第二个客户端完成连接并确认数据，但要等第一个离开，才会 accept 并应答它",
    )
    return Promise(f"second_waits_{port}", words, check)


def _second_is_served(port: int) -> Promise:
    """Promise that the second client has its answer while the first still says nothing."""

    def check(evidence: Evidence) -> Seen:
        first, second = _pair(evidence, port)
        greeting, answer, late = _data(second, "C"), _data(second, "S"), _data(first, "C")
        words = Text("answered after {span}", "{span} 后得到应答")
        return Seen(
            answer.time < late.time,
            words.fill(span=short_span(answer.time - greeting.time)),
            (greeting.number, answer.number, late.number),
        )

    words = Text(
        "side by side: the second client is answered while the first has not said a word",
        "并发服务：第一个客户端还一言未发，第二个已经得到应答",
    )
    return Promise(f"second_is_served_{port}", words, check)


def _same_segments(evidence: Evidence) -> Seen:
    """The second clients of both servers, pure ACKs aside: alike but for the time."""
    one, other = (
        [(s.sender, s.flags, s.sequence, s.length) for s in _pair(evidence, port)[1] if _tells(s)]
        for port in (PORT, OTHER_PORT)
    )
    words = Text(
        "{n} and {m} segments with data, SYN or FIN", "带数据、SYN 或 FIN 的报文段：{n} 个与 {m} 个"
    )
    return Seen(bool(one) and one == other, words.fill(n=len(one), m=len(other)))


def _tells(segment: Segment) -> bool:
    """Whether it is more than an ACK: how many of those there are is a matter of timing."""
    return bool(segment.length or segment.flags & {"SYN", "FIN", "RST"})


def _who_waits(processes: int, threads: int) -> Promise:
    """Promise in how many processes and threads the server received the two greetings."""

    def check(evidence: Evidence) -> Seen:
        calls = called(evidence, "server", "recv", "recv_into")
        who = {(call.process, call.thread) for call in calls if call.octets}
        seen = len({process for process, _ in who}), len(who)
        words = Text(
            "processes: {processes}, threads: {threads}", "进程：{processes}，线程：{threads}"
        )
        return Seen(seen == (processes, threads), words.fill(processes=seen[0], threads=seen[1]))

    words = Text(
        "who receives the two greetings: processes {processes}, threads {threads}",
        "接收两次问候的进程数为 {processes}，线程数为 {threads}",
    )
    words = words.fill(processes=processes, threads=threads)
    return Promise("who_waits", words, check)


def _without_delay(evidence: Evidence) -> Seen:
    """asyncio sets TCP_NODELAY on each connection by itself."""
    options = [call for call in called(evidence, "server", "setsockopt") if not call.error]
    set_on = [call.fd for call in options if call.arguments == ("IPPROTO_TCP", "TCP_NODELAY", 1)]
    words = Text("set on {n} connection[|s]", "{n} 个连接上设置了它")
    return Seen(len(set_on) == len(_accepted(evidence, PORT)) == 2, words.fill(n=len(set_on)))


SERVED = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    C>S PSH,ACK  seq 1   +17
    S>C ACK              ack 18  optional
    S>C PSH,ACK  seq 1   +25  ack 18
    C>S ACK              ack 26  optional
    C>S FIN,ACK  seq 18
    S>C ACK              ack 19  optional
    S>C FIN,ACK  seq 26  ack 19
    C>S ACK              ack 27
"""
KEPT_WAITING = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    C>S PSH,ACK  seq 1   +17
    S>C ACK      seq 1   ack 18
    S>C PSH,ACK  seq 1   +25  ack 18  after 0.25..30 s
    C>S ACK              ack 26  optional
    C>S FIN,ACK  seq 18
    S>C ACK              ack 19  optional
    S>C FIN,ACK  seq 26  ack 19
    C>S ACK              ack 27
"""


def _program(model: str, port: int = PORT) -> tuple[str, ...]:
    """The command line of one of the servers in services/tcp/concurrency, for two clients."""
    return (f"services/tcp/concurrency/server_{model}.py", "--count", "2", "--port", str(port))


def _model(
    program: str, title: Text, *promises: Promise, visits: object = ((PORT, ENOUGH),)
) -> Mapping[str, Any]:
    """A variant with one server; where it serves one client at a time, one who is impatient."""
    one_at_a_time = visits != ((PORT, ENOUGH),)
    return {
        "title": title,
        "programs": {"server": _program(program)},
        "listens": {"server": (f"{PORT}/tcp",)},
        "options": {"client": {"visits": visits}},
        "scripts": (SERVED, KEPT_WAITING if one_at_a_time else SERVED),
        "promises": (
            _second_waits(PORT) if one_at_a_time else _second_is_served(PORT),
            *promises,
        ),
    }


SCENARIO = Scenario(
    id="concurrency_models",
    title=Text("Serving many clients", "多客户端并发"),
    group="servers",
    core=True,
    teaches=(
        Text(
            "One client at a time: the second connects, and its data are acknowledged, by the kernel "
            "alone. Only the answer does not come until the first has left",
            "逐个服务：第二个客户端照样能连接，数据也得到确认，但都是内核所为；第一个离开之前，它等不到应答",
        ),
        Text(
            "A thread or a process for each client: one that is slow blocks only itself",
            "每个客户端一个线程或进程：谁慢谁自己等，不影响别人",
        ),
        Text(
            "selectors and asyncio serve all from one thread: the kernel tells which socket is ready, "
            "so no call has to wait",
            "selectors 与 asyncio 用一个线程服务所有客户端：内核告知哪个套接字就绪，调用不必等待",
        ),
        Text(
            "On the wire the models look alike: same segments, other times",
            "从网络上看各种模型没有区别：报文段相同，只是时间不同",
        ),
    ),
    roles={"client": client},
    options={"client": {"visits": ((PORT, PATIENCE), (OTHER_PORT, ENOUGH))}},
    programs={"server": (*_program("sequential"), "&", *_program("threads", OTHER_PORT))},
    listens={"server": (f"{PORT}/tcp", f"{OTHER_PORT}/tcp")},
    scripts=(SERVED, KEPT_WAITING, SERVED, SERVED),
    promises=(
        _second_waits(PORT),
        _second_is_served(OTHER_PORT),
        Promise(
            "same_segments",
            Text(
                "both second clients exchange the same segments, pure ACKs aside",
                "除纯 ACK 外，两边的第二个客户端收发的报文段完全相同",
            ),
            _same_segments,
        ),
    ),
    variants={
        "sequential": _model(
            "sequential",
            Text("One client at a time", "一次服务一个客户端"),
            _who_waits(1, 1),
            visits=((PORT, PATIENCE),),
        ),
        "thread": _model(
            "threads", Text("A thread for each client", "每个客户端一个线程"), _who_waits(1, 2)
        ),
        "fork": _model(
            "fork", Text("A process for each client", "每个客户端一个进程"), _who_waits(2, 2)
        ),
        "selectors": _model(
            "selectors", Text("One thread, readiness", "单线程，就绪通知"), _who_waits(1, 1)
        ),
        "asyncio": _model(
            "asyncio",
            Text("One thread, coroutines", "单线程，协程"),
            _who_waits(1, 1),
            Promise(
                "without_delay",
                Text(
                    "asyncio sets TCP_NODELAY on both connections by itself",
                    "asyncio 自动为两个连接都设置 TCP_NODELAY",
                ),
                _without_delay,
            ),
        ),
    },
    sources=(
        "listen(2)",
        "Stevens, Fenner, Rudoff: UNIX Network Programming, volume 1, 3rd edition, chapter 30",
        "Python: socketserver, selectors, asyncio",
    ),
)
