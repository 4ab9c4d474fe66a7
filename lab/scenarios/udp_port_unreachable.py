"""UDP to a port that nobody holds: ICMP says so, and only some sockets are told."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import stage

PORT = 12345
IP_RECVERR = 11  # linux/in.h: keep ICMP errors in a queue of their own


def server() -> None:
    """Be there, and hold no port."""
    stage.say("here")


def client(server: str) -> None:
    """Send to the closed port, first connected, then not."""
    stage.wait("here")
    connected(server)
    unconnected(server)


def connected(server: str) -> None:
    """The error of the first datagram is reported by the next call, whatever that is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((server, PORT))  # no packet
        sender.send(b"first")
        select.select([sender], [], [])  # until the error is in
        try:
            sender.send(b"second")
        except ConnectionRefusedError as error:
            print(error, flush=True)


def unconnected(server: str) -> None:
    """The same ICMP message arrives, and the socket never hears of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0.3)
        sender.sendto(b"anybody?", (server, PORT))
        try:
            sender.recvfrom(1024)
        except TimeoutError:
            print("silence", flush=True)


def asking_client(server: str) -> None:
    """Ask for errors with IP_RECVERR, and read the details from the error queue."""
    stage.wait("here")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        sender.sendto(b"anybody?", (server, PORT))
        try:
            sender.recvfrom(1024)
        except ConnectionRefusedError as error:
            print(error, flush=True)
        sender.recvmsg(1024, 512, socket.MSG_ERRQUEUE)


def _calls(*expected: tuple[str, str]) -> Callable[[Evidence], Seen]:
    """A check that these calls came to these errors ("": none), in this order and no others."""
    names = {name for name, _ in expected}

    def check(evidence: Evidence) -> Seen:
        calls = [call for call in evidence.calls["client"] if call.function in names]
        told = ", ".join(f"{call.function}: {call.error or 'ok'}" for call in calls)
        return Seen(tuple((one.function, one.error) for one in calls) == expected, same(told))

    return check


def _answered_by_icmp(evidence: Evidence) -> Seen:
    """Each exchange is one datagram, answered by ICMP 3/3 that quotes it."""
    capture, exchanges = evidence.view.capture, evidence.view.exchanges
    answers = [frame(capture, answer - 1) for one in exchanges for answer, _ in one.errors]
    kinds = [(one.icmp.type, one.icmp.code) for one in answers if one.icmp]
    kept = all(one.datagrams == (1, 0) and len(one.errors) == 1 for one in exchanges)
    pairs = tuple(number for one in exchanges for pair in one.errors for number in pair[::-1])
    words = Text("{n} datagram[|s], ICMP {kinds}", "{n} 个数据报，ICMP {kinds}")
    return Seen(
        kept and bool(kinds) and set(kinds) == {(3, 3)},
        words.fill(n=len(exchanges), kinds=", ".join(f"{kind}/{code}" for kind, code in kinds)),
        pairs,
    )


def _details(evidence: Evidence) -> Seen:
    """What the error queue gives back: the datagram itself, and sock_extended_err (ip(7))."""
    reads = [call for call in evidence.calls["client"] if call.function == "recvmsg"]
    given_back = [bytes.fromhex(call.data) for call in reads]
    errors = [one for call in reads for one in _extended_errors(call.result)]
    kept = given_back == [b"anybody?"] and errors == [(2, 3, 3)]  # SO_EE_ORIGIN_ICMP, type, code
    data = ", ".join(repr(one.decode("utf-8", "replace")) for one in given_back)
    told = ", ".join(f"ICMP {kind}/{code}" for _, kind, code in errors) or "?"
    return Seen(kept, same(f"{data}: {told}"))


def _extended_errors(result: object) -> list[tuple[int, int, int]]:
    """Origin, type and code of each sock_extended_err among a recvmsg's control messages."""
    if not isinstance(result, list):
        return []
    control = [bytes.fromhex(data) for _, kind, data in result[1] if kind == IP_RECVERR]
    return [(data[4], data[5], data[6]) for data in control]


ICMP = Promise(
    "icmp_quotes_the_datagram",
    Text(
        "each datagram is answered by ICMP port unreachable that quotes it",
        "每个数据报都换来引用它的 ICMP 端口不可达",
    ),
    _answered_by_icmp,
)

SCENARIO = Scenario(
    id="udp_port_unreachable",
    title=Text("UDP to a closed port", "UDP 发往关闭的端口"),
    group="udp",
    level=2,
    core=True,
    teaches=(
        Text(
            "The answer is ICMP type 3 code 3; it quotes the datagram's IP and UDP headers",
            "应答是 ICMP 类型 3 代码 3，其中引用了原数据报的 IP 首部与 UDP 首部",
        ),
        Text(
            "send() has long succeeded by then: the error is reported by a later call",
            "那时 send() 早已成功：错误由之后的某次调用报告",
        ),
        Text(
            "Only a connected socket is told, or one with IP_RECVERR: to others it is silence",
            "只有已连接或设置了 IP_RECVERR 的套接字才会得知；对其余套接字只是沉默",
        ),
        Text(
            "The call that reports the error sends nothing itself",
            "报告错误的那次 send() 本身什么也没有发出",
        ),
    ),
    roles={"server": server, "client": client},
    promises=(
        ICMP,
        Promise(
            "only_the_connected_socket_is_told",
            Text(
                "connected: the second send() fails; unconnected: recvfrom() times out",
                "已连接：第二次 send() 失败；未连接：recvfrom() 超时",
            ),
            _calls(
                ("send", ""), ("send", "ECONNREFUSED"), ("sendto", ""), ("recvfrom", "TimeoutError")
            ),
        ),
    ),
    variants={
        "recverr": {
            "title": Text(
                "UDP to a closed port, with IP_RECVERR", "UDP 发往关闭的端口：IP_RECVERR"
            ),
            "roles": {"server": server, "client": asking_client},
            "promises": (
                ICMP,
                Promise(
                    "told_without_connect",
                    Text(
                        "unconnected with IP_RECVERR: recvfrom() fails with ECONNREFUSED",
                        "未连接但设置了 IP_RECVERR：recvfrom() 以 ECONNREFUSED 失败",
                    ),
                    _calls(("sendto", ""), ("recvfrom", "ECONNREFUSED")),
                ),
                Promise(
                    "error_queue",
                    Text(
                        "the error queue gives back the datagram, with the ICMP type and code",
                        "错误队列交还原数据报，并给出 ICMP 的类型与代码",
                    ),
                    _details,
                ),
            ),
        },
    },
    sources=("RFC 1122 section 4.1.3.3", "udp(7)", "ip(7) IP_RECVERR"),
)
