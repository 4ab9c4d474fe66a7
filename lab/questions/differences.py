"""The differences of TCP and UDP that the seeds list: connection, cost, header."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Packet
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Run, Runs
from lab.questions.udp_datagrams import datagram, tcp_against_udp
from lab.questions.udp_errors import closed_port, connected
from lab.text import Text

PLAIN, ECHO, LOST = "tcp_lifecycle", "udp_echo", "data_loss_rto"


def connection_or_none(runs: Runs) -> Proof:
    """Three segments first, or none; and what connect() does on UDP."""
    return joined(
        part(tcp_against_udp(runs), (0,), "tcp_before", "udp_before"),
        part(connected(runs), (0,)),
        part(closed_port(runs), (1, 3), "error"),
    )


def what_it_costs(runs: Runs) -> Proof:
    """Segments, descriptors, numbers and timers of the kernel, and what stays after the end."""
    return joined(
        part(tcp_against_udp(runs), (3,), "tcp_total", "udp_total"),
        Proof((_sockets(runs[PLAIN], runs[ECHO]), _kept(runs[LOST], runs[ECHO]))),
        _left(runs[PLAIN], runs[ECHO]),
    )


def _sockets(tcp: Run, udp: Run) -> Claim:
    made, accepted = tcp.call("server", "socket"), tcp.call("server", "accept")
    alone, accepts = udp.call("server", "socket"), udp.calls("server", "accept")
    new = accepted.call.result[0] if isinstance(accepted.call.result, list) else None
    return claim(
        isinstance(new, int) and new != made.call.result and not accepts and alone.outcome == "ok",
        Text(
            "for one client the TCP server has descriptors {a} and {b}, the UDP server only {c}",
            "为一个客户端，TCP 服务器用了描述符 {a} 和 {b}，UDP 服务器只用 {c}",
        ).fill(a=made.call.result, b=new, c=alone.call.result),
        made,
        accepted,
        alone,
    )


def _kept(tcp: Run, udp: Run) -> Claim:
    busy = tcp.socket("client").sample("timer", lambda one: bool(one.moment.timer))
    plain = udp.sockets("server", lambda life: life.peer is None)[0].samples[0]
    many, few = len(busy.moment.numbers), len(plain.moment.numbers)
    return claim(
        many > few and not plain.moment.timer and busy.moment.timer == "retransmission",
        Text(
            "of a TCP connection the kernel tells {n} numbers, and a timer runs; of a UDP socket {m}, and none runs",
            "关于一条 TCP 连接，内核给出 {n} 个数值，还有定时器在运行；关于 UDP 套接字则为 {m} 个，没有定时器",
        ).fill(n=many, m=few),
        busy,
        plain,
    )


def _left(tcp: Run, udp: Run) -> Proof:
    left, closed = tcp.socket("client").stay("TIME-WAIT"), tcp.call("client", "close")
    gone = udp.sockets("server", lambda life: life.peer is None)[0].stay("CLOSED")
    words = Text(
        "after close() TCP keeps TIME-WAIT at the client; of the UDP socket nothing is left",
        "close() 之后，TCP 在客户端留下 TIME-WAIT；UDP 套接字什么也不留下",
    )
    kept = claim(closed.before < left.by and gone.state == "CLOSED", words, closed, left, gone)
    return Proof((kept,), {"left": rights.state("TIME-WAIT", left)})


def header(packet: Packet) -> int:
    """Octets of a TCP or UDP header, by the length fields of the IP header; 0 without one."""
    frame = packet.frame
    return frame.ip.length - frame.ip.size - frame.payload_length if frame.ip else 0


def headers(runs: Runs) -> Proof:
    """40, 32 and 20 octets of TCP; 8 of UDP."""
    tcp, refused = runs[PLAIN], runs["rst_refused"]
    syn, data = tcp.opening()[0], tcp.one("C>S +", tcp.data("C"))
    rst, asked = refused.first("S>C RST,ACK"), datagram(runs[ECHO], 0)
    return Proof(
        (
            claim(
                20 < header(data) < header(syn) <= 60,
                Text(
                    "TCP with options: {a} octets in the SYN (20 + {b}), {c} in a data segment (20 + {d})",
                    "带选项的 TCP 首部：SYN 为 {a} 字节（20 + {b}），数据报文段为 {c} 字节（20 + {d}）",
                ).fill(a=header(syn), b=header(syn) - 20, c=header(data), d=header(data) - 20),
                syn,
                data,
            ),
            claim(
                header(rst) == 20,
                Text(
                    "TCP without options: {n} octets, in the RST of a closed port",
                    "不带选项的 TCP 首部：{n} 字节，见于关闭端口的 RST",
                ).fill(n=header(rst)),
                rst,
            ),
            claim(
                header(asked) == 8,
                Text(
                    "UDP: {n} octets; two ports, a length, a checksum",
                    "UDP 首部：{n} 字节；两个端口、长度、校验和",
                ).fill(n=header(asked)),
                asked,
            ),
        ),
        {
            "syn": rights.octets(header(syn), syn),
            "data": rights.octets(header(data), data),
            "rst": rights.octets(header(rst), rst),
            "udp": rights.octets(header(asked), asked),
        },
    )


QUESTIONS = (
    Question(
        id="D1",
        asks=Text(
            "TCP needs a connection, UDP does not: how can you see that?",
            "TCP 需要连接，UDP 不需要：怎么看出来？",
        ),
        answer=Text(
            "TCP sends three segments before the first octet of data; UDP sends none. "
            "connect() exists on UDP too, but sends nothing. "
            "It fixes the peer, and lets the kernel report errors such as ECONNREFUSED.",
            "TCP 在第一个数据字节之前发送三个报文段；UDP 一个也不发。UDP 也有 connect()，但不发送任何报文："
            "它固定对端，并使内核能报告 ECONNREFUSED 等错误。",
        ),
        kind=Kind.COMPARE,
        level=1,
        interview="high",
        runs=(PLAIN, ECHO, "udp_connected_filter", "udp_port_unreachable"),
        prove=connection_or_none,
        values=(
            Ask(
                "tcp_before",
                Text(
                    "tcp_lifecycle: segments before the first octet of data",
                    "tcp_lifecycle：第一个数据字节之前的报文段数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "udp_before",
                Text(
                    "udp_echo: IP packets before the first octet of data",
                    "udp_echo：第一个数据字节之前的 IP 包数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "error",
                Text(
                    "udp_port_unreachable: how the second send() of the client ends",
                    "udp_port_unreachable：客户端第二次 send() 的结果",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("three segments before the first data", "第一个数据之前有三个报文段"),
                (r"three segments", r"handshake", r"三个报文段", r"握手"),
            ),
            Idea(
                Text("UDP sends none before", "UDP 此前一个也不发"),
                (r"udp (sends|needs) (none|no|at once)", r"udp ?(一个也不发|直接发送|不需要|此前)"),
            ),
            Idea(
                Text("connect() on UDP sends nothing", "UDP 的 connect() 不发送报文"),
                (
                    r"connect\(\)[^.]{0,30}(sends )?nothing",
                    r"connect\(\)[^.]{0,12}不(会)?(发送|产生)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP has no connect()", "UDP 没有 connect()"),
                (r"udp has no connect", r"udp ?没有 ?connect"),
            ),
        ),
        guess=Guess(
            Text(
                "connect() on a UDP socket: how many frames will it cause?",
                "在 UDP 套接字上 connect()，会产生几个帧？",
            ),
            (Text("three", "三个"), Text("none", "一个也没有"), Text("one", "一个")),
            1,
        ),
        hints=(
            Text("Look at the frames before the first data.", "看第一个数据之前的帧。"),
            Text(
                "Compare the calls of both clients with the frames they cause.",
                "把两个客户端的调用与所产生的帧相比较。",
            ),
        ),
        claim=Text("connect() is for TCP only", "connect() 只用于 TCP"),
        truth=Text(
            "On UDP it sends nothing, but changes which datagrams and errors the program gets",
            "用于 UDP 时不发送报文，但会改变程序收到哪些数据报和错误",
        ),
        seen_in=("S1",),
        then=("UD06", "D2"),
        sources=("RFC 9293 section 3.5", "RFC 768", "udp(7)"),
    ),
    Question(
        id="D2",
        asks=Text(
            "TCP needs more resources than UDP: which ones?",
            "TCP 比 UDP 耗费更多资源：是哪些资源？",
        ),
        answer=Text(
            "More packets for the same talk, a socket for each connection, timers, and the kernel's "
            "numbers: windows, round-trip time, and so on. TIME-WAIT stays after close(). "
            "UDP has socket buffers too, and its program may have to keep state itself.",
            "同样的对话需要更多的包；每条连接一个套接字；还有定时器，以及内核维护的窗口、往返时间等数值。"
            "close() 之后还留下 TIME-WAIT。UDP 也有套接字缓冲区，程序可能要自己保存状态。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="medium",
        runs=(PLAIN, ECHO, LOST),
        prove=what_it_costs,
        values=(
            Ask(
                "tcp_total",
                Text(
                    "tcp_lifecycle: segments of the connection in all",
                    "tcp_lifecycle：整条连接的报文段总数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "udp_total",
                Text(
                    "udp_echo: datagrams of the exchange in all", "udp_echo：整个交互的数据报总数"
                ),
                Unit.COUNT,
            ),
            Ask(
                "left",
                Text(
                    "tcp_lifecycle: state of the client's socket after close()",
                    "tcp_lifecycle：close() 之后客户端套接字的状态",
                ),
                Unit.STATE,
            ),
        ),
        ideas=(
            Idea(
                Text("more packets for the same talk", "同样的对话需要更多的包"),
                (r"more (packets|segments|frames)", r"更多的?(包|报文)"),
            ),
            Idea(
                Text("timers, and numbers that the kernel keeps", "定时器，以及内核维护的数值"),
                (r"timer", r"window", r"定时器", r"窗口"),
            ),
            Idea(
                Text("TIME-WAIT after the end", "结束后的 TIME-WAIT"),
                (r"time[-_ ]wait",),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP needs no memory at all", "UDP 完全不占内存"),
                (r"udp needs no (memory|resources)", r"udp ?(完全)?不(占|需要)(用)?(内存|资源)"),
            ),
        ),
        guess=Guess(
            Text(
                "How many sockets does a server use for one client, over TCP and over UDP?",
                "服务器为一个客户端各用几个套接字（TCP 与 UDP）？",
            ),
            (Text("1 and 1", "1 与 1"), Text("2 and 2", "2 与 2"), Text("2 and 1", "2 与 1")),
            2,
        ),
        hints=(
            Text(
                "Look at the descriptors that socket() and accept() return.",
                "看 socket() 与 accept() 返回的描述符。",
            ),
            Text(
                "Compare the state lanes: which socket has timers, which outlives close()?",
                "比较状态栏：哪个套接字有定时器，哪个在 close() 之后还在？",
            ),
        ),
        claim=Text("UDP costs nothing", "UDP 没有开销"),
        truth=Text(
            "Less, not nothing: a buffer, and whatever the program must do itself",
            "较少，但不是没有：有缓冲区，还有程序自己要做的事",
        ),
        seen_in=("S1",),
        then=("TD08", "D3"),
        sources=("RFC 9293 section 3.3.1", "tcp(7)", "udp(7)"),
    ),
    Question(
        id="D7",
        asks=Text("How long are the headers of TCP and UDP?", "TCP 与 UDP 的首部各有多长？"),
        answer=Text(
            "UDP: 8 octets, always. TCP: 20 to 60, as there are options. "
            "Here a SYN has 40, a data segment with timestamps 32, a RST without options 20.",
            "UDP 固定 8 字节。TCP 视选项而定，20 至 60 字节：这里 SYN 为 40，带时间戳的数据报文段为 32，不带选项的 RST 为 20。",
        ),
        kind=Kind.COMPUTE,
        level=1,
        interview="high",
        runs=(PLAIN, ECHO, "rst_refused"),
        prove=headers,
        values=(
            Ask(
                "syn",
                Text(
                    "tcp_lifecycle: octets of the SYN's TCP header",
                    "tcp_lifecycle：SYN 的 TCP 首部字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "data",
                Text(
                    "tcp_lifecycle: octets of a data segment's TCP header",
                    "tcp_lifecycle：数据报文段的 TCP 首部字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "rst",
                Text(
                    "rst_refused: octets of the RST's TCP header",
                    "rst_refused：RST 的 TCP 首部字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "udp",
                Text("udp_echo: octets of the UDP header", "udp_echo：UDP 首部的字节数"),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(Text("UDP: 8 octets", "UDP：8 字节"), (r"\b8\b", r"eight", r"8 ?字节", r"八字节")),
            Idea(
                Text("TCP: 20 to 60 octets", "TCP：20 至 60 字节"),
                (r"20 (to|-|–|and) ?60", r"20 ?(至|到|-|–|~) ?60"),
            ),
            Idea(Text("the options make the difference", "差别在于选项"), (r"option", r"选项")),
        ),
        wrong=(
            Idea(
                Text("TCP's header always has 20 octets", "TCP 首部固定 20 字节"),
                (r"always (has |have )?20", r"(固定|总是)(为|是)? ?20"),
            ),
        ),
        guess=Guess(
            Text(
                "How long will the TCP header of an ordinary SYN be?",
                "普通 SYN 的 TCP 首部有多长？",
            ),
            (
                Text("20 octets", "20 字节"),
                Text("32 octets", "32 字节"),
                Text("40 octets", "40 字节"),
            ),
            2,
        ),
        hints=(
            Text("Look at the header lengths of the frames.", "看各帧的首部长度。"),
            Text(
                "Compare: IP's total length, less IP's header, less the payload.",
                "比较：IP 总长度减去 IP 首部，再减去载荷。",
            ),
        ),
        claim=Text("TCP's header has 20 octets", "TCP 首部 20 字节"),
        truth=Text(
            "Only without options, and that is rare: with timestamps a data segment has 32 or more",
            "只有不带选项时才是，而这很少见：使用时间戳时，数据报文段至少为 32",
        ),
        seen_in=("S1",),
        then=("OP01", "OP03"),
        sources=("RFC 768", "RFC 9293 section 3.1", "RFC 7323 section 3"),
    ),
)
