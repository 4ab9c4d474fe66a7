"""A receiver that does not keep up: every datagram arrives at its host, few reach the program."""

from __future__ import annotations

import socket
import struct

from lab.evidence.calls import Call
from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text
from services import stage

PORT = 12345
COUNT = 40  # datagrams: several times what the buffer takes
SIZE = 100  # octets of each
LATE = b"late"  # the first one after the program has made room
SO_RXQ_OVFL = 40  # asm/socket.h; Python has no name for it


def server() -> None:
    """Read nothing until everything was sent; then what is left, and what comes next."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # Linux doubles it
        receiver.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)  # tell how many were refused
        receiver.bind(("", PORT))
        stage.wait("sent")
        try:
            while True:
                receiver.recv(SIZE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            stage.say("room")
        data, counter = b"", b""
        while data != LATE:
            data, [(_, _, counter)], *_ = receiver.recvmsg(SIZE, socket.CMSG_SPACE(4))
        print(f"{struct.unpack('I', counter)[0]} datagrams were refused", flush=True)


def client(server: str) -> None:
    """Send numbered datagrams one after another; nothing tells how many the server can take."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(COUNT):
            sender.sendto(str(number).encode().ljust(SIZE, b"."), (server, PORT))
        stage.say("sent")
        stage.wait("room")
        sender.sendto(LATE, (server, PORT))


def _read(evidence: Evidence) -> list[Call]:
    """The calls that got one of the numbered datagrams."""
    return [call for call in called(evidence, "server", "recv", "recvmsg") if call.octets == SIZE]


def _all_arrive(evidence: Evidence) -> Seen:
    """Each send succeeds, and each datagram passes the server's port."""
    sent = [call.octets for call in called(evidence, "client", "sendto")]
    arrived = [int(row) + 1 for one in evidence.views[1].exchanges for row in one.rows]
    words = Text("sent {s}, at the server's port {a}", "发送 {s} 个，服务器端口收到 {a} 个")
    kept = len(arrived) == len(sent) == COUNT + 1 and None not in sent
    frames = tuple(int(row) + 1 for one in evidence.view.exchanges for row in one.rows)
    return Seen(kept, words.fill(s=len(sent), a=len(arrived)), frames)


def _oldest_are_kept(evidence: Evidence) -> Seen:
    """A full buffer refuses what comes; what it holds stays, in order."""
    numbers = [int(bytes.fromhex(call.data).rstrip(b".")) for call in _read(evidence)]
    kept = numbers == list(range(len(numbers))) and 0 < len(numbers) < COUNT
    words = Text(
        "{n} of {all} were read: 0 to {last}", "{all} 个中读到 {n} 个：第 0 到第 {last} 个"
    )
    last = max(numbers, default="-")
    return Seen(kept, words.fill(n=len(numbers), all=COUNT, last=last))


def _counted(evidence: Evidence) -> Seen:
    """What was not read was refused: the kernel's counter says so, and so does the socket."""
    missing = COUNT - len(_read(evidence))
    kernel = evidence.kernel["server"].counters.get("Udp.RcvbufErrors", 0)
    told = _told(evidence)
    words = Text(
        "{n} missing; Udp.RcvbufErrors +{k}, SO_RXQ_OVFL {t}",
        "缺少 {n} 个；Udp.RcvbufErrors +{k}，SO_RXQ_OVFL {t}",
    )
    return Seen(0 < missing == kernel == told, words.fill(n=missing, k=kernel, t=told))


def _told(evidence: Evidence) -> int:
    """The number beside the datagram that came last; -1 if there is none."""
    match called(evidence, "server", "recvmsg")[-1].result:
        case [_, [[_, _, str(counter)]], *_]:
            return int(struct.unpack("I", bytes.fromhex(counter))[0])
    return -1


SCENARIO = Scenario(
    id="udp_receive_overflow",
    title=Text("Receiver too slow", "UDP 接收缓冲溢出"),
    group="udp",
    level=2,
    core=True,
    teaches=(
        Text(
            "UDP has no flow control: nothing tells the sender to wait, and each sendto() succeeds",
            "UDP 没有流量控制：没有任何机制让发送方等待，每次 sendto() 都成功",
        ),
        Text(
            "When the receive buffer is full the kernel drops what comes next, without a word to either "
            "side. A capture at the receiver shows every datagram all the same",
            "接收缓冲区满后，内核丢弃后来的数据报，双方都得不到通知；而在接收方抓包仍能看到每一个",
        ),
        Text(
            "What is there stays: the oldest are kept, the newest are lost, and gaps appear only "
            "when the program reads in between",
            "缓冲区里已有的不受影响：保留的是最早的，丢失的是最新的；只有程序中途读取，才会出现间断",
        ),
        Text(
            "A buffer counts the memory that each datagram takes, headers and bookkeeping too: of "
            "100 octets, only a few fit into 8 KiB",
            "缓冲区按每个数据报实际占用的内存计算，包括首部与管理开销：每个 100 字节，8 KiB 也只装得下几个",
        ),
        Text(
            "The losses are counted: RcvbufErrors for the host, and SO_RXQ_OVFL tells the program",
            "丢弃有据可查：整机看 RcvbufErrors，程序可用 SO_RXQ_OVFL 得知",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/udp",)},
    promises=(
        Promise(
            "all_arrive",
            Text(
                "every datagram is sent without an error and arrives at the server's host",
                "每个数据报都发送成功，并到达服务器主机",
            ),
            _all_arrive,
        ),
        Promise(
            "oldest_are_kept",
            Text(
                "the program gets the first of them only, without a gap",
                "程序只得到最前面的一些，中间没有间断",
            ),
            _oldest_are_kept,
        ),
        Promise(
            "counted",
            Text(
                "what the program did not get is what its kernel counts as refused",
                "程序没有得到的个数，正是内核记下的丢弃个数",
            ),
            _counted,
        ),
    ),
    sources=("udp(7)", "RFC 8085 section 3.1", "socket(7) SO_RXQ_OVFL, SO_RCVBUF"),
)
