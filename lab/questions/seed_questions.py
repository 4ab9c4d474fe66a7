"""The interview questions on the protocols that the seeds name, each answered by several proofs at once."""

from __future__ import annotations

from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.closing import three_or_four
from lab.questions.half_closed import data_between_fins
from lab.questions.handshake import three_segments, why_three
from lab.questions.rights import joined, part
from lab.questions.runs import Runs
from lab.questions.sockets import OF_THE_KINDS, four_tuple, parameters
from lab.questions.tcp_options import only_in_syn
from lab.questions.udp_datagrams import boundaries, tcp_against_udp
from lab.text import Text


def differences(runs: Runs) -> Proof:
    """One question and its answer, five messages: over TCP and over UDP."""
    return joined(
        part(tcp_against_udp(runs), (0, 1, 2, 3), "tcp_before", "tcp_total", "udp_total"),
        part(boundaries(runs), (0, 2), "tcp_reads"),
    )


def three_parameters(runs: Runs) -> Proof:
    """What each value becomes on the wire; and that they do not yet name a connection."""
    return joined(
        part(parameters(runs), (0, 1, 2), "tcp", "udp", "unix"),
        part(four_tuple(runs), (0, 1), "port"),
    )


def carried(runs: Runs) -> Proof:
    """Numbers in the three segments, options in the first two."""
    return joined(
        part(three_segments(runs), (0, 1), "client_isn", "server_isn"),
        part(only_in_syn(runs), (0, 1, 2), "tsval", "shift"),
    )


def three_and_four(runs: Runs) -> Proof:
    """Opening merges two steps; closing keeps them apart where the other end has more to say."""
    return joined(
        part(why_three(runs), (0, 2), "reset"),
        part(data_between_fins(runs), (0, 2), "data"),
        part(three_or_four(runs), (0, 2), "merged"),
    )


QUESTIONS = (
    Question(
        id="Q1",
        asks=Text("What are the differences between TCP and UDP?", "TCP 与 UDP 有哪些区别？"),
        answer=Text(
            "TCP opens a connection first, UDP sends at once. "
            "TCP numbers octets, acknowledges them and repeats what is lost; UDP does none of this. "
            "TCP is a byte stream, UDP keeps message boundaries. "
            "Headers: TCP 20 to 60 octets, UDP 8.",
            "TCP 先建立连接，UDP 直接发送。TCP 给字节编号、确认、重传丢失的数据；UDP 都没有。"
            "TCP 是字节流，UDP 保留消息边界。首部：TCP 20 至 60 字节，UDP 8 字节。",
        ),
        kind=Kind.COMPARE,
        level=1,
        interview="high",
        runs=("tcp_lifecycle", "udp_echo", "stream_coalesce", "stream_coalesce:udp"),
        prove=differences,
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
                    "udp_echo: datagrams of the exchange in all",
                    "udp_echo：整个交互的数据报总数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "tcp_reads",
                Text(
                    "stream_coalesce: recv() calls that returned the five messages",
                    "stream_coalesce：读出五条消息的 recv() 次数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("TCP opens a connection first, UDP does not", "TCP 先建立连接，UDP 不用"),
                (r"connection", r"handshake", r"建立连接", r"面向连接", r"握手"),
            ),
            Idea(
                Text("TCP acknowledges and repeats", "TCP 确认并重传"),
                (r"acknowledge", r"repeat|retransmi|resend", r"reliab", r"确认", r"重传", r"可靠"),
            ),
            Idea(
                Text("byte stream against message boundaries", "字节流与消息边界"),
                (r"byte stream", r"boundar", r"字节流", r"边界"),
            ),
            Idea(
                Text(
                    "UDP's header has 8 octets, TCP's 20 to 60",
                    "UDP 首部 8 字节，TCP 20 至 60 字节",
                ),
                (r"header", r"首部|头部|报头"),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP repeats what is lost", "UDP 会重传丢失的数据"),
                (r"udp (also )?(repeats|retransmits|resends)", r"udp ?(也)?会?重传"),
            ),
            Idea(
                Text("TCP keeps message boundaries", "TCP 保留消息边界"),
                (r"\btcp keeps message", r"tcp ?保留消息"),
            ),
        ),
        guess=Guess(
            Text(
                "One question and one answer over TCP: how many segments in all?",
                "用 TCP 一问一答，一共有多少个报文段？",
            ),
            (Text("2", "2"), Text("5", "5"), Text("about 10", "10 个左右")),
            2,
        ),
        hints=(
            Text(
                "Look at what comes before and after the data in both ladders.",
                "看两张时序图中数据前后各有什么。",
            ),
            Text(
                "Compare the number of send calls, of frames and of receive calls.",
                "比较发送调用、帧与接收调用的数目。",
            ),
        ),
        seen_in=("S2",),
        then=("UD01", "BS01", "D4"),
        sources=("RFC 768", "RFC 9293 section 2.2", "RFC 9293 section 3.1"),
    ),
    Question(
        id="Q2",
        asks=Text("What do the parameters of socket() mean?", "socket() 的各个参数是什么意思？"),
        answer=Text(
            "The address family: AF_INET, AF_INET6, AF_UNIX. "
            "The type: SOCK_STREAM, a byte stream, or SOCK_DGRAM, datagrams. "
            "The protocol: 0 is the default for the pair, TCP or UDP. "
            "Address and port are no parameters: bind() and connect() give them.",
            "第一个是地址族：AF_INET、AF_INET6、AF_UNIX。第二个是类型：SOCK_STREAM 即字节流，SOCK_DGRAM 即数据报。"
            "第三个是协议：0 表示该组合的默认协议，TCP 或 UDP。地址与端口不是它的参数，由 bind() 和 connect() 给出。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        runs=("tcp_lifecycle", "udp_echo", "af_unix_local", "four_tuple"),
        prove=three_parameters,
        values=(
            *OF_THE_KINDS,
            Ask(
                "port",
                Text(
                    "four_tuple: local port of the server's second accepted socket",
                    "four_tuple：服务器第二个已接受套接字的本地端口",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("the address family, such as AF_INET", "地址族，如 AF_INET"),
                (r"famil", r"af_inet", r"地址族|协议族"),
            ),
            Idea(
                Text("the type: SOCK_STREAM or SOCK_DGRAM", "类型：SOCK_STREAM 或 SOCK_DGRAM"),
                (r"sock_stream", r"sock_dgram"),
            ),
            Idea(
                Text("protocol 0: the default", "协议为 0：默认协议"),
                (r"default", r"默认"),
            ),
        ),
        wrong=(
            Idea(
                Text("the parameters name the peer", "参数指明了对端"),
                (
                    r"parameters (name|are|contain) the (peer|address|port)",
                    r"参数(就)?(指明|包含)了?(对端|端口)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "socket(AF_INET, SOCK_DGRAM, 0): which protocol number will the IP header have?",
                "socket(AF_INET, SOCK_DGRAM, 0)：IP 首部的协议号会是多少？",
            ),
            (Text("0", "0"), Text("6", "6"), Text("17", "17")),
            2,
        ),
        hints=(
            Text(
                "Look at the arguments of the socket() calls, and at the IP headers.",
                "看各个 socket() 调用的参数，以及 IP 首部。",
            ),
            Text("Compare the protocol field of the three runs.", "比较三次运行的协议字段。"),
        ),
        seen_in=("S2",),
        then=("SK01", "SK02"),
        sources=("socket(2)", "ip(7)", "unix(7)"),
    ),
    Question(
        id="Q3",
        asks=Text(
            "Describe TCP's three-way handshake and the parameters that it carries.",
            "说明 TCP 三次握手的过程，以及其中携带的参数。",
        ),
        answer=Text(
            "SYN with the client's ISN x; SYN,ACK with the server's ISN y and ack x+1; ACK with y+1. "
            "The first two also carry options: MSS, window scale, SACK-permitted, timestamps. "
            "Each end announces its own values.",
            "SYN 携带客户端的 ISN x；SYN,ACK 携带服务器的 ISN y，并确认 x+1；ACK 确认 y+1。"
            "前两段还带有选项：MSS、窗口扩大因子、SACK-permitted、时间戳。双方各自通告自己的值。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="high",
        runs=("tcp_lifecycle", "mss_negotiation"),
        prove=carried,
        values=(
            Ask(
                "client_isn",
                Text(
                    "tcp_lifecycle: the client's initial sequence number",
                    "tcp_lifecycle：客户端的初始序列号",
                ),
                Unit.SEQUENCE,
            ),
            Ask(
                "server_isn",
                Text(
                    "tcp_lifecycle: the server's initial sequence number",
                    "tcp_lifecycle：服务器的初始序列号",
                ),
                Unit.SEQUENCE,
            ),
            Ask(
                "tsval",
                Text("mss_negotiation: TSval of the SYN", "mss_negotiation：SYN 的 TSval"),
                Unit.COUNT,
            ),
            Ask(
                "shift",
                Text(
                    "mss_negotiation: window scale (shift) of the SYN,ACK",
                    "mss_negotiation：SYN,ACK 的窗口扩大因子（移位数）",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("SYN, then SYN,ACK, then ACK", "先 SYN，再 SYN,ACK，再 ACK"),
                (r"\bsyn\b.*syn[ ,+/]*ack.*\back\b",),
            ),
            Idea(
                Text(
                    "each acknowledges the other's ISN plus one: x+1",
                    "各自确认对方的 ISN 加一：x+1",
                ),
                (r"x ?\+ ?1", r"isn ?\+ ?1", r"plus one", r"加一"),
            ),
            Idea(
                Text("options such as MSS and window scale", "MSS、窗口扩大因子等选项"),
                (r"\bmss\b", r"window scale", r"窗口扩大"),
            ),
        ),
        wrong=(
            Idea(
                Text("the options are negotiated in the third segment", "选项在第三个报文段中协商"),
                (r"in the third segment", r"在第三(个报文段|次握手)中协商"),
            ),
        ),
        guess=Guess(
            Text("Which segments will carry an MSS option?", "哪些报文段会携带 MSS 选项？"),
            (
                Text("all of them", "所有报文段"),
                Text("the two with SYN", "带 SYN 的两个"),
                Text("only the first", "只有第一个"),
            ),
            1,
        ),
        hints=(
            Text("Look at the options of the first three segments.", "看前三个报文段的选项。"),
            Text(
                "Compare each ack with the seq of the segment that it answers.",
                "把每个 ack 与它所回应的报文段的 seq 相比较。",
            ),
        ),
        seen_in=("S2",),
        then=("HS01", "HS02", "OP01"),
        sources=("RFC 9293 section 3.5", "RFC 9293 section 3.2", "RFC 7323 section 2"),
    ),
    Question(
        id="Q5",
        asks=Text(
            "Why three segments to open, and four to close?", "为什么握手是三次，挥手是四次？"
        ),
        answer=Text(
            "Each side's SYN and FIN must be acknowledged: four steps either way. "
            "When opening, the server's ACK and SYN are merged into one segment. "
            "When closing, the other side may still have data to send, so its FIN comes later. "
            "Closed soon enough, ACK and FIN merge too: three.",
            "双方的 SYN 和 FIN 都必须得到确认，两种情况都是四步。打开时，服务器的 ACK 与 SYN 合并为一个报文段。"
            "关闭时，另一端可能还有数据要发，所以它的 FIN 较晚。若关闭得足够快，ACK 与 FIN 也会合并，只有三段。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="high",
        runs=(
            "tcp_lifecycle",
            "syn_scan",
            "half_close",
            "close_three_segments:after_20_ms",
            "close_four_segments",
        ),
        prove=three_and_four,
        values=(
            Ask(
                "reset",
                Text(
                    "syn_scan: frame that rejects the unexpected SYN,ACK",
                    "syn_scan：拒绝意外 SYN,ACK 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "data",
                Text(
                    "half_close: frame with data between the two FINs",
                    "half_close：两个 FIN 之间的数据帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "merged",
                Text(
                    "close_three_segments: frame that is ACK and FIN in one",
                    "close_three_segments：兼作 ACK 与 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("each SYN and FIN must be acknowledged", "每个 SYN 和 FIN 都必须得到确认"),
                (r"acknowledged", r"得到确认|要确认|需要确认"),
            ),
            Idea(
                Text("ACK and SYN are merged", "ACK 与 SYN 合并"),
                (r"merge", r"one segment", r"合并"),
            ),
            Idea(
                Text("the other side may still have data to send", "另一端可能还有数据要发"),
                (r"still (have|has|send)", r"data to send", r"还有数据"),
            ),
        ),
        wrong=(
            Idea(
                Text("closing always takes four segments", "挥手一定是四个报文段"),
                (r"always (takes )?four", r"(一定|总是|必须)是?四(次|个)"),
            ),
            Idea(
                Text("two segments would be enough to open", "两次握手就足够了"),
                (
                    r"two( segments)? (would be|are) enough",
                    r"两次(握手)?(就|已经?)?(足够|够了|即可)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The server closes 20 ms after the client's FIN. How many segments close the connection?",
                "服务器在客户端 FIN 之后 20 毫秒关闭。关闭连接用了几个报文段？",
            ),
            (Text("four", "四个"), Text("three", "三个"), Text("two", "两个")),
            1,
        ),
        hints=(
            Text(
                "Look at the first FIN and what follows it, in each run.",
                "在每次运行中看首个 FIN 及其后的报文段。",
            ),
            Text(
                "Compare the time of the ACK with that of the server's close().",
                "把 ACK 的时间与服务器 close() 的时间相比较。",
            ),
        ),
        seen_in=("S1",),
        then=("HS03", "TD01", "TD02"),
        sources=("RFC 9293 section 3.5", "RFC 9293 section 3.6", "RFC 9293 section 3.8.6.3"),
    ),
)
