"""Statements to set right: datagrams, and which calls are for them."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.injected_segments import anybody_may_answer
from lab.questions.path_mtu import one_lost_all_lost
from lab.questions.pieces import Datagram
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Runs
from lab.questions.udp_datagrams import datagram
from lab.questions.udp_errors import connected, nobody_repeats
from lab.questions.udp_limits import size_limits
from lab.text import Text

UDP = 17  # in IP's protocol field


def cut_by_ip(runs: Runs) -> Proof:
    """Too long for one packet: three fragments; one of them lost, all lost."""
    return joined(
        part(size_limits(runs), (3,), "count"),
        part(one_lost_all_lost(runs), (1, 3), "lost"),
    )


def all_that_is_missing(runs: Runs) -> Proof:
    """A lost reply: no error, no repetition, and a wait that only the program ends."""
    return part(nobody_repeats(runs), (0, 1, 2, 3), "reply", "waited")


def one_peer_only(runs: Runs) -> Proof:
    """A connected socket gets what its peer sends, and nothing else."""
    return part(connected(runs), (1, 2, 3), "forged", "refusal")


def anybody(runs: Runs) -> Proof:
    """A stranger's answer: read without connect(), not read with it."""
    return part(anybody_may_answer(runs), (0, 1, 3), "forged", "port")


def _protocol(one: Datagram) -> int:
    ip = one.frame.ip
    return ip.protocol if ip else -1


def calls_of_tcp(runs: Runs) -> Proof:
    """send() and recv() on a UDP socket, once connect() has fixed its peer."""
    run = runs["udp_connected_filter"]
    made, fixed = run.call("client", "socket"), run.call("client", "connect")
    sent, read = run.call("client", "send"), run.call("client", "recv")
    asked = datagram(run, 0)
    answer = run.one("S>C UDP", [one for one in run.datagrams(asked.stream) if one.sender == "S"])
    named = fixed.call.arguments[0]
    peer = ":".join(map(str, named)) if isinstance(named, list) else str(named)
    return Proof(
        (
            claim(
                made.call.arguments[:2] == ("AF_INET", "SOCK_DGRAM")
                and sent.call.octets == asked.length
                and _protocol(asked) == UDP,
                Text(
                    "send() on a UDP socket: {n} octets leave in frame {f}, IP protocol {p}",
                    "在 UDP 套接字上 send()：{n} 字节由第 {f} 帧发出，IP 协议号 {p}",
                ).fill(n=sent.call.octets, f=asked.number, p=_protocol(asked)),
                made,
                sent,
                asked,
            ),
            claim(
                read.call.octets == answer.length and answer.time < read.after,
                Text(
                    "recv() on it returns the {n} octets of datagram {f}",
                    "在它上面 recv() 返回数据报（第 {f} 帧）的 {n} 字节",
                ).fill(n=read.call.octets, f=answer.number),
                answer,
                read,
            ),
            claim(
                fixed.after < sent.before and str(asked.frame.destination) == peer,
                Text(
                    "connect() came first, and fixed the peer: the datagram goes to {peer}",
                    "在此之前 connect() 已固定对端：数据报发往 {peer}",
                ).fill(peer=peer),
                fixed,
                sent,
                asked,
            ),
        ),
        {
            "sent": rights.frame(asked),
            "octets": rights.octets(read.call.octets or 0, read),
        },
    )


QUESTIONS = (
    Question(
        id="E28",
        asks=Text(
            "Is it true that a datagram is always sent whole, never split?",
            "数据报总是整个发送、绝不拆分，对吗？",
        ),
        answer=Text(
            "No. UDP itself splits nothing, but IP fragments a datagram that is larger than the "
            "path MTU. Here 4000 octets travel as three fragments. "
            "One lost fragment loses the whole datagram.",
            "不对。UDP 自己不拆分，但数据报大于路径 MTU 时，IP 会将其分片。这里 4000 字节分成三片传送。"
            "丢失一个分片，整个数据报就丢失了。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("udp_size_limits", "udp_fragment_loss"),
        prove=cut_by_ip,
        values=(
            Ask(
                "count",
                Text(
                    "Nothing lost: fragments of the datagram of 4000 octets",
                    "没有丢包时：4000 字节的数据报分成几片",
                ),
                Unit.COUNT,
            ),
            Ask(
                "lost",
                Text(
                    "One fragment lost: its frame in the client's capture",
                    "丢失一个分片时：它在客户端抓包中的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "IP fragments what is larger than the MTU",
                    "大于 MTU 时由 IP 分片",
                ),
                (
                    r"ip fragments",
                    r"larger than the (path )?mtu",
                    r"ip 会(将其|把它)?分片",
                    r"由 ip 分片",
                ),
            ),
            Idea(
                Text(
                    "one lost fragment loses the whole datagram",
                    "丢失一个分片，整个数据报就丢失",
                ),
                (r"one (lost )?fragment[^.]{0,30}whole", r"(一个分片|一片)[^.]{0,6}整个数据报"),
            ),
        ),
        wrong=(
            Idea(
                Text("only the lost fragment is sent again", "只重传丢失的分片"),
                (
                    r"only the lost fragment is (re)?(sent|transmitted|peated)",
                    r"只(会)?重[传发]丢失的(那个)?分片",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "4000 octets are sent in one datagram; the MTU is 1500. What will be on the wire?",
                "一个数据报发送 4000 字节，MTU 为 1500。线路上会出现什么？",
            ),
            (
                Text("one packet of 4028 octets", "一个 4028 字节的包"),
                Text("three packets", "三个包"),
                Text("nothing: the call fails", "什么也没有：调用失败"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the fragment offsets in the frames of the IP packet.",
                "看各个 IP 包的分片偏移。",
            ),
            Text(
                "Compare the fragments at the client's port with those at the server's.",
                "把客户端端口处的分片与服务器端口处的相比较。",
            ),
        ),
        claim=Text("Datagrams are sent whole, never split", "数据报整个发送，绝不拆分"),
        truth=Text(
            "Whole for the programs; on the wire IP cuts it to fit the path MTU",
            "对程序而言是完整的；在线路上，IP 按路径 MTU 把它切开",
        ),
        seen_in=("S2",),
        then=("NW05", "UD04"),
        sources=("RFC 768", "RFC 791 section 3.2", "RFC 8900"),
    ),
    Question(
        id="E30",
        asks=Text(
            "Is it true that recv() and send() are for TCP, recvfrom() and sendto() for UDP?",
            "recv() 与 send() 用于 TCP，recvfrom() 与 sendto() 用于 UDP，对吗？",
        ),
        answer=Text(
            "Not quite. What counts is whether the socket is connected. "
            "A connected UDP socket uses send() and recv() too. "
            "An unconnected one must name the peer in each sendto().",
            "不完全对。关键在于套接字是否已连接。已连接的 UDP 套接字同样使用 send() 与 recv()。"
            "未连接的套接字每次 sendto() 都要指明对端。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("udp_connected_filter",),
        prove=calls_of_tcp,
        values=(
            Ask(
                "sent",
                Text("Frame of the datagram that send() sends", "send() 发出的数据报的帧号"),
                Unit.FRAME,
            ),
            Ask("octets", Text("Octets that recv() returns", "recv() 返回的字节数"), Unit.OCTETS),
        ),
        ideas=(
            Idea(
                Text("it depends on whether the socket is connected", "取决于套接字是否已连接"),
                (r"(whether|if|once|when)[^.]{0,25}\bconnected", r"是否已?连接", r"connect\(\)"),
            ),
            Idea(
                Text(
                    "a connected UDP socket uses send() and recv()",
                    "已连接的 UDP 套接字使用 send() 与 recv()",
                ),
                (
                    r"connected udp socket[^.]{0,30}(send|recv)\(\)",
                    r"已连接的 ?udp ?套接字[^.]{0,12}(send|recv)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("send() on a UDP socket always fails", "在 UDP 套接字上 send() 一定失败"),
                (
                    r"send\(\) on a udp socket (always )?(fails|is an error)",
                    r"udp 套接字上 ?send\(\) ?(一定|总是|必然|会)(失败|出错)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "send() is called on a UDP socket after connect(). What will happen?",
                "在 UDP 套接字上 connect() 之后调用 send()，会怎样？",
            ),
            (
                Text("it fails: send() is for streams", "失败：send() 只用于字节流"),
                Text("a handshake, then the data", "先握手，再发数据"),
                Text("one datagram leaves", "发出一个数据报"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the client's calls and the protocol of frame 3.",
                "看客户端的调用和第 3 帧的协议。",
            ),
            Text(
                "Compare the octets of each call with the payload of the datagrams.",
                "把各次调用的字节数与数据报的载荷相比较。",
            ),
        ),
        claim=Text(
            "recv() and send() belong to TCP, recvfrom() and sendto() to UDP",
            "recv()、send() 属于 TCP，recvfrom()、sendto() 属于 UDP",
        ),
        truth=Text(
            "All four are calls on sockets; the first two need a peer that is fixed",
            "四者都是套接字调用；前两个要求对端已经固定",
        ),
        seen_in=("S2",),
        then=("UD06", "SK02"),
        sources=("recv(2)", "send(2)", "udp(7)"),
    ),
    Question(
        id="E32",
        asks=Text(
            "Is it true that a UDP client differs from a TCP client only in not connecting?",
            "UDP 客户端与 TCP 客户端的区别仅仅是不用连接，对吗？",
        ),
        answer=Text(
            "No. Nobody tells it that a datagram was lost: sendto() succeeds all the same. "
            "Nothing is sent again, and nothing says that the peer has gone. "
            "So it needs a timeout of its own, and should check who answers.",
            "不对。数据报丢了没有人告诉它：sendto() 照样成功。不会重发，对端离开也没有任何通知。"
            "所以它需要自己的超时，还应检查是谁在应答。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("udp_echo:lost_reply",),
        prove=all_that_is_missing,
        values=(
            Ask(
                "reply",
                Text(
                    "Frame of the lost reply, in the server's capture",
                    "丢失的应答在服务器抓包中的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "waited",
                Text("How long the client's recvfrom() waits", "客户端的 recvfrom() 等待了多久"),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("nobody tells it of a loss", "丢失了没有人告诉它"),
                (
                    r"(nobody|nothing|no one) tells",
                    r"no (error|notice|sign)",
                    r"没有人?(告诉|通知)",
                    r"没有任何通知",
                ),
            ),
            Idea(
                Text("nothing is sent again", "不会重发"),
                (
                    r"nothing is (sent again|repeated|retransmitted)",
                    r"(不会|没有|不)(自动)?重[发传]",
                ),
            ),
            Idea(
                Text("it needs a timeout of its own", "需要自己的超时"),
                (r"time-?out", r"timer", r"超时", r"定时器"),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP repeats what is lost", "UDP 会重发丢失的数据"),
                (r"udp (repeats|retransmits|resends)", r"udp ?会?(自动)?重[发传]丢失"),
            ),
        ),
        guess=Guess(
            Text(
                "The reply is lost, and no timeout is set. What will the client's recvfrom() do?",
                "应答丢失，又没有设置超时。客户端的 recvfrom() 会怎样？",
            ),
            (
                Text("wait for ever", "永远等下去"),
                Text("fail with ETIMEDOUT", "以 ETIMEDOUT 失败"),
                Text("return no octets", "返回零字节"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at both captures: one datagram is in the server's only.",
                "看两份抓包：有一个数据报只出现在服务器的抓包中。",
            ),
            Text(
                "Compare the limit that settimeout() sets with how long recvfrom() takes.",
                "把 settimeout() 设置的时限与 recvfrom() 的用时相比较。",
            ),
        ),
        claim=Text("A UDP client only leaves out connect()", "UDP 客户端只是少了 connect()"),
        truth=Text(
            "It also lacks all that the connection did: repeating, ordering, telling of the end",
            "连接所做的一切它都没有：重传、排序、告知结束",
        ),
        seen_in=("S2",),
        then=("UD07", "SE06"),
        sources=("udp(7)", "RFC 8085 section 3.3"),
    ),
    Question(
        id="E33",
        asks=Text(
            "Is it true that a UDP server cannot hand a client over to a socket of its own?",
            "UDP 服务器无法把某个客户端交给单独的套接字，对吗？",
        ),
        answer=Text(
            "No, it can. A new socket, bound to the same port and connect()ed to that client, "
            "gets only what that client sends. Here a connected socket refuses a stranger's "
            "datagram. To share the port both sockets need SO_REUSEADDR.",
            "不对，可以。新建一个套接字，绑定同一端口，再 connect() 到该客户端，它就只收到该客户端的数据报。"
            "这里，已连接的套接字拒绝了陌生人的数据报。两个套接字要共用端口，都须设置 SO_REUSEADDR。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("udp_connected_filter",),
        prove=one_peer_only,
        values=(
            Ask(
                "forged",
                Text(
                    "Frame of the stranger's datagram (client's capture)",
                    "陌生人的数据报的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "refusal",
                Text("Frame of the ICMP message that refuses it", "拒绝它的 ICMP 报文的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("a new socket, connected to that client", "新建套接字并 connect() 到该客户端"),
                (
                    r"(new|second|own|separate|another) socket",
                    r"(新建|另一个|第二个|单独)[^.]{0,6}套接字",
                ),
            ),
            Idea(
                Text(
                    "connected, it gets only what that peer sends",
                    "连接之后只收到该对端的数据报",
                ),
                (
                    r"gets? only",
                    r"only (what|from|that|datagrams)",
                    r"refuses?",
                    r"只(会)?(收到|接收)",
                    r"拒绝",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("connect() on UDP performs a handshake", "UDP 的 connect() 会进行握手"),
                (
                    r"connect[^.]{0,20}(performs|makes|does|needs) a handshake",
                    r"connect\(\) ?会?(进行|需要)握手",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A UDP socket has called connect(). A stranger's datagram comes to its port. "
                "What will happen?",
                "UDP 套接字已调用 connect()。陌生人的数据报到达它的端口，会怎样？",
            ),
            (
                Text("recv() returns it", "recv() 返回它"),
                Text("it waits in the buffer", "留在缓冲区中"),
                Text("the kernel refuses it with ICMP", "内核以 ICMP 拒绝"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the source ports of the datagrams that reach the client.",
                "看到达客户端的各个数据报的源端口。",
            ),
            Text(
                "Compare the octets that recv() returns with both datagrams.",
                "把 recv() 返回的字节与两个数据报相比较。",
            ),
        ),
        claim=Text(
            "A UDP server has one socket for all clients, and cannot do otherwise",
            "UDP 服务器只能用一个套接字应付所有客户端",
        ),
        truth=Text(
            "One is enough, but a connected socket per client is possible",
            "一个就够用，但也可以为每个客户端准备一个已连接的套接字",
        ),
        seen_in=("S2",),
        then=("UD06",),
        sources=("udp(7)", "connect(2)", "socket(7) SO_REUSEADDR"),
    ),
    Question(
        id="E34",
        asks=Text(
            "Is it true that a UDP client may simply go on with whatever address the reply came from?",
            "UDP 客户端可以直接把应答的来源地址当作之后的目的地址，对吗？",
        ),
        answer=Text(
            "No. Anybody who can reach its port may answer, and would then get all that follows. "
            "recvfrom() delivers a stranger's datagram like the genuine one. "
            "So compare the sender with the address asked, or connect() the socket.",
            "不对。任何能到达其端口的主机都可以应答，之后的数据便全部发给了它。"
            "recvfrom() 对陌生人的数据报与真正的应答一视同仁。应比较发送方与所问的地址，或者先 connect()。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("udp_connected_filter:unconnected", "udp_connected_filter"),
        prove=anybody,
        values=(
            Ask(
                "forged",
                Text(
                    "Not connected: frame of the stranger's answer (client's capture)",
                    "未连接时：陌生人的应答的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "port",
                Text("Not connected: its source port", "未连接时：它的源端口"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("anybody who reaches the port may answer", "任何能到达端口的主机都可以应答"),
                (
                    r"any(body|one| host)[^.]{0,40}(answer|send|reply)",
                    r"stranger",
                    r"任何[^.]{0,12}(应答|发送)",
                    r"陌生人",
                ),
            ),
            Idea(
                Text("compare the sender, or connect()", "比较发送方，或者 connect()"),
                (
                    r"compare",
                    r"check[^.]{0,15}(sender|address)",
                    r"connect\(\)",
                    r"(比较|检查)[^.]{0,6}(发送方|地址|来源)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("only the host that was asked can answer", "只有被询问的主机才能应答"),
                (r"only the (host|server) (that was )?asked can", r"只有被询问的主机"),
            ),
        ),
        guess=Guess(
            Text(
                "A stranger answers an unconnected UDP client first. What will recvfrom() return?",
                "陌生人抢先应答一个未连接的 UDP 客户端。recvfrom() 会返回什么？",
            ),
            (
                Text("the genuine answer only", "只返回真正的应答"),
                Text("the stranger's answer, then the genuine one", "先是陌生人的，再是真正的应答"),
                Text("an error", "一个错误"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the source port of each answer, and at the port that was asked.",
                "看每个应答的源端口，以及所问的端口。",
            ),
            Text(
                "Compare what the client reads with connect() and without.",
                "比较客户端在有无 connect() 时各读到什么。",
            ),
        ),
        claim=Text(
            "The address that recvfrom() returns is the server's",
            "recvfrom() 返回的地址就是服务器的地址",
        ),
        truth=Text(
            "It is the sender's, whoever that is; to write it over one's destination is to be redirected",
            "那是发送方的地址，不管是谁；用它覆盖目的地址，就可能被人引走",
        ),
        seen_in=("S2",),
        then=("SE06",),
        sources=("RFC 8085 section 5", "udp(7)"),
    ),
)
