"""Statements about how a connection opens: what SYN says, when data may flow, in which direction."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.handshake import three_segments
from lab.questions.handshake_data import data_in_the_handshake
from lab.questions.pieces import Segment
from lab.questions.rights import claim, part
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import MODULUS, short_span

PLAIN, GREETING, DUPLEX = (
    "tcp_lifecycle",
    "tcp_lifecycle:server_speaks_first",
    "tcp_lifecycle:duplex",
)


# ---------------------------------------------------------------- what SYN says


def own_number(runs: Runs) -> Proof:
    """The SYN has its sender's number; the other end chooses its own."""
    told = part(three_segments(runs), (0, 1), "client_isn", "server_isn")
    return Proof((*told.claims, _no_rule(runs[PLAIN], runs[GREETING])), told.key)


def _no_rule(one: Run, other: Run) -> Claim:
    """Nothing leads from one ISN to the other: their difference is another in each run."""
    (syn, synack, _), (syn2, synack2, _) = one.opening(), other.opening()
    gaps = [(b.absolute - a.absolute) % MODULUS for a, b in ((syn, synack), (syn2, synack2))]
    return claim(
        gaps[0] != gaps[1],
        Text(
            "the server's ISN less the client's, modulo 2^32: {a} in this run, {b} in another; no rule",
            "服务器的 ISN 减去客户端的 ISN（模 2^32）：本次为 {a}，另一次为 {b}；没有规律",
        ).fill(a=gaps[0], b=gaps[1]),
        syn,
        synack,
        syn2,
        synack2,
    )


# ---------------------------------------------------------------- when data may flow


def sooner(runs: Runs) -> Proof:
    """Data in the third segment and in a SYN; and a server that speaks first."""
    told = part(data_in_the_handshake(runs), (0, 2), "third")
    run = runs[GREETING]
    first, later = run.one("S>C +", run.data("S")), run.one("C>S +", run.data("C"))
    words = Text(
        "the first {n} octets of data, frame {a}, are the server's; the client's come {span} later",
        "最先的 {n} 字节数据（第 {a} 帧）来自服务器；客户端的数据晚 {span}",
    ).fill(n=first.length, a=first.number, span=short_span(later.time - first.time))
    speaks = claim(first.time < later.time and later.ack == first.end, words, first, later)
    return Proof((*told.claims, speaks), {**told.key, "first": rights.frame(first)})


# ---------------------------------------------------------------- both ways at once


def both_ways(runs: Runs) -> Proof:
    """Data cross, and one segment carries data one way and acknowledges the other's."""
    run = runs[DUPLEX]
    syn, synack, ack = run.opening()
    ours, theirs = run.data("C"), run.data("S")
    answer = run.one("S>C +", theirs)
    ahead = run.one("C>S +", [one for one in ours if one.time < answer.time][::-1])
    doubles = _doubles(run)
    double = run.one("C>S + ack", doubles)
    reached = run.one(f"S>C + up to {double.ack}", [one for one in theirs if one.end == double.ack])
    return Proof(
        (
            claim(
                synack.absolute_ack == syn.absolute_end and ack.absolute_ack == synack.absolute_end,
                Text(
                    "the handshake acknowledges two numbers, {a} = {x} + 1 and {b} = {y} + 1: one for each direction",
                    "握手确认了两个序列号：{a} = {x} + 1 和 {b} = {y} + 1，每个方向一个",
                ).fill(
                    a=synack.absolute_ack,
                    x=syn.absolute,
                    b=ack.absolute_ack,
                    y=synack.absolute,
                ),
                syn,
                synack,
                ack,
            ),
            claim(
                answer.ack < ahead.end and answer.length > 0,
                Text(
                    "both speak at once: when the server's first data come, frame {a}, the client has sent "
                    "{n} octets, and they acknowledge {m}",
                    "双方同时发送：服务器首批数据（第 {a} 帧）到来时，客户端已发出 {n} 字节，而它只确认了 {m} 字节",
                ).fill(a=answer.number, n=ahead.end - 1, m=answer.ack - 1),
                ahead,
                answer,
            ),
            claim(
                double.length > 0 and reached.time < double.time,
                Text(
                    "frame {n} carries {k} octets one way; its ack {ack} is the end of the data "
                    "that came in frame {m}",
                    "第 {n} 帧向一方携带 {k} 字节，其 ack {ack} 正是第 {m} 帧传来的数据的末尾",
                ).fill(n=double.number, k=double.length, ack=double.ack, m=reached.number),
                double,
                reached,
            ),
        ),
        {
            "first": rights.frame(answer),
            "double": rights.frame(double, *doubles),
        },
    )


def _doubles(run: Run) -> tuple[Segment, ...]:
    """Segments with data that acknowledge data of the other end."""
    return tuple(one for end in ("C", "S") for one in run.data(end) if one.ack > 1)


QUESTIONS = (
    Question(
        id="E11",
        asks=Text(
            "Is it true that a SYN tells the peer which sequence number to answer with?",
            "SYN 是在告诉对方应当用哪个序号来应答，对吗？",
        ),
        answer=Text(
            "No. The SYN announces the sender's own initial sequence number. "
            "The peer acknowledges that number plus one, and chooses an ISN of its own, independently.",
            "不对。SYN 宣告的是发送方自己的初始序列号。"
            "对方确认这个号码加一，并独立选择自己的 ISN。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=(PLAIN, GREETING),
        prove=own_number,
        values=(
            Ask(
                "client_isn",
                Text("Ordinary run: number that the SYN announces", "普通运行：SYN 宣告的序列号"),
                Unit.SEQUENCE,
            ),
            Ask(
                "server_isn",
                Text(
                    "Ordinary run: number that the server chooses", "普通运行：服务器选择的序列号"
                ),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("SYN announces its sender's own number", "SYN 宣告的是发送方自己的序列号"),
                (r"own (initial )?(sequence )?(number|isn)", r"自己的(初始)?(序列号|序号|isn)"),
            ),
            Idea(
                Text("the peer acknowledges it plus one", "对方确认该号码加一"),
                (r"plus one", r"\+ ?1", r"加一"),
            ),
            Idea(
                Text("the peer chooses its ISN independently", "对方独立选择自己的 ISN"),
                (r"independent", r"chooses (an|its)", r"独立选", r"自行选"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the peer answers with the number that SYN names",
                    "对方用 SYN 指定的序号应答",
                ),
                (r"answers with the number", r"用 ?syn ?指定的序号"),
            ),
        ),
        guess=Guess(
            Text(
                "A SYN carries seq x. Which seq will the SYN,ACK carry?",
                "SYN 的 seq 为 x。SYN,ACK 的 seq 是多少？",
            ),
            (
                Text("x", "x"),
                Text("x + 1", "x + 1"),
                Text("a number that has nothing to do with x", "与 x 无关的一个数"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at seq and ack of the first two segments, absolute numbers shown.",
                "显示绝对序号，看前两个报文段的 seq 与 ack。",
            ),
            Text(
                "Compare the SYN's seq with the ack, and with the seq, of its answer.",
                "把 SYN 的 seq 与应答的 ack、seq 分别比较。",
            ),
        ),
        claim=Text(
            "SYN tells the peer the sequence number to reply with",
            "SYN 告知对方应答时使用的序号",
        ),
        truth=Text(
            "SYN gives the sender's own ISN; the peer acknowledges it + 1 and picks its own",
            "SYN 给出发送方自己的 ISN；对方确认 ISN + 1，并自选 ISN",
        ),
        seen_in=("S1",),
        then=("HS01", "HS13"),
        sources=("RFC 9293 section 3.4.1", "RFC 9293 section 3.5"),
    ),
    Question(
        id="E12",
        asks=Text(
            "Is it true that data flow only after all three segments, and that the client begins?",
            "三次握手全部完成后才能传数据，而且由客户端先发，对吗？",
        ),
        answer=Text(
            "No. The third segment may carry data, and with Fast Open the SYN does. "
            "After that either end may begin: here a server speaks first.",
            "不对。第三个报文段可以携带数据，使用 Fast Open 时 SYN 也带数据。"
            "此后哪一端先发都行：这里就有服务器先发的例子。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("third_ack_with_data", "tcp_fast_open", GREETING),
        prove=sooner,
        values=(
            Ask(
                "third",
                Text(
                    "third_ack_with_data: frame of the third segment",
                    "third_ack_with_data：第三个报文段的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "first",
                Text(
                    "server_speaks_first: frame of the first data",
                    "server_speaks_first：首个数据帧的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the third segment may carry data", "第三个报文段可以携带数据"),
                (r"third[^.]{0,30} (can|may|carr)", r"第三(个|次|段)[^.]{0,12}可以?"),
            ),
            Idea(
                Text("a Fast Open SYN carries data", "Fast Open 的 SYN 携带数据"),
                (r"fast ?open", r"\btfo\b", r"快速打开"),
            ),
            Idea(
                Text("the server may speak first", "服务器可以先发"),
                (
                    r"server (may |can )?(speak|send|begin)s? first",
                    r"either (end|side)",
                    r"服务器[^.]{0,4}先发",
                    r"哪一(端|方)先发",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the client must send first", "必须由客户端先发"),
                (r"client must (send|begin|speak)", r"必须由客户端先"),
            ),
            Idea(
                Text("no segment of the handshake can carry data", "握手的报文段都不能携带数据"),
                (r"no segment of the handshake", r"握手的?报文段都?不能"),
            ),
        ),
        guess=Guess(
            Text(
                "A server calls send() right after accept(). What happens?",
                "服务器 accept() 之后马上 send()，会怎样？",
            ),
            (
                Text("it fails: the client begins", "失败：必须由客户端先发"),
                Text("it waits for the client's first data", "等客户端先发来数据"),
                Text("the data leave at once", "数据立即发出"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the first segment with data in each run.",
                "看每次运行中首个带数据的报文段。",
            ),
            Text(
                "Compare its sender, and its place among the first three segments.",
                "比较它的发送方，以及它在前三个报文段中的位置。",
            ),
        ),
        claim=Text(
            "Data can flow only after three segments, from the client",
            "三个报文段之后才能传数据，由客户端先发",
        ),
        truth=Text(
            "The third segment carried data, a SYN carried data, and a server spoke first",
            "第三个报文段带了数据，SYN 带了数据，也有服务器先发的",
        ),
        seen_in=("S1",),
        then=("HS05", "HS14"),
        sources=("RFC 9293 section 3.5", "RFC 7413 section 2"),
    ),
    Question(
        id="E13",
        asks=Text(
            "Is it true that SYN synchronises sending with receiving: one sends while the other receives?",
            "SYN 的“同步”是指一方发送时另一方接收，对吗？",
        ),
        answer=Text(
            "No. What is synchronised are the sequence numbers, one for each direction. "
            "The connection is full duplex: both ends may send at the same time. "
            "A segment with data acknowledges the other direction's as well.",
            "不对。同步的是序列号，每个方向一个。"
            "连接是全双工的：双方可以同时发送。"
            "带数据的报文段还同时确认另一方向的数据。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=(DUPLEX,),
        prove=both_ways,
        values=(
            Ask(
                "first",
                Text("Frame of the server's first data", "服务器首个数据帧的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "double",
                Text(
                    "Any frame that carries data and acknowledges data",
                    "任一既带数据又确认对方数据的帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("sequence numbers are synchronised", "同步的是序列号"),
                (r"sequence numbers?", r"\bisns?\b", r"序列?号"),
            ),
            Idea(
                Text(
                    "full duplex: both ends may send at the same time",
                    "全双工：双方可以同时发送",
                ),
                (r"full[- ]duplex", r"both[^.]{0,20}same time", r"全双工", r"双方[^.]{0,4}同时"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "while one end sends the other can only receive",
                    "一方发送时另一方只能接收",
                ),
                (r"can only receive", r"只能接收"),
            ),
            Idea(
                Text("the clocks are synchronised", "同步的是时钟"),
                (r"clocks (are|is)", r"同步的是时钟"),
            ),
        ),
        guess=Guess(
            Text(
                "Both ends call send() at the same moment. What does the wire show?",
                "双方同时调用 send()，线路上会看到什么？",
            ),
            (
                Text("data of both directions cross", "两个方向的数据交错而行"),
                Text("one waits until the other has finished", "一方等另一方发完"),
                Text("a RST", "RST"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the first segments with data of either end.",
                "看双方最先的几个数据段。",
            ),
            Text(
                "Compare their ack with what the other end has sent by then.",
                "把它们的 ack 与对方此前已发送的数据相比较。",
            ),
        ),
        claim=Text(
            "Synchronising means that one end sends while the other receives",
            "同步就是一方发送、另一方接收",
        ),
        truth=Text(
            "Sequence numbers are synchronised, and data crossed on the wire",
            "同步的是序列号；数据在线路上双向交错",
        ),
        seen_in=("S1",),
        then=("HS03",),
        sources=("RFC 9293 section 3.5", "RFC 9293 section 2.2"),
    ),
)
