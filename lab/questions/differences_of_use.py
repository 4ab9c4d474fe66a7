"""The differences of TCP and UDP that the seeds list: programs, receivers, metaphors."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.liveness import cut_cable
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Run, Runs
from lab.questions.udp_errors import nobody_repeats
from lab.questions.udp_limits import for_many
from lab.text import Text
from lab.units import short_span

PLAIN, ECHO, LOST, LOST_REPLY = "tcp_lifecycle", "udp_echo", "data_loss_rto", "udp_echo:lost_reply"
IDLE = "half_open_vanished:idle"


def fewer_calls(runs: Runs) -> Proof:
    """Fewer calls; but what the kernel does for TCP is left to the program."""
    tcp, udp = (
        [one for host in ("client", "server") for one in runs[name].calls(host)]
        for name in (PLAIN, ECHO)
    )
    own = claim(
        len(tcp) > len(udp) and {"listen", "accept", "connect"} <= _names(tcp) - _names(udp),
        Text(
            "both programs together: {n} calls over TCP, {m} over UDP; listen(), accept() and connect() are not needed",
            "两端程序合计：TCP 调用 {n} 次，UDP 调用 {m} 次；不需要 listen()、accept()、connect()",
        ).fill(n=len(tcp), m=len(udp)),
        *(one for one in tcp if one.call.function in ("listen", "accept", "connect")),
        *udp[:1],
    )
    key = {"tcp": rights.count(len(tcp), *tcp), "udp": rights.count(len(udp), *udp)}
    return joined(
        Proof((own, _repaired_below(runs[LOST])), key),
        part(nobody_repeats(runs), (2, 3), "waited"),
    )


def _names(calls: list[Called]) -> set[str]:
    return {one.call.function for one in calls}


def _repaired_below(run: Run) -> Claim:
    """One call of the program, several copies of the kernel."""
    lost = run.one("lost", run.all(where=lambda one: one.lost and one.length > 0))
    copies = run.all(where=lambda one: (one.sender, one.seq) == ("C", lost.seq) and one.length > 0)
    sent = run.call("client", "sendall", where=lambda one: one.call.data == _payload(lost))
    read = run.call("client", "recv", where=lambda one: one.before > sent.before)
    return claim(
        len(copies) > 1 and read.outcome == "ok" and bool(read.call.octets),
        Text(
            "over TCP one sendall() is enough: the kernel sends its segment {n} times, recv() returns after {span}",
            "用 TCP 只需一次 sendall()：内核把它的报文段发送了 {n} 次，recv() 在 {span} 后返回",
        ).fill(n=len(copies), span=short_span(read.lasted)),
        sent,
        *copies[:2],
        read,
    )


def _payload(one: Packet) -> str:
    return one.frame.payload.hex()


def one_to_many(runs: Runs) -> Proof:
    """Broadcast and multicast over UDP; TCP can do neither."""
    return part(for_many(runs), (0, 1, 2, 4), "broadcast", "error")


def phone_and_mail(runs: Runs) -> Proof:
    """A call that survives a cut line, and a letter that nobody misses."""
    return joined(
        part(cut_cable(runs), (0, 1, 2), "repaired", "copies", "state"),
        part(nobody_repeats(runs), (1, 2), "reply"),
    )


QUESTIONS = (
    Question(
        id="D3",
        asks=Text(
            "UDP programs are simpler than TCP programs: is that so?",
            "UDP 程序比 TCP 程序简单，是这样吗？",
        ),
        answer=Text(
            "They make fewer calls: no listen(), accept() or connect(). "
            "But what TCP's kernel does, such as repeating what is lost, is left to the program. "
            "It needs a timeout of its own. Reliability in the application is not simpler.",
            "调用确实更少：没有 listen()、accept()、connect()。但 TCP 内核所做的事，例如重传丢失的数据，都留给了程序。"
            "程序需要自己的超时。把可靠性放到应用里并不更简单。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="low",
        runs=(PLAIN, ECHO, LOST, LOST_REPLY),
        prove=fewer_calls,
        values=(
            Ask(
                "tcp",
                Text(
                    "tcp_lifecycle: socket calls of both hosts in all",
                    "tcp_lifecycle：两台主机的套接字调用总数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "udp",
                Text(
                    "udp_echo: socket calls of both hosts in all",
                    "udp_echo：两台主机的套接字调用总数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "waited",
                Text(
                    "udp_echo:lost_reply: how long the client's recvfrom() waits",
                    "udp_echo:lost_reply：客户端的 recvfrom() 等待了多久",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("fewer calls", "调用更少"),
                (r"fewer calls", r"no (listen|accept)", r"调用[^.]{0,4}(更|较)少"),
            ),
            Idea(
                Text("repeating is left to the program", "重传留给程序"),
                (
                    r"left to the (program|application)",
                    r"(program|application) (must|has to)",
                    r"留给了?(程序|应用)",
                    r"(程序|应用)(必须|要)自己",
                ),
            ),
            Idea(Text("a timeout of its own", "自己的超时"), (r"time-?out", r"timer", r"超时")),
        ),
        wrong=(
            Idea(
                Text("UDP repeats by itself", "UDP 会自动重传"),
                (r"udp (itself )?(repeats|retransmits)", r"udp ?会?自动重传"),
            ),
        ),
        guess=Guess(
            Text(
                "One segment is lost four times. How often must the TCP program send it?",
                "一个报文段丢失四次。TCP 程序要发送几次？",
            ),
            (
                Text("once", "一次"),
                Text("five times", "五次"),
                Text("until it is acknowledged", "直到得到确认"),
            ),
            0,
        ),
        hints=(
            Text("Look at the call lanes of the four runs.", "看四次运行的调用栏。"),
            Text(
                "Compare the copies on the wire with the calls that caused them.",
                "把线路上的副本与引起它们的调用相比较。",
            ),
        ),
        claim=Text("UDP programs are simpler", "UDP 程序更简单"),
        truth=Text("Shorter, as long as nothing is lost", "更短，前提是什么都不丢"),
        seen_in=("S1",),
        then=("UD07",),
        sources=("RFC 8085 section 3", "udp(7)"),
    ),
    Question(
        id="D9",
        asks=Text(
            "UDP can send one message to many: how, and can TCP?",
            "UDP 可以把一条消息发给多个接收者：怎么做到？TCP 可以吗？",
        ),
        answer=Text(
            "By broadcast, which needs SO_BROADCAST, or by multicast to a group. "
            "One frame reaches all. TCP can do neither: a connection has just two ends. "
            "To reach many it needs one connection each.",
            "用广播（需要 SO_BROADCAST），或者发往组播组。一个帧就到达所有接收者。"
            "TCP 两者都做不到：一条连接只有两端，要发给多个接收者，就要各建一条连接。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="medium",
        runs=("udp_broadcast_multicast",),
        prove=one_to_many,
        values=(
            Ask(
                "broadcast",
                Text(
                    "Ethernet destination of the broadcast datagrams",
                    "广播数据报的以太网目的地址",
                ),
                Unit.NAME,
            ),
            Ask(
                "error",
                Text("How the client's first sendto() ends", "客户端第一次 sendto() 的结果"),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("broadcast or multicast", "广播或组播"),
                (r"broadcast", r"multicast", r"广播", r"组播|多播"),
            ),
            Idea(
                Text("TCP can do neither: two ends", "TCP 两者都做不到：只有两端"),
                (
                    r"tcp can do neither",
                    r"(just|only) two ends",
                    r"tcp ?(两者)?都(做不到|不能|不行)",
                    r"只有两端",
                ),
            ),
            Idea(
                Text("with TCP one connection for each", "TCP 要各建一条连接"),
                (r"(one|a) connection (for )?each", r"各建?一条连接", r"每个[^.]{0,6}一条连接"),
            ),
        ),
        wrong=(
            Idea(
                Text("TCP connects to a multicast group", "TCP 可以连接组播组"),
                (r"tcp (can )?connects? to a multicast", r"tcp ?(可以|能)连接组播"),
            ),
        ),
        guess=Guess(
            Text(
                "connect() of TCP to a multicast address: what will happen?",
                "TCP 向组播地址 connect()，会怎样？",
            ),
            (
                Text("it fails at once", "立即失败"),
                Text("every member answers", "每个成员都应答"),
                Text("it times out", "超时"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the Ethernet destinations of the datagrams.",
                "看各数据报的以太网目的地址。",
            ),
            Text("Compare the calls that fail with those that succeed.", "比较失败与成功的调用。"),
        ),
        claim=Text("Only UDP can reach many", "只有 UDP 能一对多"),
        truth=Text(
            "With one frame only UDP; TCP reaches many by many connections",
            "一个帧发给多方只有 UDP 能做到；TCP 要用多条连接",
        ),
        seen_in=("S1",),
        then=("UD08",),
        sources=("RFC 1112", "socket(7) SO_BROADCAST", "RFC 9293 section 3.9.2.3"),
    ),
    Question(
        id="D11",
        asks=Text(
            "TCP is like a telephone line, UDP like the post: how far does that hold?",
            "TCP 像打电话，UDP 像寄信：这个比喻在多大程度上成立？",
        ),
        answer=Text(
            "A TCP connection is opened, used both ways, and closed. "
            "But no line is reserved: it is state in the two end hosts, and the path may fail and come back. "
            "A datagram is like a letter: each on its own, and nobody tells of a loss.",
            "TCP 连接要先建立，可双向使用，最后关闭。但没有线路被预留：它只是两端主机中的状态，路径可以中断后再恢复。"
            "数据报像一封信：各自独立，丢失了没有人通知。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="low",
        runs=(IDLE, LOST, LOST_REPLY),
        prove=phone_and_mail,
        values=(
            Ask(
                "repaired",
                Text(
                    "data_loss_rto: frame of the first retransmission that is acknowledged",
                    "data_loss_rto：第一个得到确认的重传的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "copies",
                Text("data_loss_rto: copies lost before it", "data_loss_rto：在它之前丢失的副本数"),
                Unit.COUNT,
            ),
            Ask(
                "state",
                Text(
                    "data_loss_rto: state of the client meanwhile",
                    "data_loss_rto：其间客户端的状态",
                ),
                Unit.STATE,
            ),
            Ask(
                "reply",
                Text(
                    "udp_echo:lost_reply: frame of the lost reply (server's capture)",
                    "udp_echo:lost_reply：丢失的应答的帧号（服务器抓包）",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the connection is state in the end hosts", "连接是两端主机中的状态"),
                (r"state[^.]{0,25}(ends?|hosts)", r"(两端|主机)[^.]{0,6}状态"),
            ),
            Idea(
                Text("the path may fail and come back", "路径可以中断后再恢复"),
                (r"path (may|can)", r"no line is reserved", r"路径可以", r"没有线路"),
            ),
            Idea(
                Text("a lost datagram is told to nobody", "数据报丢失没有人通知"),
                (r"nobody tells", r"no(body| one) is told|told to nobody", r"没有人?通知"),
            ),
        ),
        wrong=(
            Idea(
                Text("TCP reserves a line through the network", "TCP 在网络中预留一条线路"),
                (r"tcp reserves", r"tcp[^.]{0,8}预留"),
            ),
        ),
        guess=Guess(
            Text(
                "The cable is cut, and nobody sends. What will the two kernels report?",
                "网线断开，双方都不发送。两边的内核会报告什么？",
            ),
            (
                Text("both ESTABLISHED", "都是 ESTABLISHED"),
                Text("both CLOSED", "都是 CLOSED"),
                Text("an error at both ends", "两端都报错"),
            ),
            0,
        ),
        hints=(
            Text("Look at the state lanes while the wire is cut.", "看线路中断期间的状态栏。"),
            Text(
                "Compare what follows the lost segment and the lost datagram.",
                "比较丢失的报文段与丢失的数据报之后各发生了什么。",
            ),
        ),
        claim=Text("A TCP connection is a circuit", "TCP 连接是一条电路"),
        truth=Text(
            "It is end-host state; a dead line is noticed only when somebody speaks",
            "它是端主机的状态；线路断了，要等有人说话才会发觉",
        ),
        seen_in=("S2",),
        then=("ER08",),
        sources=("RFC 9293 section 2.2", "RFC 768"),
    ),
)
