"""AF_UNIX: the same calls within one host, and not one packet."""

from __future__ import annotations

import os
import socket
import struct
import tempfile

from lab.evidence.calls import Call
from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, outcome, returned
from lab.text import Text, same
from services import stage

NAME = "\0lab-greeting"  # an abstract name: it begins with a zero octet
REQUEST, REPLY = b"hello", b"hello, neighbour"
CREDENTIALS = struct.Struct("3i")  # struct ucred: process, user, group (unix(7))
LAST = b"last"


def server() -> None:
    """Listen on a path, and serve a child of this host; then bind the same path again."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/greeting"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(path)
            listener.listen()
            serve_a_child(listener, path)
        bind_again(path)


def serve_a_child(listener: socket.socket, name: str) -> None:
    """Answer a client of this host; the kernel says who it is."""
    if os.fork() == 0:
        greet(name)
        os._exit(0)
    connection, _ = listener.accept()
    with connection:
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        connection.recv(1024)
        connection.sendall(REPLY)
        connection.recv(1024)  # b"": the end of the stream, as over TCP
    os.wait()


def greet(name: str) -> None:
    """Connect to a name, send, receive, close."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(name)
        connection.sendall(REQUEST)
        connection.recv(1024)


def bind_again(path: str) -> None:
    """Find the name taken, for closing a socket leaves its file; remove that, and bind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            listener.bind(path)
        except OSError as error:
            print(error, flush=True)
        os.unlink(path)
        listener.bind(path)


def abstract_server() -> None:
    """Listen on an abstract name: for a child of this host, and for the other host in vain."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(NAME)
        listener.listen()
        serve_a_child(listener, NAME)
        stage.say("listening")
        stage.wait("refused")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(NAME)  # free at once: the name has gone with its socket


def foreign_client() -> None:
    """Try the same name on another host."""
    stage.wait("listening")
    try:
        greet(NAME)
    except ConnectionRefusedError as error:
        print(error, flush=True)
    stage.say("refused")


def datagram_server() -> None:
    """Read nothing until a sender finds the queue full; then everything."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(NAME)
        if os.fork() == 0:
            flood()
            os._exit(0)
        stage.wait("full")
        while receiver.recv(1024) != LAST:
            pass
        os.wait()


def flood() -> None:
    """Send until the kernel takes no more; then once more, and wait for room."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(NAME)
        sender.setblocking(False)
        number = 0
        try:
            while sender.send(str(number).encode()):
                number += 1
        except BlockingIOError as error:
            print(f"after {number} datagrams: {error}", flush=True)
        stage.say("full")
        sender.setblocking(True)
        sender.send(LAST)


def _nothing_on_the_wire(evidence: Evidence) -> Seen:
    """Whatever the ports saw, it is no talk of programs."""
    talks = sum(len(view.connections) + len(view.exchanges) for view in evidence.views)
    frames = " + ".join(str(len(view.capture.frames)) for view in evidence.views)
    delivered = sum(call.octets or 0 for call in called(evidence, "server", "recv"))
    words = Text("{octets} octets delivered, {frames} frames", "送达 {octets} 字节，{frames} 帧")
    return Seen(talks == 0 < delivered, words.fill(octets=delivered, frames=frames))


def _received(evidence: Evidence) -> list[bytes]:
    """What the server host's calls received, in order of their returns; no end of file."""
    calls = sorted(called(evidence, "server", "recv"), key=lambda call: call.after)
    return [bytes.fromhex(call.data) for call in calls if call.octets]


def _both_ways(evidence: Evidence) -> Seen:
    seen = _received(evidence)
    return Seen(seen == [REQUEST, REPLY], same(", ".join(map(repr, seen))))


def _known_by_the_kernel(evidence: Evidence) -> Seen:
    """The kernel's word on who is at the other end agrees with who made the call."""
    told = called(evidence, "server", "getsockopt")[0]
    caller = called(evidence, "server", "connect")[0]
    if told.error:
        return Seen(False, same(told.error))
    process, user, group = CREDENTIALS.unpack(bytes.fromhex(str(told.result)))
    words = Text(
        "process {process}, user {user}, group {group}; process {caller} had connected",
        "进程 {process}、用户 {user}、组 {group}；调用 connect 的是进程 {caller}",
    ).fill(process=process, user=user, group=group, caller=caller.process)
    return Seen(process == caller.process != told.process, words)


def _nothing_is_lost(evidence: Evidence) -> Seen:
    """The queue is full after some; not one of them is dropped, and their order is kept."""
    sends = called(evidence, "server", "send")
    sent = [bytes.fromhex(call.data) for call in sends if not call.error]
    refused = [outcome(call) for call in sends if call.error]
    words = Text(
        "{sent} accepted, then {refused}, {received} received",
        "接受 {sent} 个，随后 {refused}，收到 {received} 个",
    ).fill(sent=len(sent) - 1, refused=", ".join(refused), received=len(_received(evidence)))
    return Seen(refused == ["EAGAIN"] and len(sent) > 1 and sent == _received(evidence), words)


def _waits_for_room(evidence: Evidence) -> Seen:
    """A blocking send() into the full queue comes back only once something has been read."""
    last: Call = called(evidence, "server", "send")[-1]
    first = called(evidence, "server", "recv")[0]
    words = Text("send returned after the first recv began", "首次 recv 开始之后 send 才返回")
    return Seen(not last.error and last.after > first.before, words)


SILENT = Promise(
    "nothing_on_the_wire",
    Text("data are delivered, and no port sees any of it", "数据已送达，而任何端口都看不到"),
    _nothing_on_the_wire,
)
BOTH_WAYS = Promise(
    "both_ways",
    Text("a request there and a reply back, as over TCP", "一来一回，与 TCP 无异"),
    _both_ways,
)

SCENARIO = Scenario(
    id="af_unix_local",
    title=Text("AF_UNIX", "本机 AF_UNIX 套接字"),
    group="udp",
    core=True,
    teaches=(
        Text(
            "The same calls as over TCP, within one host: no packets, no addresses, no ports, and "
            "nothing that a sniffer could see",
            "与 TCP 相同的调用，但只在一台主机之内：没有报文，没有地址和端口，抓包也看不到",
        ),
        Text(
            "Only the name is a file; the data stay in the kernel. The file outlives its socket: bind() "
            "fails with EADDRINUSE until it is removed",
            "只有名字是文件，数据始终在内核里。套接字关闭后文件仍在：删除之前再次 bind() 会得到 "
            "EADDRINUSE",
        ),
        Text(
            "The kernel vouches for the peer: SO_PEERCRED gives its process, user and group",
            "内核为对端身份作证：SO_PEERCRED 给出对方的进程、用户和组",
        ),
    ),
    roles={"server": server},
    promises=(
        BOTH_WAYS,
        SILENT,
        Promise(
            "known_by_the_kernel",
            Text(
                "SO_PEERCRED names the process that called connect()",
                "SO_PEERCRED 给出的正是调用 connect() 的进程",
            ),
            _known_by_the_kernel,
        ),
        returned(
            "the_file_stays",
            Text(
                "the name is taken after close(), and free after unlink()",
                "close() 之后名字仍被占用，unlink() 之后才空出来",
            ),
            "server",
            "bind",
            *("ok", "EADDRINUSE", "ok"),
        ),
    ),
    variants={
        "abstract": {
            "title": Text("AF_UNIX, an abstract name", "AF_UNIX：抽象名字"),
            "teaches": (
                Text(
                    "An abstract name begins with a zero octet; it has no file, and goes with its socket",
                    "抽象名字以零字节开头；它没有对应的文件，随套接字一起消失",
                ),
                Text(
                    "It belongs to a network namespace: in another host, or container, nobody has it",
                    "它属于所在的网络命名空间：在另一台主机或容器里，这个名字并不存在",
                ),
            ),
            "roles": {"server": abstract_server, "client": foreign_client},
            "promises": (
                BOTH_WAYS,
                SILENT,
                returned(
                    "unknown_elsewhere",
                    Text(
                        "on the other host the same name leads nowhere: ECONNREFUSED",
                        "在另一台主机上，同样的名字无人监听：ECONNREFUSED",
                    ),
                    "client",
                    "connect",
                    "ECONNREFUSED",
                ),
                returned(
                    "free_at_once",
                    Text("after close() the name is free", "close() 之后名字立即可用"),
                    "server",
                    "bind",
                    *("ok", "ok"),
                ),
            ),
        },
        "datagram": {
            "title": Text("AF_UNIX datagrams are not dropped", "AF_UNIX 数据报不会被丢弃"),
            "teaches": (
                Text(
                    "AF_UNIX datagrams keep their borders, as UDP's do, but are neither lost nor "
                    "reordered",
                    "AF_UNIX 数据报与 UDP 一样保留边界，但不会丢失，也不会乱序",
                ),
                Text(
                    "When the receiver's queue is full (net.unix.max_dgram_qlen), send() waits, or "
                    "fails with EAGAIN on a socket that does not block",
                    "接收方队列已满（net.unix.max_dgram_qlen）时，send() 会等待；"
                    "若套接字为非阻塞，则以 EAGAIN 失败",
                ),
            ),
            "roles": {"server": datagram_server},
            "promises": (
                Promise(
                    "nothing_is_lost",
                    Text(
                        "a full queue is told by EAGAIN; all that was accepted arrives, in order",
                        "队列满时返回 EAGAIN；凡是接受了的都按序送达",
                    ),
                    _nothing_is_lost,
                ),
                Promise(
                    "waits_for_room",
                    Text(
                        "a blocking send() waits until the receiver reads",
                        "阻塞的 send() 会等到接收方开始读取",
                    ),
                    _waits_for_room,
                ),
                SILENT,
            ),
        },
    },
    sources=("unix(7)", "socket(2)"),
)
