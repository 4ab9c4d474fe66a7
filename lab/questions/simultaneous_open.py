"""Three segments, and four where both ends open at once and nobody listens."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

SYN = 0x02
MET = ("SYN-SENT", "SYN-RECEIVED", "ESTABLISHED")  # of an end whose SYN met the other's


def merged_steps(runs: Runs) -> Proof:
    """The server's ACK and its SYN are one segment; four come where two SYNs cross."""
    run, both = runs["tcp_lifecycle"], runs["open_simultaneous"]
    syn, synack, ack = run.opening()
    data = run.first("C>S PSH,ACK", after=ack)
    opened = run.all(before=data)
    mine, theirs = both.first("C>S SYN"), both.first("S>C SYN")
    my_answer, their_answer = both.first("C>S SYN,ACK"), both.first("S>C SYN,ACK")
    four = (mine, theirs, my_answer, their_answer)
    return Proof(
        (
            claim(
                synack.absolute_ack == syn.absolute_end and synack.absolute != syn.absolute,
                Text(
                    "#{n} is two steps in one: it acknowledges {ack} = {x} + 1, and opens with seq {y}",
                    "#{n} 一段完成两步：确认 {ack} = {x} + 1，同时以 seq {y} 打开自己的方向",
                ).fill(n=synack.number, ack=synack.absolute_ack, x=syn.absolute, y=synack.absolute),
                syn,
                synack,
            ),
            claim(
                opened == (syn, synack, ack),
                Text(
                    "three segments open it, #{a}, #{b} and #{c}; #{d} already carries data",
                    "#{a}、#{b}、#{c} 三个报文段就打开连接；#{d} 已经携带数据",
                ).fill(a=syn.number, b=synack.number, c=ack.number, d=data.number),
                syn,
                synack,
                ack,
                data,
            ),
            claim(
                my_answer.absolute == mine.absolute
                and their_answer.absolute == theirs.absolute
                and my_answer.absolute_ack == theirs.absolute_end
                and their_answer.absolute_ack == mine.absolute_end,
                Text(
                    "where two SYNs cross, each end repeats its own with an ACK. #{n} has seq {x} again, "
                    "and ack {y} + 1. So four segments carry SYN",
                    "两个 SYN 交错时，双方各自重发 SYN 并带上 ACK：#{n} 仍是 seq {x}，ack 为 {y} + 1；"
                    "因此共有四个报文段带 SYN",
                ).fill(n=my_answer.number, x=mine.absolute, y=theirs.absolute),
                *four,
            ),
        ),
        {
            "merged": rights.frame(synack),
            "answer": rights.frame(my_answer, instead=mine),
            "syns": rights.count(
                len(both.all(where=lambda one: "SYN" in one.flags)), both.capture(), *four
            ),
        },
    )


def nobody_listens(runs: Runs) -> Proof:
    """Both SYNs are under way at once; both calls of connect() succeed without a listen()."""
    run = runs["open_simultaneous"]
    mine, theirs = run.first("C>S SYN"), run.first("S>C SYN")
    left, came = _syns_at(run, "server")
    passive = [
        call for host in ("client", "server") for call in run.calls(host, "listen", "accept")
    ]
    connected, told = run.call("server", "connect"), run.call("client", "getsockopt")
    ends = run.socket("client"), run.socket("server")
    stays = [end.stay(state) for end in ends for state in MET]
    return Proof(
        (
            claim(
                mine.time < theirs.time
                and left.frame.source == theirs.frame.source
                and came.frame.source == mine.frame.source,
                Text(
                    "the SYNs cross: at the client's port its own, #{a}, comes first; at the server's "
                    "port the server's, #{b} there",
                    "两个 SYN 交错：在客户端的端口上先看到客户端的 #{a}，在服务器的端口上先看到服务器的"
                    "（那里的 #{b}）",
                ).fill(a=mine.number, b=left.number),
                mine,
                theirs,
                left,
                came,
            ),
            claim(
                not passive and connected.outcome == "ok" and told.call.result == 0,
                Text(
                    "the server's connect() returns ok, the client's ends with SO_ERROR 0; "
                    "no program has called listen() or accept()",
                    "服务器的 connect() 成功，客户端的 SO_ERROR 为 0；没有程序调用过 listen() 或 accept()",
                ),
                connected,
                told,
            ),
            claim(
                all(end.states[:3] == MET for end in ends),
                Text(
                    "both ends go from SYN-SENT to SYN-RECEIVED to ESTABLISHED; neither is in LISTEN",
                    "两端都由 SYN-SENT 经 SYN-RECEIVED 到 ESTABLISHED，谁都没有处于 LISTEN",
                ),
                *stays,
            ),
        ),
        {
            "client": rights.frame(mine),
            "server": rights.frame(theirs),
            "between": rights.state("SYN-RECEIVED", *(end.stay("SYN-RECEIVED") for end in ends)),
        },
    )


def _syns_at(run: Run, host: str) -> tuple[Packet, Packet]:
    """The first two SYNs without ACK at a host's port."""

    def is_syn(packet: Packet) -> bool:
        tcp = packet.frame.tcp
        return tcp is not None and tcp.flags == SYN

    found = run.packets(host, is_syn)
    return run.one("SYN", found), run.one("second SYN", found[1:])


QUESTIONS = (
    Question(
        id="HS04",
        asks=Text("Why not four segments?", "为什么不是四次握手？"),
        answer=Text(
            "The server's ACK of the client's SYN and its own SYN fit into one segment, so two steps "
            "are merged. Four segments with SYN do occur when both ends open simultaneously: "
            "each sends SYN, then SYN,ACK.",
            "服务器对客户端 SYN 的确认与它自己的 SYN 可以合并在一个报文段里，两步并作一步。"
            "双方同时打开时确实会有四个带 SYN 的报文段：各发一个 SYN，再各发一个 SYN,ACK。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("tcp_lifecycle", "open_simultaneous"),
        prove=merged_steps,
        values=(
            Ask(
                "merged",
                Text("Ordinary open: frame that merges two steps", "普通打开：两步并作一步的帧"),
                Unit.FRAME,
            ),
            Ask(
                "answer",
                Text(
                    "Simultaneous open: frame of the client's SYN,ACK",
                    "同时打开：客户端 SYN,ACK 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "syns",
                Text(
                    "Simultaneous open: number of segments with SYN",
                    "同时打开：带 SYN 的报文段个数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "the server's ACK and its own SYN fit into one segment",
                    "服务器的 ACK 与它自己的 SYN 合并在一个报文段里",
                ),
                (
                    r"(one|same|single) segment",
                    r"merge|combine",
                    r"合并|合在一|并作一|同一个?报文段",
                ),
            ),
            Idea(
                Text(
                    "four occur when both ends open simultaneously",
                    "双方同时打开时会有四个",
                ),
                (
                    r"simultaneous",
                    r"both[^.]{0,20}(open|connect)[^.]{0,20}(at once|same time)",
                    r"同时(打开|发起|发送|connect)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the server sends its ACK and its SYN separately",
                    "服务器分别发送 ACK 和 SYN",
                ),
                (
                    r"(ack|syn) and (its|the|a)( own)? (syn|ack) separately",
                    r"分(别|开|两次)发送 ?(ack|syn)",
                ),
            ),
            Idea(
                Text("a handshake can never take four segments", "握手绝不可能有四段"),
                (r"never (take|need|have)s? four", r"(绝|永远|从来?)不(可能|会)有?四"),
            ),
        ),
        guess=Guess(
            Text(
                "Both ends send a SYN at once. How many segments with SYN will there be?",
                "双方同时发出 SYN。共会有几个带 SYN 的报文段？",
            ),
            (Text("two", "两个"), Text("three", "三个"), Text("four", "四个")),
            2,
        ),
        hints=(
            Text("Look at the flags of the second segment.", "看第二个报文段的标志位。"),
            Text(
                "Compare the seq of each SYN,ACK with that of the SYN from the same end.",
                "把每个 SYN,ACK 的 seq 与同一端 SYN 的 seq 相比较。",
            ),
        ),
        then=("HS10",),
        sources=("RFC 9293 section 3.5 figure 7",),
    ),
    Question(
        id="HS10",
        asks=Text(
            "Can two sockets connect without any listen()?",
            "没有 listen 能建立 TCP 连接吗？",
        ),
        answer=Text(
            "Yes. In a simultaneous open both ends call connect(), and their SYNs cross. "
            "Each end goes from SYN-SENT to SYN-RECEIVED to ESTABLISHED. "
            "A socket can even connect to its own port.",
            "能。同时打开时双方都调用 connect()，两个 SYN 在途中交错。"
            "两端各由 SYN-SENT 经 SYN-RECEIVED 进入 ESTABLISHED。套接字甚至可以连接到自己的端口。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="medium",
        runs=("open_simultaneous",),
        prove=nobody_listens,
        values=(
            Ask("client", Text("Frame of the client's SYN", "客户端 SYN 的帧号"), Unit.FRAME),
            Ask("server", Text("Frame of the server's SYN", "服务器 SYN 的帧号"), Unit.FRAME),
            Ask(
                "between",
                Text(
                    "State of both ends between SYN-SENT and ESTABLISHED",
                    "两端在 SYN-SENT 与 ESTABLISHED 之间的状态",
                ),
                Unit.STATE,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "simultaneous open: both ends call connect()",
                    "同时打开：双方都调用 connect()",
                ),
                (
                    r"simultaneous",
                    r"both[^.]{0,20}connect",
                    r"同时(打开|发起|connect)|都调用 ?connect",
                ),
            ),
            Idea(
                Text("the SYNs cross", "两个 SYN 在途中交错"),
                (r"syns? (cross|meet)", r"syn[^.]{0,8}(交错|交叉|相遇)"),
            ),
            Idea(
                Text("each end passes through SYN-RECEIVED", "两端都经过 SYN-RECEIVED"),
                (r"syn[-_ ](received|recv|rcvd)",),
            ),
        ),
        wrong=(
            Idea(
                Text("one side must always listen", "必须有一方 listen"),
                (
                    r"must (always )?listen",
                    r"(必须|一定要)有?(一方|一端)?(先)?(调用)? ?listen",
                ),
            ),
            Idea(
                Text("two connections come of it", "会得到两条连接"),
                (r"two connections", r"两条连接"),
            ),
        ),
        guess=Guess(
            Text(
                "Two programs connect() to each other at once; neither listens. What happens?",
                "两个程序同时互相 connect()，谁都没有 listen。会怎样？",
            ),
            (
                Text("both fail with ECONNREFUSED", "双方都以 ECONNREFUSED 失败"),
                Text("one connection comes of it", "建立一条连接"),
                Text("two connections come of it", "建立两条连接"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the first two segments, and at the call logs of both hosts.",
                "看前两个报文段，以及两台主机的调用记录。",
            ),
            Text(
                "Compare which SYN comes first at the client's port and at the server's.",
                "比较客户端端口与服务器端口上谁的 SYN 先出现。",
            ),
        ),
        claim=Text("One side must always listen", "必须有一方 listen"),
        truth=Text(
            "Both calls of connect() succeed, and nobody has listened",
            "两端的 connect() 都成功，而谁都没有 listen",
        ),
        then=("HS09",),
        sources=("RFC 9293 section 3.5 figure 7", "RFC 9293 section 3.10.7.3"),
    ),
)
