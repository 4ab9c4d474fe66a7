"""What the three segments of a handshake are for."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.text import Text

HALF_A_SECOND = 500_000_000  # ns
SYN_FRAME = Ask("syn", Text("Frame number of the SYN", "SYN 的帧号"), Unit.FRAME)
SYNACK_FRAME = Ask("synack", Text("Frame number of the SYN,ACK", "SYN,ACK 的帧号"), Unit.FRAME)
ACK_FRAME = Ask("ack", Text("Frame number of the third segment", "第三个报文段的帧号"), Unit.FRAME)


def three_segments(runs: Runs) -> Proof:
    """SYN, SYN,ACK, ACK: each ISN is acknowledged plus one."""
    run = runs["tcp_lifecycle"]
    syn, synack, ack = run.opening()
    sums = {"x": syn.absolute, "y": synack.absolute}
    return Proof(
        (
            claim(
                synack.absolute_ack == (syn.absolute + 1) % 2**32,
                Text(
                    "SYN carries seq {x}; SYN,ACK acknowledges {got} = {x} + 1",
                    "SYN 携带 seq {x}；SYN,ACK 确认 {got} = {x} + 1",
                ).fill(**sums, got=synack.absolute_ack),
                syn,
                synack,
            ),
            claim(
                ack.absolute_ack == (synack.absolute + 1) % 2**32,
                Text(
                    "SYN,ACK carries a seq of its own, {y}; the third segment acknowledges {got} = {y} + 1",
                    "SYN,ACK 携带自己的 seq {y}；第三个报文段确认 {got} = {y} + 1",
                ).fill(**sums, got=ack.absolute_ack),
                synack,
                ack,
            ),
            claim(
                ack.absolute == (syn.absolute + 1) % 2**32 and not ack.length,
                Text(
                    "the third segment begins at {x} + 1, since SYN consumed one number, and carries no data",
                    "第三个报文段从 {x} + 1 开始（SYN 占一个序号），不带数据",
                ).fill(**sums),
                syn,
                ack,
            ),
        ),
        {
            "syn": rights.frame(syn),
            "synack": rights.frame(synack),
            "ack": rights.frame(ack),
            "client_isn": rights.sequence(syn),
            "server_isn": rights.sequence(synack),
        },
    )


def states_on_the_way(runs: Runs) -> Proof:
    """The client is open before the server: a lost third segment stretches the moment."""
    run = runs["third_ack_lost"]
    lost = run.first("C>S ACK lost")
    again = run.first("S>C SYN,ACK", after=lost)
    replaced = run.first("C>S ACK", after=again)
    client, server = run.socket("client"), run.socket("server")
    ahead, behind = client.stay("ESTABLISHED"), server.stay("SYN-RECEIVED")
    connected, accepted = run.call("client", "connect"), run.call("server", "accept")
    gap = behind.lasted // 1_000_000
    return Proof(
        (
            claim(
                max(connected.after, ahead.by) < again.time,
                Text(
                    "connect() has returned and the client is ESTABLISHED before the SYN,ACK comes again",
                    "SYN,ACK 再次到来之前，connect() 已返回，客户端已处于 ESTABLISHED",
                ),
                ahead,
                connected,
                again,
            ),
            claim(
                behind.by < again.time and behind.lasted > HALF_A_SECOND,
                Text(
                    "the server stays in SYN-RECEIVED for {gap} ms: the third segment was lost",
                    "服务器停在 SYN-RECEIVED 达 {gap} 毫秒：第三个报文段丢失了",
                ).fill(gap=gap),
                behind,
                lost,
                again,
            ),
            claim(
                accepted.after > replaced.time and server.states[1] != "SYN-RECEIVED",
                Text(
                    "the server's accept() returns only after another ACK",
                    "再收到一个 ACK 之后，服务器的 accept() 才返回",
                ),
                accepted,
                replaced,
            ),
        ),
        {
            "client": rights.state("ESTABLISHED", ahead),
            "server": rights.state("SYN-RECEIVED", behind),
            "opens": rights.frame(replaced, instead=lost),
        },
    )


def why_three(runs: Runs) -> Proof:
    """The third segment acknowledges the server's ISN; a SYN,ACK that nobody wants draws RST."""
    run, scan = runs["tcp_lifecycle"], runs["syn_scan"]
    _, synack, ack = run.opening()
    earlier = run.all(before=ack, where=lambda one: one.sender == "C" and "ACK" in one.flags)
    stray = scan.first("S>C SYN,ACK")
    reset = scan.first("C>S RST", after=stray)
    accept = scan.call("server", "accept")
    return Proof(
        (
            claim(
                ack.absolute_ack == synack.absolute_end and not earlier,
                Text(
                    "the server's ISN {y} is acknowledged by the third segment, "
                    "#{n} (ack {got} = {y} + 1), and by none before it",
                    "服务器的 ISN {y} 由第三个报文段 #{n} 确认（ack {got} = {y} + 1），在它之前没有报文段确认过",
                ).fill(y=synack.absolute, n=ack.number, got=ack.absolute_ack),
                synack,
                ack,
            ),
            claim(
                accept.outcome == "EAGAIN" and accept.before > stray.time,
                Text(
                    "port scan: after two segments, SYN and SYN,ACK #{n}, there is no connection: "
                    "accept() finds nobody (EAGAIN)",
                    "端口扫描：只有 SYN 与 SYN,ACK #{n} 两个报文段时还没有连接，accept() 取不到（EAGAIN）",
                ).fill(n=stray.number),
                stray,
                accept,
            ),
            claim(
                reset.absolute == stray.absolute_ack,
                Text(
                    "the client's kernel knows of no such SYN, and answers SYN,ACK #{n} with RST #{m}, "
                    "seq {seq} = its ack",
                    "客户端内核不认得这个 SYN，于是以 RST #{m} 回应 SYN,ACK #{n}，seq {seq} 即其 ack",
                ).fill(n=stray.number, m=reset.number, seq=reset.absolute),
                stray,
                reset,
            ),
        ),
        {
            "client_isn": rights.frame(synack),
            "server_isn": rights.frame(ack),
            "reset": rights.frame(reset),
        },
    )


QUESTIONS = (
    Question(
        id="HS01",
        asks=Text(
            "Describe the three-way handshake: which segments, flags and numbers?",
            "TCP 三次握手的过程是怎样的？每一步携带哪些标志位和序号？",
        ),
        answer=Text(
            "SYN with seq x; SYN,ACK with seq y and ack x+1; ACK with seq x+1 and ack y+1. "
            "The client is ESTABLISHED when it has the second segment, the server when it has the third.",
            "第一段 SYN，seq=x；第二段 SYN,ACK，seq=y、ack=x+1；第三段 ACK，seq=x+1、ack=y+1。"
            "客户端收到第二段即进入 ESTABLISHED，服务器收到第三段才进入 ESTABLISHED。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="high",
        core=True,
        runs=("tcp_lifecycle",),
        instead="tour",
        prove=three_segments,
        values=(
            SYN_FRAME,
            SYNACK_FRAME,
            ACK_FRAME,
            Ask(
                "client_isn",
                Text("The client's initial sequence number", "客户端的初始序列号"),
                Unit.SEQUENCE,
            ),
            Ask(
                "server_isn",
                Text("The server's initial sequence number", "服务器的初始序列号"),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("SYN, then SYN,ACK, then ACK", "先 SYN，再 SYN,ACK，再 ACK"),
                (r"\bsyn\b.*syn[ ,+/]*ack.*\back\b",),
            ),
            Idea(
                Text(
                    "each side acknowledges x+1: the other's ISN plus one",
                    "双方各确认对方 ISN 加一，即 x+1",
                ),
                (r"x ?\+ ?1", r"isn ?\+ ?1", r"plus one", r"加一"),
            ),
            Idea(
                Text("the client is ESTABLISHED first", "客户端先进入 ESTABLISHED"),
                (
                    r"client is established (first|when it has the second|before)",
                    r"客户端(先|收到第二段即)进入 ?established",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("both sides use the same initial sequence number", "双方使用相同的初始序列号"),
                (r"same (initial )?(sequence number|isn)", r"相同的(初始)?序列号"),
            ),
            Idea(
                Text("the SYN consumes no sequence number", "SYN 不占序号"),
                (r"syn (consumes|uses|takes) no", r"syn ?不(占|消耗)"),
            ),
        ),
        guess=Guess(
            Text("What will the SYN,ACK acknowledge?", "SYN,ACK 的确认号会是多少？"),
            (
                Text("the client's ISN", "客户端的 ISN"),
                Text("the client's ISN plus one", "客户端的 ISN 加一"),
                Text("the server's ISN plus one", "服务器的 ISN 加一"),
            ),
            1,
        ),
        hints=(
            Text("Look at the first three frames in the wire lane.", "看线路一栏的前三帧。"),
            Text(
                "Compare each ack with the seq of the segment that it answers, absolute numbers shown.",
                "显示绝对序号，把每个 ack 与它所回应的报文段的 seq 相比较。",
            ),
        ),
        then=("HS03", "HS02"),
        sources=(
            "RFC 9293 section 3.5 figure 6",
            "TCP/IP Illustrated vol. 1, 2nd ed., section 13.2",
        ),
    ),
    Question(
        id="HS02",
        asks=Text(
            "Which state is each end in after every segment of the handshake?",
            "三次握手的每一步之后，双方各处于什么状态？",
        ),
        answer=Text(
            "After the SYN: SYN-SENT and SYN-RECEIVED. When the SYN,ACK arrives the client is ESTABLISHED, "
            "the server still SYN-RECEIVED. When the ACK arrives both are ESTABLISHED.",
            "SYN 之后：客户端 SYN-SENT，服务器 SYN-RECEIVED。SYN,ACK 到达时客户端进入 ESTABLISHED，"
            "服务器仍是 SYN-RECEIVED。ACK 到达后双方都是 ESTABLISHED。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="high",
        core=True,
        runs=("third_ack_lost",),
        prove=states_on_the_way,
        values=(
            Ask(
                "client",
                Text(
                    "State of the client while the third segment is missing",
                    "第三个报文段缺失期间客户端的状态",
                ),
                Unit.STATE,
            ),
            Ask(
                "server",
                Text(
                    "State of the server while the third segment is missing",
                    "第三个报文段缺失期间服务器的状态",
                ),
                Unit.STATE,
            ),
            Ask(
                "opens",
                Text(
                    "Frame that puts the server into ESTABLISHED",
                    "使服务器进入 ESTABLISHED 的帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("SYN-SENT at the client after its SYN", "发出 SYN 后客户端为 SYN-SENT"),
                (r"syn[-_ ]sent",),
            ),
            Idea(
                Text(
                    "the server is SYN-RECEIVED until the ACK arrives",
                    "ACK 到达之前服务器为 SYN-RECEIVED",
                ),
                (r"syn[-_ ](received|recv|rcvd)",),
            ),
            Idea(
                Text(
                    "the client is ESTABLISHED before the server, when the SYN,ACK arrives",
                    "SYN,ACK 到达时客户端进入 ESTABLISHED，早于服务器",
                ),
                (r"syn,ack arrives", r"client is established", r"客户端进入 ?established"),
            ),
        ),
        wrong=(
            Idea(
                Text("both become ESTABLISHED at the same moment", "双方同时进入 ESTABLISHED"),
                (r"same (moment|time)", r"同时进入"),
            ),
        ),
        guess=Guess(
            Text(
                "The third segment is lost. What will the client's connect() do?",
                "第三个报文段丢失，客户端的 connect() 会怎样？",
            ),
            (
                Text("return at once", "立即返回"),
                Text("wait until the server is ESTABLISHED", "等到服务器进入 ESTABLISHED"),
                Text("fail", "失败"),
            ),
            0,
        ),
        hints=(
            Text("Look at the two state lanes.", "看两侧的状态栏。"),
            Text(
                "Compare the time of each state change with the frames just before it.",
                "把每次状态变化的时间与它之前的帧相比较。",
            ),
        ),
        claim=Text("Both ends become ESTABLISHED at the same moment", "双方同时进入 ESTABLISHED"),
        truth=Text(
            "The client is ahead by at least half a round trip; with the third segment lost, by a full second",
            "客户端至少早半个往返；若第三个报文段丢失，则早整整一秒",
        ),
        then=("HS08",),
        sources=("RFC 9293 section 3.3.2",),
    ),
    Question(
        id="HS03",
        asks=Text("Why three segments and not two?", "为什么是三次握手而不是两次？"),
        answer=Text(
            "Each side must have its own ISN acknowledged. With two segments the server never learns "
            "whether its ISN arrived. An old duplicate SYN would then open a connection that the client "
            "does not want. With three, the client answers an unexpected SYN,ACK with RST.",
            "双方各有一个 ISN，都必须得到对方确认。若只有两次，服务器无法得知自己的 ISN 是否送达，"
            "历史 SYN 也会建立客户端并不想要的连接。三次握手时，客户端会以 RST 回应意外的 SYN,ACK。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="high",
        core=True,
        runs=("tcp_lifecycle", "syn_scan"),
        prove=why_three,
        values=(
            Ask(
                "client_isn",
                Text(
                    "Ordinary run: frame that acknowledges the client's ISN",
                    "普通连接：确认客户端 ISN 的帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "server_isn",
                Text(
                    "Ordinary run: frame that acknowledges the server's ISN",
                    "普通连接：确认服务器 ISN 的帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "reset",
                Text(
                    "Port scan: frame that rejects the unexpected SYN,ACK",
                    "端口扫描：拒绝意外 SYN,ACK 的帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("each side's ISN must be acknowledged", "双方的 ISN 都必须得到确认"),
                (
                    r"(isn|sequence number)s?[^.]{0,30}acknowledged",
                    r"acknowledge[^.]{0,30}(isn|sequence number)",
                    r"(isn|序列号|序号)[^.]{0,20}确认",
                    r"确认[^.]{0,12}(isn|序列号|序号)",
                ),
            ),
            Idea(
                Text(
                    "an old duplicate SYN must not open a connection",
                    "历史 SYN 不应建立连接",
                ),
                (
                    r"(old|stale|late|delayed|duplicate)[^.]{0,20}(syn|segment|request)",
                    r"(历史|旧|迟到|滞留|失效|重复)的?[^.]{0,6}(syn|连接请求|报文)",
                ),
            ),
            Idea(
                Text("the client rejects it with RST", "客户端以 RST 拒绝"),
                (r"rst", r"\breset", r"复位"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "three are needed to test that both can send and receive",
                    "三次是为了确认双方的收发能力",
                ),
                (
                    r"(test|check|verify|confirm|prove)[^.]{0,40}send and receive",
                    r"(确认|验证|测试|证明)[^.]{0,10}收发",
                ),
            ),
            Idea(
                Text("two segments would be enough", "两次握手就足够了"),
                (
                    r"two( segments)? (would be|are) enough",
                    r"两次(握手)?(就|已经?)?(足够|够了|即可)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A SYN,ACK reaches a kernel that never sent a SYN. What will it do?",
                "内核从未发出 SYN，却收到一个 SYN,ACK。它会怎样？",
            ),
            (
                Text("complete the handshake with an ACK", "回 ACK 完成握手"),
                Text("send RST", "发送 RST"),
                Text("ignore it", "不予理会"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the ack of each segment; then at what follows the SYN,ACK in the port scan.",
                "看每个报文段的 ack；再看端口扫描中 SYN,ACK 之后是什么。",
            ),
            Text(
                "Compare the ack of the SYN,ACK with the seq of the segment that answers it.",
                "把 SYN,ACK 的 ack 与回应它的报文段的 seq 相比较。",
            ),
        ),
        claim=Text(
            "Three are needed to test that both can send and receive",
            "三次握手是为了确认双方的收发能力",
        ),
        truth=Text(
            "That is a by-product. The purpose is to synchronise both sequence numbers and to reject "
            "old duplicates",
            "那只是附带的结果。目的在于同步双方的序列号，并拒绝历史的重复报文段",
        ),
        then=("HS04", "HS08"),
        sources=("RFC 9293 section 3.5 figure 8",),
    ),
)
