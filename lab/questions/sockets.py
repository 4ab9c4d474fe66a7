"""What a socket is, how one is made, and which calls come in which order."""

from __future__ import annotations

from collections.abc import Collection

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Slip, Unit
from lab.questions.local_sockets import talks
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.udp_datagrams import datagram
from lab.text import Text, same

SERVER_CALLS = ("socket", "bind", "listen", "accept", "recv", "send", "close")
CLIENT_CALLS = ("socket", "connect", "send", "recv", "close")

OF_THE_KINDS = (
    Ask(
        "tcp",
        Text(
            "IP protocol field of the SYN in tcp_lifecycle",
            "tcp_lifecycle 中 SYN 的 IP 协议字段",
        ),
        Unit.COUNT,
    ),
    Ask(
        "udp",
        Text(
            "IP protocol field of the datagrams in udp_echo",
            "udp_echo 中数据报的 IP 协议字段",
        ),
        Unit.COUNT,
    ),
    Ask(
        "unix",
        Text("TCP and UDP packets in af_unix_local", "af_unix_local 中的 TCP 与 UDP 包数"),
        Unit.COUNT,
    ),
)
"""What is asked of a TCP, a UDP and a local socket, for one question or another."""


def given(call: Called, position: int = 0) -> int:
    """A whole number among the arguments of a call; 0 if it is none."""
    arguments = call.call.arguments[position:]
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def returned(call: Called) -> int:
    """The whole number that a call returned; -1 if it returned something else."""
    result = call.call.result
    return result if isinstance(result, int) else -1


def port_of(end: object) -> int:
    """The port of [address, port]; 0 if it is no such thing."""
    match end:
        case [_, int(port), *_]:
            return port
    return 0


def four_tuple(runs: Runs) -> Proof:
    """Three connections that share ports; the accepted sockets keep the listener's."""
    run = runs["four_tuple"]
    syns = [run.first("C>S SYN", stream=stream) for stream in range(3)]
    one, other, third = (syn.frame for syn in syns)
    accepts = [run.call("server", "accept", nth) for nth in range(3)]
    binds = [run.call("server", "bind", nth) for nth in range(2)]
    listening = [port_of(call.call.arguments[0]) for call in binds]
    ports = [port_of(call.call.local) for call in accepts]
    closed, refused = run.call("client", "close", 1), run.call("client", "connect", 3)
    begun = [call for call in run.calls("client", "connect") if call.outcome == "ok"]
    return Proof(
        (
            claim(
                ports == [listening[0], listening[0], listening[1]],
                Text(
                    "getsockname() of the accepted sockets: ports {ports}, those of the listeners; none is new",
                    "各个已接受套接字的 getsockname()：端口 {ports}，都是监听端口，没有新端口",
                ).fill(ports=", ".join(map(str, ports))),
                *binds,
                *accepts,
            ),
            claim(
                one.destination == other.destination
                and one.source != other.source
                and str(one.source).rpartition(":")[2] == str(other.source).rpartition(":")[2],
                Text(
                    "{a} and {b} are two connections to {s}: only the client's address differs",
                    "{a} 与 {b} 是到 {s} 的两条连接：只有客户端地址不同",
                ).fill(a=one.source, b=other.source, s=one.destination),
                syns[0],
                syns[1],
            ),
            claim(
                one.source == third.source and one.destination != third.destination,
                Text(
                    "{a} to {s} and {a} to {t} are two connections: only the server's port differs",
                    "{a} 到 {s} 与 {a} 到 {t} 是两条连接：只有服务器端口不同",
                ).fill(a=one.source, s=one.destination, t=third.destination),
                syns[0],
                syns[2],
            ),
            claim(
                accepts[-1].after < closed.before,
                Text(
                    "all are open at once: the last accept() returns {ms} ms before the first of them is closed",
                    "三条连接同时存在：最后一次 accept() 返回 {ms} 毫秒之后，第一条才被关闭",
                ).fill(ms=(closed.before - accepts[-1].after) // 1_000_000),
                accepts[-1],
                closed,
            ),
            claim(
                refused.outcome == "EADDRNOTAVAIL" and len(run.connections) == len(begun) == 3,
                Text(
                    "the same four again: connect() fails with {error}, and {n} SYNs are all that were sent",
                    "四元组完全相同的第四次 connect() 失败：{error}；发出的 SYN 只有 {n} 个",
                ).fill(error=refused.outcome, n=len(run.connections)),
                refused,
                run.capture(),
            ),
        ),
        {
            "address": rights.name(str(other.source).rpartition(":")[0], syns[1]),
            "port": rights.count(
                ports[1], accepts[1], slips=((Slip.OTHER_END, port_of(accepts[1].call.peer)),)
            ),
            "syn": rights.frame(syns[1]),
            "error": rights.error(refused),
        },
    )


def _protocol(packet: Packet) -> int:
    ip = packet.frame.ip
    return ip.protocol if ip else -1


def _made(call: Called) -> str:
    return ", ".join(map(str, call.call.arguments))


def parameters(runs: Runs) -> Proof:
    """The same call with other parameters: protocol 6, protocol 17, no packet at all."""
    tcp, udp, unix = runs["tcp_lifecycle"], runs["udp_echo"], runs["af_unix_local"]
    named, default = tcp.call("client", "socket"), tcp.call("server", "socket")
    syn, synack, _ = tcp.opening()
    sender, sent = udp.call("client", "socket"), datagram(udp, 0)
    local, read = unix.call("server", "socket"), unix.call("server", "recv")
    packets = talks(unix, "server")
    return Proof(
        (
            claim(
                _protocol(syn) == _protocol(synack) == 6
                and named.call.arguments == ("AF_INET", "SOCK_STREAM", "IPPROTO_TCP")
                and default.call.arguments == ("AF_INET", "SOCK_STREAM", 0),
                Text(
                    "socket({a}) and socket({b}) both send IP protocol {n}: 0 is the default of the pair, TCP",
                    "socket({a}) 与 socket({b}) 发出的包协议号都是 {n}：0 即该组合的默认协议 TCP",
                ).fill(a=_made(named), b=_made(default), n=_protocol(syn)),
                named,
                default,
                syn,
                synack,
            ),
            claim(
                _protocol(sent) == 17 and sender.call.arguments == ("AF_INET", "SOCK_DGRAM", 0),
                Text(
                    "socket({a}) sends IP protocol {n}, UDP",
                    "socket({a}) 发出的包协议号是 {n}，即 UDP",
                ).fill(a=_made(sender), n=_protocol(sent)),
                sender,
                sent,
            ),
            claim(
                not packets
                and bool(read.call.octets)
                and local.call.arguments == ("AF_UNIX", "SOCK_STREAM", 0),
                Text(
                    "socket({a}) delivers {k} octets within the host, and {n} packets of TCP or UDP pass its port",
                    "socket({a}) 在本机内送达 {k} 字节，经过端口的 TCP 与 UDP 包为 {n} 个",
                ).fill(a=_made(local), k=read.call.octets, n=len(packets)),
                local,
                read,
                unix.capture("server"),
            ),
        ),
        {
            "tcp": rights.count(_protocol(syn), syn),
            "udp": rights.count(_protocol(sent), sent),
            "unix": rights.count(len(packets), unix.capture("server")),
            "datagram": rights.frame(sent, datagram(udp, 1)),
        },
    )


def _firsts(run: Run, host: str, names: Collection[str]) -> dict[str, Called]:
    """The first call of each of these names, in order; sendall() counts as send()."""
    found: dict[str, Called] = {}
    for one in run.calls(host):
        name = "send" if one.call.function == "sendall" else one.call.function
        if name in names:
            found.setdefault(name, one)
    return found


def in_order(runs: Runs) -> Proof:
    """The calls of both ends, and the segment that each causes, if any."""
    run = runs["tcp_lifecycle"]
    server = _firsts(run, "server", SERVER_CALLS)
    client = _firsts(run, "client", CLIENT_CALLS)
    connect, send, close = (run.call("client", name) for name in ("connect", "sendall", "close"))
    listen, accept = run.call("server", "listen"), run.call("server", "accept")
    syn, synack, ack = run.opening()
    data, fin = run.one("C>S +", run.data("C")), run.first("C>S FIN,ACK")
    first = run.one("frame", run.packets(where=lambda one: not one.is_unasked))
    after = run.first(after=ack, where=lambda one: one.sender == "S")
    return Proof(
        (
            claim(
                tuple(server) == SERVER_CALLS and tuple(client) == CLIENT_CALLS,
                Text(
                    "server: {s}; client: {c}",
                    "服务器：{s}；客户端：{c}",
                ).fill(s=" → ".join(server), c=" → ".join(client)),
                *server.values(),
                *client.values(),
            ),
            claim(
                listen.after < first.time and listen.outcome == "ok",
                Text(
                    "socket(), bind() and listen() send nothing: the first frame comes {ms} ms after listen()",
                    "socket()、bind()、listen() 不产生报文：listen() 之后 {ms} 毫秒才出现第一帧",
                ).fill(ms=(first.time - listen.after) // 1_000_000),
                listen,
                first,
            ),
            claim(
                connect.before < syn.time < synack.time < connect.after,
                Text(
                    "connect() sends the SYN (frame {n}) and returns after the SYN,ACK (frame {m})",
                    "connect() 发出 SYN（第 {n} 帧），在 SYN,ACK（第 {m} 帧）之后返回",
                ).fill(n=syn.number, m=synack.number),
                connect,
                syn,
                synack,
            ),
            claim(
                accept.after > ack.time and after.time > data.time,
                Text(
                    "accept() returns after the third segment and sends nothing: the server is next heard after the data",
                    "accept() 在第三个报文段之后返回，不产生报文：服务器的下一个报文段在数据之后",
                ),
                accept,
                ack,
                data,
                after,
            ),
            claim(
                data.frame.payload.hex() == send.call.data
                and send.before < data.time < close.before < fin.time,
                Text(
                    "sendall() sends frame {n} with its {k} octets; close() sends the FIN, frame {m}",
                    "sendall() 发出带有其 {k} 字节的第 {n} 帧；close() 发出 FIN，即第 {m} 帧",
                ).fill(n=data.number, k=data.length, m=fin.number),
                send,
                data,
                close,
                fin,
            ),
        ),
        {
            "server": rights.order(tuple(server), *server.values()),
            "client": rights.order(tuple(client), *client.values()),
            "connect": rights.frame(syn),
            "send": rights.frame(data),
            "close": rights.frame(fin),
        },
    )


def _choices(names: tuple[str, ...]) -> tuple[tuple[str, Text], ...]:
    """Calls to be put in order, as a dictionary has them."""
    return tuple((name, same(f"{name}()")) for name in sorted(names))


QUESTIONS = (
    Question(
        id="SK01",
        asks=Text(
            "What identifies a socket and what identifies a connection?",
            "套接字和连接分别由什么唯一标识？",
        ),
        answer=Text(
            "A listening socket: protocol, address and port; within a process also a descriptor. "
            "A connection: the protocol and both endpoints, that is two addresses and two ports. "
            "All connections of a server share its listening port.",
            "监听套接字由协议、地址、端口标识，进程内则用文件描述符。"
            "连接由（协议、源地址、源端口、目的地址、目的端口）唯一确定；服务器的所有连接共用同一个监听端口。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        interview="medium",
        core=True,
        runs=("four_tuple",),
        prove=four_tuple,
        values=(
            Ask(
                "address",
                Text("The client's address of the second connection", "第二条连接的客户端地址"),
                Unit.NAME,
            ),
            Ask(
                "port",
                Text(
                    "Local port of the server's second accepted socket",
                    "服务器第二个已接受套接字的本地端口",
                ),
                Unit.COUNT,
            ),
            Ask(
                "syn",
                Text("Frame of the second connection's SYN", "第二条连接的 SYN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "error",
                Text("How the client's last connect() ends", "客户端最后一次 connect() 的结果"),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("a connection is named by both endpoints", "连接由两端的端点共同标识"),
                (
                    r"both (ends|endpoints)",
                    r"four[- ]tuple|five[- ]tuple",
                    r"两端",
                    r"[四五]元组",
                    r"源地址.*目的地址",
                ),
            ),
            Idea(
                Text("two addresses and two ports", "两个地址和两个端口"),
                (r"two ports", r"source port", r"两个端口", r"源端口"),
            ),
            Idea(
                Text("all connections share the listening port", "所有连接共用监听端口"),
                (
                    r"(share|same).*port",
                    r"共用.*端口",
                    r"(相同|同一个?)(监听)?端口",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "accept assigns a new server port for each client",
                    "accept 会为每个客户端分配新的服务端端口",
                ),
                (
                    r"(assigns|takes|gets) a new (server )?port",
                    r"分配(一个)?新的?(服务端|服务器)?端口",
                ),
            ),
            Idea(
                Text(
                    "a server port takes at most 65535 connections",
                    "服务器一个端口最多 65535 条连接",
                ),
                (r"at most 65[ ,]?535", r"最多 ?65 ?535"),
            ),
        ),
        guess=Guess(
            Text(
                "The server listens on 5500 and accepts two clients. Which local ports have the accepted sockets?",
                "服务器监听 5500 并接受两个客户端。两个已接受套接字的本地端口是多少？",
            ),
            (
                Text("a new one each", "各有一个新端口"),
                Text("5500 and 5501", "5500 和 5501"),
                Text("5500 both", "都是 5500"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's accept() calls and the local address of each result.",
                "看服务器的 accept() 调用及其结果的本地地址。",
            ),
            Text(
                "Compare source and destination of the SYNs, address and port by itself.",
                "逐项比较各个 SYN 的源、目的地址与端口。",
            ),
        ),
        claim=Text("accept assigns a new server port per client", "accept 会分配新的服务端端口"),
        truth=Text(
            "getsockname() of every accepted socket gives the listening port",
            "每个已接受套接字的 getsockname() 都是监听端口",
        ),
        then=("SK04", "UD09"),
        sources=("RFC 9293 section 3.4", "RFC 9293 section 4", "accept(2)"),
    ),
    Question(
        id="SK02",
        asks=Text(
            "What do the parameters of socket(family, type, protocol) mean?",
            "socket(family, type, protocol) 的三个参数是什么意思？",
        ),
        answer=Text(
            "The first is the address family: AF_INET, AF_INET6, AF_UNIX. The second is the type: SOCK_STREAM or "
            "SOCK_DGRAM. The third is the protocol; 0 means the default for the pair, TCP or UDP.",
            "第一个是地址族（AF_INET、AF_INET6、AF_UNIX）；第二个是套接字类型（SOCK_STREAM、SOCK_DGRAM）；"
            "第三个是协议，0 表示该组合的默认协议，即 TCP 或 UDP。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="medium",
        core=True,
        runs=("tcp_lifecycle", "udp_echo", "af_unix_local"),
        prove=parameters,
        values=(
            *OF_THE_KINDS,
            Ask(
                "datagram",
                Text("Frame of a datagram in udp_echo", "udp_echo 中任一数据报的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the first is the address family", "第一个是地址族"),
                (r"address family", r"地址(族|家族)"),
            ),
            Idea(
                Text(
                    "the second is the type: SOCK_STREAM or SOCK_DGRAM",
                    "第二个是类型：SOCK_STREAM 或 SOCK_DGRAM",
                ),
                (r"sock_(stream|dgram)", r"\btype\b", r"类型"),
            ),
            Idea(
                Text("protocol 0 means the default", "协议为 0 表示默认协议"),
                (r"default", r"默认"),
            ),
        ),
        wrong=(
            Idea(
                Text("protocol 0 means raw IP", "协议为 0 表示原始 IP"),
                (r"raw ip", r"原始 ?ip"),
            ),
            Idea(
                Text("AF_UNIX sends packets over loopback", "AF_UNIX 通过环回接口发送报文"),
                (r"af_unix (sends|uses).*(packets|loopback)", r"af_unix ?(通过|经过)环回"),
            ),
        ),
        guess=Guess(
            Text(
                "A program calls socket(AF_INET, SOCK_STREAM, 0). What will IP's protocol field be?",
                "程序调用 socket(AF_INET, SOCK_STREAM, 0)。IP 的协议字段会是多少？",
            ),
            (Text("0", "0"), Text("6", "6"), Text("17", "17")),
            1,
        ),
        hints=(
            Text(
                "Look at the socket() calls and at the IP header of the first frame after each.",
                "看 socket() 调用，以及其后第一帧的 IP 首部。",
            ),
            Text("Compare the protocol field of the runs.", "比较各次运行中的协议字段。"),
        ),
        then=("SK03",),
        sources=("socket(2)", "unix(7)", "ip(7)"),
    ),
    Question(
        id="SK03",
        asks=Text(
            "Put the server and client calls in order and say which segment each causes.",
            "写出服务端和客户端的调用顺序，并指出各自产生什么报文。",
        ),
        answer=Text(
            "Server: socket, bind, listen, accept, recv, send, close. Client: socket, connect, which sends the SYN; "
            "send, which sends data; recv; close, which sends the FIN. socket, bind, listen and accept send nothing.",
            "服务端：socket → bind → listen → accept → recv → send → close。"
            "客户端：socket → connect（发出 SYN）→ send（发出数据）→ recv → close（发出 FIN）。"
            "socket、bind、listen、accept 不产生报文。",
        ),
        kind=Kind.ORDER,
        level=1,
        interview="high",
        core=True,
        runs=("tcp_lifecycle",),
        instead="tour",
        prove=in_order,
        values=(
            Ask(
                "server",
                Text("The server's calls in order", "服务端的调用顺序"),
                Unit.ORDER,
                _choices(SERVER_CALLS),
            ),
            Ask(
                "client",
                Text("The client's calls in order", "客户端的调用顺序"),
                Unit.ORDER,
                _choices(CLIENT_CALLS),
            ),
            Ask(
                "connect",
                Text(
                    "Frame that the client's connect() causes first",
                    "客户端 connect() 首先引起的帧",
                ),
                Unit.FRAME,
            ),
            Ask("send", Text("Frame that its send causes", "客户端 send 引起的帧"), Unit.FRAME),
            Ask(
                "close",
                Text("Frame that its close() causes", "客户端 close() 引起的帧"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "server: socket, bind, listen, accept", "服务端：socket, bind, listen, accept"
                ),
                (r"socket.{1,6}bind.{1,6}listen.{1,6}accept",),
            ),
            Idea(
                Text("connect sends the SYN", "connect 发出 SYN"),
                (r"connect\b.{0,24}\bsyn\b", r"connect.{0,8}syn"),
            ),
            Idea(
                Text("close sends the FIN", "close 发出 FIN"),
                (r"close\b.{0,24}\bfin\b", r"close.{0,8}fin"),
            ),
            Idea(
                Text("bind, listen and accept send nothing", "bind, listen, accept 不产生报文"),
                (
                    r"accept (send|cause)s? (nothing|no)",
                    r"accept.{0,4}(不产生|不发送?|都不)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("accept() sends the SYN,ACK", "accept() 发出 SYN,ACK"),
                (r"accept(\(\))? sends the syn", r"accept(\(\))? ?发出 ?syn"),
            ),
            Idea(
                Text("listen() sends a segment", "listen() 会发出报文"),
                (r"listen(\(\))? sends a", r"listen(\(\))? ?会发出"),
            ),
        ),
        guess=Guess(
            Text(
                "Which of the server's calls sends the SYN,ACK?", "服务器的哪个调用发出 SYN,ACK？"
            ),
            (
                Text("accept()", "accept()"),
                Text("none: its kernel does", "都不是，由内核发出"),
                Text("listen()", "listen()"),
            ),
            1,
        ),
        hints=(
            Text("Look at the call lanes on both sides of the ladder.", "看时序图两侧的调用栏。"),
            Text(
                "Compare the begin and end of each call with the frames near it.",
                "把每次调用的开始与结束时间和附近的帧相比较。",
            ),
        ),
        then=("SK04", "HS01"),
        sources=("Stevens, UNP volume 1, 3rd ed., chapter 4", "accept(2)", "connect(2)"),
    ),
)
