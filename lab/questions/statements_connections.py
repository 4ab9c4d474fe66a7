"""Statements about listening, and about what tells one connection from another."""

from __future__ import annotations

from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.handshake_queues import two_queues
from lab.questions.rights import part
from lab.questions.runs import Runs
from lab.questions.socket_listen import backlog
from lab.questions.sockets import four_tuple
from lab.text import Text


def not_the_clients(runs: Runs) -> Proof:
    """A backlog of two, three connections: it bounds a queue."""
    return part(backlog(runs), (0, 2, 3), "waiting", "overflows")


def not_the_half_open(runs: Runs) -> Proof:
    """Completed connections wait in one queue, requests are another matter."""
    return part(two_queues(runs), (0, 2, 3), "waiting", "half")


def not_the_socket(runs: Runs) -> Proof:
    """One port of the server's, one port of the client's, two connections."""
    return part(four_tuple(runs), (0, 1, 3), "port", "syn")


QUESTIONS = (
    Question(
        id="E1",
        asks=Text(
            "Is it true that listen(5) lets at most five clients connect?",
            "listen(5) 表示最多只能有 5 个客户端连接，对吗？",
        ),
        answer=Text(
            "No. The backlog bounds the completed connections that wait for accept(), and somaxconn caps it. "
            "Linux admits one more: with a backlog of 2, three clients get in. "
            "It is no limit on clients: accept() takes a connection out of the queue.",
            "不对。backlog 限制的是已完成握手、等待 accept() 的连接数，并受 somaxconn 限制。"
            "Linux 还会多容纳一个：backlog 为 2 时，有三个客户端连上。"
            "它不是客户端数量的上限：accept() 会把连接从队列中取走。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("accept_queue_overflow",),
        prove=not_the_clients,
        values=(
            Ask(
                "waiting",
                Text("Connections that wait when the queue is full", "队列满时等待的连接数"),
                Unit.COUNT,
            ),
            Ask(
                "overflows",
                Text("By how much ListenOverflows grows", "ListenOverflows 增加的数量"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("it bounds those that wait for accept()", "它限制的是等待 accept() 的连接"),
                (r"wait[^.]{0,12}accept", r"accept queue", r"等待 ?accept", r"全连接队列"),
            ),
            Idea(
                Text("it is no limit on clients", "它不是客户端数量的上限"),
                (r"(no|not a|not the) (limit|maximum|bound)", r"(不是|并非)[^.]{0,4}客户端"),
            ),
            Idea(
                Text("Linux admits one more than the backlog", "Linux 比 backlog 多容纳一个"),
                (r"one more", r"(backlog|n) ?\+ ?1", r"多(容纳|放)?(一|1) ?个"),
            ),
        ),
        wrong=(
            Idea(
                Text("listen(5) means at most five clients", "listen(5) 表示最多 5 个客户端"),
                (r"at most (five|5) clients", r"最多(只能有)? ?(5|五) ?个客户端"),
            ),
            Idea(
                Text("the client that is too late gets a RST", "来晚的客户端会收到 RST"),
                (r"gets an? rst", r"收到 ?rst"),
            ),
        ),
        guess=Guess(
            Text(
                "listen(2), nobody calls accept(), six clients knock. How many get in?",
                "listen(2)，无人调用 accept()，来了六个客户端。有几个能连上？",
            ),
            (Text("none", "一个也没有"), Text("two", "两个"), Text("three", "三个")),
            2,
        ),
        hints=(
            Text(
                "Look at the listener's numbers in the server's state lane.",
                "看服务器状态栏中监听套接字的数值。",
            ),
            Text(
                "Compare the argument of listen() with the connect() calls that succeed.",
                "把 listen() 的参数与成功的 connect() 次数相比较。",
            ),
        ),
        claim=Text(
            "listen(5) is the greatest number of clients or listeners",
            "listen(5) 是客户端或监听者的最大数目",
        ),
        truth=Text(
            "It bounds a queue: those that wait for accept(); listen(2) held three",
            "它限制的是等待 accept() 的队列：listen(2) 容纳了三个",
        ),
        seen_in=("S0", "S2", "S4"),
        then=("SK04", "E2"),
        sources=("listen(2)", "Linux ip-sysctl: somaxconn"),
    ),
    Question(
        id="E2",
        asks=Text(
            "Is it true that the backlog is the size of the half-open pool?",
            "backlog 就是半连接池的大小，对吗？",
        ),
        answer=Text(
            "No. Since Linux 2.2 the backlog is the length of the accept queue, of finished connections. "
            "Requests in SYN-RECEIVED are counted apart. "
            "Current kernels bound them by the same number as well, and drop or send cookies beyond it.",
            "不对。自 Linux 2.2 起，backlog 指全连接队列的长度，其中是已完成握手的连接。"
            "处于 SYN-RECEIVED 的请求另行计数。"
            "新内核用同一个数值也限制半连接数，超出则丢弃或发 SYN Cookie。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("accept_queue_overflow", "syn_flood_cookies"),
        prove=not_the_half_open,
        values=(
            Ask(
                "waiting",
                Text(
                    "Overflow: finished connections in the full queue",
                    "溢出：队列满时其中已完成握手的连接数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "half",
                Text("Flood: requests kept in SYN-RECEIVED", "洪泛：保留在 SYN-RECEIVED 的请求数"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "it is the accept queue: finished connections",
                    "它是全连接队列：其中是已完成握手的连接",
                ),
                (r"accept queue", r"finished connections", r"全连接", r"已完成(三次)?握手"),
            ),
            Idea(
                Text(
                    "requests in SYN-RECEIVED are counted apart",
                    "处于 SYN-RECEIVED 的请求另行计数",
                ),
                (r"syn[-_ ](received|recv|rcvd)",),
            ),
            Idea(
                Text(
                    "the same number also bounds the half-open requests",
                    "同一个数值也限制半连接数",
                ),
                (
                    r"(same|also|too)[^.]{0,40}(bound|limit)",
                    r"(bound|limit)[^.]{0,40}(same|as well|also|too)",
                    r"(同一个?|也)[^.]{0,8}限制",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the connections in the backlog are half open", "backlog 里的连接都是半连接"),
                (r"backlog (are|is) half", r"backlog ?(里|中)的(连接)?都?是半连接"),
            ),
        ),
        guess=Guess(
            Text(
                "Backlog 2, nobody accepts. In which state are the connections that wait?",
                "backlog 为 2，无人 accept。等待中的连接处于什么状态？",
            ),
            (
                Text("SYN-RECEIVED: half open", "SYN-RECEIVED：半连接"),
                Text("ESTABLISHED", "ESTABLISHED"),
                Text("LISTEN", "LISTEN"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the server's sockets in both runs, and at the listener's numbers.",
                "看两次运行中服务器的套接字，以及监听套接字的数值。",
            ),
            Text(
                "Compare how many are ESTABLISHED in one run and SYN-RECEIVED in the other.",
                "比较一次运行中 ESTABLISHED 的个数与另一次运行中 SYN-RECEIVED 的个数。",
            ),
        ),
        claim=Text("The backlog is the pool of half-open connections", "backlog 就是半连接池"),
        truth=Text(
            "It is the accept queue, of finished connections; half-open ones are bounded besides",
            "它是全连接队列，存放已完成握手的连接；半连接另受限制",
        ),
        seen_in=("S4",),
        then=("HS11", "E1"),
        sources=("listen(2) NOTES", "RFC 4987 section 3.2"),
    ),
    Question(
        id="E3",
        asks=Text(
            "Is it true that every socket has an address and port of its own, "
            "and that these tell connections apart?",
            "每个套接字都有独一无二的地址和端口，连接就靠它来区分，对吗？",
        ),
        answer=Text(
            "No. A connection is named by both endpoints together, the four-tuple, and the protocol. "
            "All accepted sockets share the listener's port. "
            "Here two connections differ in nothing but the client's address.",
            "不对。连接由两端的端点（四元组）连同协议一起标识。"
            "所有已接受的套接字共用监听端口。"
            "这里有两条连接，只有客户端地址不同。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("four_tuple",),
        prove=not_the_socket,
        values=(
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
                Text(
                    "Frame of the SYN that differs from the first only in its source address",
                    "与第一个 SYN 只有源地址不同的 SYN 的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("both endpoints name a connection", "连接由两端的端点共同标识"),
                (r"both (ends|endpoints)", r"(four|five)[- ]tuple", r"两端", r"[四五]元组"),
            ),
            Idea(
                Text("accepted sockets share the listener's port", "已接受的套接字共用监听端口"),
                (
                    r"(share|same|keep)[^.]{0,24}port",
                    r"共用[^.]{0,8}端口",
                    r"(相同|同一)[^.]{0,6}端口",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "each accepted socket gets a port of its own",
                    "每个已接受的套接字都有自己的新端口",
                ),
                (r"gets an? (new )?port", r"(都有|分配)(自己的)?新(的)?端口"),
            ),
        ),
        guess=Guess(
            Text(
                "Two clients use the same source port to one server port. What happens?",
                "两个客户端地址用相同的源端口连接同一个服务器端口，会怎样？",
            ),
            (
                Text("the second is refused", "第二个被拒绝"),
                Text("both are connected", "两个都能连上"),
                Text("the first is closed", "第一个被关闭"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the SYNs, and at getsockname() of what accept() returns.",
                "看各个 SYN，以及 accept() 所得套接字的 getsockname()。",
            ),
            Text(
                "Compare source and destination of the SYNs, address and port by itself.",
                "逐项比较各个 SYN 的源、目的地址与端口。",
            ),
        ),
        claim=Text(
            "Each socket has its own address and port, and these distinguish connections",
            "每个套接字有唯一的地址和端口，用来区分连接",
        ),
        truth=Text(
            "It takes both endpoints: two connections had three of the four values in common",
            "要看两端的端点：有两条连接的四个值中有三个相同",
        ),
        seen_in=("S0",),
        then=("SK01",),
        sources=("RFC 9293 section 3.4", "RFC 9293 section 4"),
    ),
)
