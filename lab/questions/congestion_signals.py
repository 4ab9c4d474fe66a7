"""How a network speaks of congestion: marks where ECN was agreed upon, nothing at all to UDP."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Slip, Unit
from lab.questions.pieces import Packet
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.scenarios.ecn_negotiation import ECT_0, MARKS, NOT_ECT
from lab.scenarios.script import in_order
from lab.text import Text
from lab.units import short_span


def mark_of(one: Packet) -> str:
    """The ECN bits in the IP header of a frame."""
    ip = one.frame.ip
    return MARKS[ip.traffic_class & 3] if ip else ""


def ecn_agreed(runs: Runs) -> Proof:
    """Two flags ask, one agrees; from then on data may be marked."""
    run = runs["ecn_negotiation"]
    syn = run.first(where=lambda one: one.sender == "C" and "SYN" in one.flags)
    synack = run.first(where=lambda one: one.sender == "S" and "SYN" in one.flags)
    ack = run.first("C>S ACK", after=synack)
    request, reply = run.one("data", run.data("C")), run.one("data", run.data("S"))
    return Proof(
        (
            claim(
                {"ECE", "CWR"} <= syn.flags and "ACK" not in syn.flags,
                Text(
                    "the SYN asks: its flags are {flags}",
                    "SYN 提出请求：标志位为 {flags}",
                ).fill(flags=in_order(syn.flags)),
                syn,
            ),
            claim(
                "ECE" in synack.flags and "CWR" not in synack.flags and "ACK" in synack.flags,
                Text(
                    "the SYN,ACK agrees: its flags are {flags}, without CWR",
                    "SYN,ACK 表示同意：标志位为 {flags}，没有 CWR",
                ).fill(flags=in_order(synack.flags)),
                synack,
            ),
            claim(
                mark_of(request) == mark_of(reply) == MARKS[ECT_0]
                and not {"ECE", "CWR"} & (request.flags | reply.flags),
                Text(
                    "data then says {mark} in its IP header, both ways: a router may mark it instead of dropping it",
                    "此后两个方向的数据在 IP 首部都是 {mark}：路由器可以改为打标记，而不必丢弃",
                ).fill(mark=mark_of(request)),
                request,
                reply,
            ),
            claim(
                {mark_of(one) for one in (syn, synack, ack)} == {MARKS[NOT_ECT]},
                Text(
                    "SYN, SYN,ACK and the pure ACK say {mark}: they are dropped as ever",
                    "SYN、SYN,ACK 与纯 ACK 都是 {mark}：拥塞时照旧被丢弃",
                ).fill(mark=mark_of(syn)),
                syn,
                synack,
                ack,
            ),
        ),
        {
            "syn": rights.name(in_order(syn.flags), syn),
            "synack": rights.name(in_order(synack.flags), synack),
            "data": rights.frame(request, reply),
            "mark": rights.name(mark_of(request), request, others=("10", "2", "0x2", "ECT0")),
        },
    )


def no_control(runs: Runs) -> Proof:
    """Datagrams go out as fast as ever, nothing comes back, the receiver's kernel drops them."""
    run = runs["udp_receive_overflow"]
    sent, arrived = run.calls("client", "sendto"), run.datagrams(host="server")
    *burst, _ = run.datagrams()
    taken = [one for one in run.calls("server", "recv", "recvmsg") if one.outcome == "ok"]
    full = run.call("server", "recv")
    last = sent[len(burst) - 1]
    there = burst[0].frame.ip
    back = run.packets(
        "server",
        lambda one: bool(one.frame.ip and there and one.frame.ip.source == there.destination),
    )
    refused = run.counter("server", "Udp.RcvbufErrors")
    return Proof(
        (
            claim(
                all(one.outcome == "ok" for one in sent) and last.after < full.before,
                Text(
                    "{n} sendto() succeed within {span}, before the receiver has read one: nothing slows the sender",
                    "接收方一个都没读，{n} 次 sendto() 就在 {span} 内全部成功：没有什么使发送方放慢",
                ).fill(n=len(burst), span=short_span(last.after - sent[0].before)),
                sent[0],
                last,
                full,
            ),
            claim(
                len(arrived) == len(sent) and not back,
                Text(
                    "all {n} datagrams pass the server's port, and not one packet goes back: no ACK, no signal of loss",
                    "{n} 个数据报全部经过服务器端口，没有一个包返回：没有 ACK，也没有丢包信号",
                ).fill(n=len(arrived)),
                run.capture("server"),
            ),
            claim(
                refused.value == len(sent) - len(taken) > 0,
                Text(
                    "sent {a} - delivered {b} = {c}: just what the kernel counts as Udp.RcvbufErrors",
                    "发送 {a} - 交付 {b} = {c}：正是内核计入 Udp.RcvbufErrors 的个数",
                ).fill(a=len(sent), b=len(taken), c=refused.value),
                refused,
                taken[-1],
            ),
        ),
        {
            "sent": rights.count(len(sent), sent[0], sent[-1]),
            "captured": rights.count(len(arrived), run.capture("server")),
            "delivered": rights.count(len(taken), taken[0], taken[-1]),
            "refused": rights.count(
                refused.value, refused, slips=((Slip.OFF_BY_ONE, refused.value - 1),)
            ),
        },
    )


QUESTIONS = (
    Question(
        id="CC06",
        asks=Text("What does ECN change?", "ECN 改变了什么？"),
        answer=Text(
            "A router may mark a packet instead of dropping it. "
            "A SYN with ECE and CWR asks for it, a SYN,ACK with ECE alone agrees. "
            "From then on data travels as ECT(0) in the IP header; SYNs and pure ACKs do not.",
            "路由器可以给包打标记，而不是丢弃。"
            "SYN 带 ECE 和 CWR 表示请求，SYN,ACK 只带 ECE 表示同意。"
            "此后数据在 IP 首部标为 ECT(0)；SYN 与纯 ACK 则不标。",
        ),
        kind=Kind.EXPLAIN,
        level=3,
        runs=("ecn_negotiation",),
        prove=ecn_agreed,
        values=(
            Ask("syn", Text("Flags of the SYN", "SYN 的标志位"), Unit.NAME),
            Ask("synack", Text("Flags of the SYN,ACK", "SYN,ACK 的标志位"), Unit.NAME),
            Ask(
                "data",
                Text("A frame that a router may mark", "一个允许路由器打标记的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "mark",
                Text("ECN field of its IP header", "其 IP 首部的 ECN 字段"),
                Unit.NAME,
            ),
        ),
        ideas=(
            Idea(
                Text("routers mark instead of dropping", "路由器打标记而不丢弃"),
                (r"\bmark", r"标记"),
            ),
            Idea(
                Text("the SYN carries ECE and CWR", "SYN 带 ECE 和 CWR"),
                (r"\bsyn\b.{0,24}ece.{0,8}cwr", r"syn.{0,8}ece.{0,6}cwr"),
            ),
            Idea(
                Text("the SYN,ACK carries ECE alone", "SYN,ACK 只带 ECE"),
                (
                    r"syn[ ,+/-]*ack.{0,16}ece (alone|only)|syn[ ,+/-]*ack.{0,16}only ece",
                    r"syn[ ,+/-]*ack.{0,8}(只|仅).{0,4}ece",
                ),
            ),
            Idea(
                Text("data says ECT in the IP header", "数据在 IP 首部标为 ECT"),
                (r"(?<![a-z])ect(?![a-z])",),
            ),
        ),
        wrong=(
            Idea(
                Text("with ECN nothing is dropped any more", "有了 ECN 就不会再丢包"),
                (
                    r"nothing is (ever )?dropped|no (packet|segment) is (ever )?(dropped|lost)",
                    r"不会?再丢包|永不丢包",
                ),
            ),
            Idea(
                Text("the SYN itself is marked ECT", "SYN 本身标为 ECT"),
                (r"syn itself (is|travels)", r"syn ?本身(也)?标为"),
            ),
        ),
        guess=Guess(
            Text(
                "The SYN carries ECE and CWR. What does a SYN,ACK that agrees carry?",
                "SYN 带有 ECE 和 CWR。表示同意的 SYN,ACK 带什么？",
            ),
            (
                Text("ECE and CWR", "ECE 和 CWR"),
                Text("ECE alone", "只带 ECE"),
                Text("CWR alone", "只带 CWR"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the flags of the first two segments and at the ECN field of the IP headers.",
                "看前两个报文段的标志位，以及 IP 首部的 ECN 字段。",
            ),
            Text(
                "Compare a segment with data with a pure ACK.",
                "把带数据的报文段与纯 ACK 相比较。",
            ),
        ),
        sources=("RFC 3168 sections 5 and 6.1.1", "RFC 3168 section 6.1.4", "tcp(7) tcp_ecn"),
    ),
    Question(
        id="CC07",
        asks=Text("Does UDP have congestion control?", "UDP 有拥塞控制吗？"),
        answer=Text(
            "Not in the protocol: nothing comes back, so the sender never slows down. "
            "What the receiver's buffer cannot take its kernel drops without a word. "
            "The application must provide it, as QUIC does.",
            "协议本身没有：没有任何反馈，发送方从不放慢。"
            "接收缓冲放不下的，由接收方内核默默丢弃。"
            "需要由应用实现拥塞控制，例如 QUIC。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("udp_receive_overflow",),
        prove=no_control,
        values=(
            Ask("sent", Text("Datagrams sent", "发送的数据报个数"), Unit.COUNT),
            Ask(
                "captured",
                Text("Datagrams in the server's capture", "服务器端抓到的数据报个数"),
                Unit.COUNT,
            ),
            Ask(
                "delivered",
                Text("Datagrams that the server's program read", "服务器程序读到的数据报个数"),
                Unit.COUNT,
            ),
            Ask(
                "refused",
                Text("Datagrams that its kernel refused", "被其内核拒收的数据报个数"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("not in the protocol", "协议本身没有"),
                (
                    r"not in the protocol|(udp|protocol).{0,20}(has|have|provides) (no|none)|^no\b",
                    r"(协议|udp).{0,6}没有",
                ),
            ),
            Idea(
                Text("the sender never slows down", "发送方从不放慢"),
                (
                    r"(never|not|n't|nothing) slows?|same rate|as fast as|no feedback",
                    r"(从不|不会|不)(放慢|减速|降速)|没有(任何)?反馈",
                ),
            ),
            Idea(
                Text("the receiver's kernel drops", "接收方内核丢弃"),
                (r"kernel.{0,24}(drops?|discards?)|drops?.{0,20}kernel", r"内核.{0,6}丢弃"),
            ),
            Idea(
                Text("the application must do it, as QUIC does", "需要由应用实现，如 QUIC"),
                (r"application|quic", r"应用"),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP slows down when datagrams are lost", "丢失数据报时 UDP 会放慢"),
                (
                    r"udp slows down|sender slows down when",
                    r"udp ?会(放慢|减速|降速)",
                ),
            ),
            Idea(
                Text("the receiver asks for lost datagrams again", "接收方会要求重发"),
                (r"receiver asks for|asks for .{0,20}again", r"会要求重发"),
            ),
        ),
        guess=Guess(
            Text(
                "The receive buffer is full. What does the sender's next sendto() do?",
                "接收缓冲区已满，发送方的下一次 sendto() 会怎样？",
            ),
            (
                Text("it blocks", "阻塞"),
                Text("it fails", "失败"),
                Text("it succeeds", "成功"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's calls and at its counter Udp.RcvbufErrors.",
                "看服务器的调用，以及它的计数器 Udp.RcvbufErrors。",
            ),
            Text(
                "Compare what was sent, what passed the server's port, and what was read.",
                "比较发送的、经过服务器端口的、以及读到的个数。",
            ),
        ),
        then=("FC03",),
        sources=("RFC 8085 section 3.1", "RFC 9002", "udp(7)"),
    ),
)
