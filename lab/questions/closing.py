"""How a connection is closed in good order: four steps, in four segments or three, or crossing."""

from __future__ import annotations

from lab.packets.kinds import Flags
from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.kernel_socket import Socket
from lab.questions.pieces import Packet, Segment, Stayed
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text, same
from lab.units import short_span

HOSTS = {"client": Text("client", "客户端"), "server": Text("server", "服务器")}
QUICK, SLOW = "close_three_segments:after_20_ms", "close_four_segments"


def acknowledges(ack: Segment, fin: Segment) -> bool:
    """Whether a segment acknowledges a FIN, which consumes one number."""
    return ack.absolute_ack == fin.absolute_end


def fin_acknowledged(fin: Segment, ack: Segment, words: Text) -> Claim:
    """Claim that a FIN without data is acknowledged plus one; ``words`` tell {u} and {got}."""
    filled = words.fill(u=fin.absolute, got=ack.absolute_ack)
    return claim(acknowledges(ack, fin) and not fin.length, filled, fin, ack)


def seen_between(stay: Stayed, begin: Packet, end: Packet) -> bool:
    """Whether a socket was sampled in a state at some time between two frames."""
    return stay.by < end.time and begin.time < stay.until


def answer_to(run: Run, fin: Segment) -> Segment:
    """The first segment of the other end that acknowledges a FIN."""
    answers = run.all(after=fin, where=lambda one: one.sender != fin.sender)
    return run.one("ACK of the FIN", [one for one in answers if acknowledges(one, fin)])


def four_steps(runs: Runs) -> Proof:
    """FIN, ACK, FIN, ACK: each FIN is acknowledged plus one, each end closes in its own time."""
    run = runs[SLOW]
    fin = run.first("C>S FIN,ACK")
    ack = run.first("S>C ACK", after=fin)
    second = run.first("S>C FIN,ACK", after=ack)
    last = run.first("C>S ACK", after=second)
    client, server = run.socket("client"), run.socket("server")
    waiting, half = client.stay("FIN-WAIT-2"), server.stay("CLOSE-WAIT")
    kept, gone = client.stay("TIME-WAIT"), server.stay("CLOSED")
    between = short_span(second.time - ack.time)
    return Proof(
        (
            fin_acknowledged(
                fin,
                ack,
                Text(
                    "the client's FIN has seq {u}; the server acknowledges {got} = {u} + 1",
                    "客户端的 FIN 序号为 {u}；服务器确认 {got} = {u} + 1",
                ),
            ),
            claim(
                seen_between(waiting, ack, second) and seen_between(half, ack, second),
                Text(
                    "in the {span} between ACK and second FIN the kernels say: "
                    "client FIN-WAIT-2, server CLOSE-WAIT",
                    "在 ACK 与第二个 FIN 之间的 {span} 内，内核给出：客户端 FIN-WAIT-2，服务器 CLOSE-WAIT",
                ).fill(span=between),
                waiting,
                half,
                ack,
                second,
            ),
            fin_acknowledged(
                second,
                last,
                Text(
                    "the server's FIN has a seq of its own, {u}; the client acknowledges {got} = {u} + 1",
                    "服务器的 FIN 有自己的序号 {u}；客户端确认 {got} = {u} + 1",
                ),
            ),
            claim(
                kept.by > second.time and client.states[-1] == "TIME-WAIT" and gone.by > last.time,
                Text(
                    "afterwards the client is in TIME-WAIT, the server's socket is gone (CLOSED)",
                    "之后客户端处于 TIME-WAIT，服务器的套接字已消失（CLOSED）",
                ),
                kept,
                gone,
                last,
            ),
        ),
        {
            "fin1": rights.frame(fin),
            "ack1": rights.frame(ack),
            "fin2": rights.frame(second),
            "ack2": rights.frame(last),
        },
    )


def three_or_four(runs: Runs) -> Proof:
    """Closed within the delayed ACK's time, ACK and FIN are one segment; later, two."""
    quick, slow = runs[QUICK], runs[SLOW]
    fin = quick.first("C>S FIN,ACK")
    merged = quick.first("S>C FIN,ACK", after=fin)
    last = quick.first("C>S ACK", after=merged)
    long_fin = slow.first("C>S FIN,ACK")
    alone = slow.first("S>C ACK", after=long_fin)
    late = slow.first("S>C FIN,ACK", after=alone)
    short, delay, work = (
        merged.time - fin.time,
        alone.time - long_fin.time,
        late.time - long_fin.time,
    )
    delayed = [run.counter("server", "TcpExt.DelayedACKs") for run in (quick, slow)]
    return Proof(
        (
            fin_acknowledged(
                fin,
                merged,
                Text(
                    "one segment is both: the server's FIN, and the ACK {got} = {u} + 1 of the client's",
                    "同一报文段兼作两步：既是服务器的 FIN，又确认客户端的 FIN：{got} = {u} + 1",
                ),
            ),
            claim(
                quick.all(after=fin) == (merged, last),
                Text(
                    "three segments close it: for {span} the server's kernel did not acknowledge the FIN",
                    "三个报文段完成关闭：{span} 之内，服务器内核没有确认这个 FIN",
                ).fill(span=short_span(short)),
                fin,
                merged,
                last,
            ),
            claim(
                short < delay < work and acknowledges(alone, long_fin),
                Text(
                    "a server that closes {work} after the FIN is too late: "
                    "the ACK has left alone after {delay}",
                    "服务器在 FIN 之后 {work} 才关闭，为时已晚：ACK 在 {delay} 时已单独发出",
                ).fill(work=short_span(work), delay=short_span(delay)),
                long_fin,
                alone,
                late,
            ),
            claim(
                delayed[0].value < delayed[1].value,
                Text(
                    "the kernel counts that ACK as a delayed one: {slow} against {quick}",
                    "内核把这个 ACK 计为延迟确认：{slow} 次，另一运行为 {quick} 次",
                ).fill(slow=delayed[1].value, quick=delayed[0].value),
                *delayed,
            ),
        ),
        {
            "merged": rights.frame(merged),
            "alone": rights.frame(alone),
            "delay": rights.span(delay, long_fin, alone),
        },
    )


def crossing(runs: Runs) -> Proof:
    """Both FINs are under way at once; neither end passes FIN-WAIT-2."""
    run = runs["close_simultaneous"]
    ours, theirs = run.first("C>S FIN,ACK"), run.first("S>C FIN,ACK")
    sent, came = (_fin_at_server(run, one) for one in (theirs, ours))
    ends = {host: run.socket(host) for host in ("client", "server")}
    return Proof(
        (
            claim(
                ours.ack < theirs.end and theirs.ack < ours.end,
                Text(
                    "neither FIN acknowledges the other: ack {a} and ack {b}, relative",
                    "两个 FIN 都没有确认对方：相对确认号分别为 {a} 和 {b}",
                ).fill(a=ours.ack, b=theirs.ack),
                ours,
                theirs,
            ),
            claim(
                ours.time < theirs.time and sent.time < came.time,
                Text(
                    "at either port the host's own FIN passes first: "
                    "{c} before the other at the client, {s} at the server",
                    "在双方各自的端口，都是本机的 FIN 先通过：客户端早 {c}，服务器早 {s}",
                ).fill(c=short_span(theirs.time - ours.time), s=short_span(came.time - sent.time)),
                ours,
                theirs,
                sent,
                came,
            ),
            *(_through_closing(host, end) for host, end in ends.items()),
        ),
        {
            "client_fin": rights.frame(ours),
            "server_fin": rights.frame(theirs),
            "between": rights.name("CLOSING", *(end.stay("CLOSING") for end in ends.values())),
        },
    )


def _fin_at_server(run: Run, fin: Segment) -> Packet:
    """The same FIN in the capture of the server's port."""

    def is_it(one: Packet) -> bool:
        tcp, source = one.frame.tcp, one.frame.source
        is_fin = tcp is not None and Flags.FIN in tcp.flags and tcp.sequence == fin.absolute
        return is_fin and source == fin.frame.source

    return run.packet("FIN", is_it, "server")


def _through_closing(host: str, end: Socket) -> Claim:
    path = ("FIN-WAIT-1", "CLOSING", "TIME-WAIT")
    return claim(
        end.states[-3:] == path,
        Text(
            "{host}: FIN-WAIT-1, CLOSING, TIME-WAIT; FIN-WAIT-2 never",
            "{host}：FIN-WAIT-1、CLOSING、TIME-WAIT；从未进入 FIN-WAIT-2",
        ).fill(host=HOSTS[host]),
        *(end.stay(state) for state in path),
    )


QUESTIONS = (
    Question(
        id="TD01",
        asks=Text(
            "Describe the orderly close of a TCP connection: segments, numbers and states.",
            "TCP 四次挥手的过程和状态变化是怎样的？",
        ),
        answer=Text(
            "The closer sends FIN with seq u and is in FIN-WAIT-1. The peer acknowledges u+1 and is in "
            "CLOSE-WAIT; the closer goes to FIN-WAIT-2. The peer's FIN has seq v and puts it into LAST-ACK. "
            "The closer acknowledges v+1 and stays in TIME-WAIT; the peer is CLOSED.",
            "主动方发 FIN（seq=u），进入 FIN-WAIT-1。对方回 ACK（u+1），进入 CLOSE-WAIT，"
            "主动方随之进入 FIN-WAIT-2。对方发 FIN（seq=v），进入 LAST-ACK。"
            "主动方回 ACK（v+1），停留在 TIME-WAIT，对方则 CLOSED。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="high",
        core=True,
        runs=(SLOW,),
        instead="tour",
        prove=four_steps,
        values=(
            Ask("fin1", Text("Frame number of the first FIN", "第一个 FIN 的帧号"), Unit.FRAME),
            Ask("ack1", Text("Frame number of its ACK", "确认它的 ACK 的帧号"), Unit.FRAME),
            Ask("fin2", Text("Frame number of the second FIN", "第二个 FIN 的帧号"), Unit.FRAME),
            Ask(
                "ack2", Text("Frame number of its ACK", "确认第二个 FIN 的 ACK 的帧号"), Unit.FRAME
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "each FIN is acknowledged plus one: u+1, v+1",
                    "每个 FIN 都被确认为加一：u+1、v+1",
                ),
                (r"[uv] ?\+ ?1", r"plus one", r"加一"),
            ),
            Idea(
                Text(
                    "the closer passes FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT",
                    "主动方依次为 FIN-WAIT-1、FIN-WAIT-2、TIME-WAIT",
                ),
                (r"fin[-_ ]?wait[-_ ]?1.*fin[-_ ]?wait[-_ ]?2.*time[-_ ]?wait",),
            ),
            Idea(
                Text(
                    "the peer passes CLOSE-WAIT and LAST-ACK", "被动方依次为 CLOSE-WAIT、LAST-ACK"
                ),
                (r"close[-_ ]?wait.*last[-_ ]?ack",),
            ),
        ),
        wrong=(
            Idea(
                Text("both ends end in TIME-WAIT", "双方最后都进入 TIME-WAIT"),
                (
                    r"both (ends|sides|peers) (end|are|stay|go)[^.]* time[-_ ]?wait",
                    r"双方[^.,]*都[^.,]*time[-_ ]?wait",
                ),
            ),
            Idea(
                Text("a FIN consumes no sequence number", "FIN 不占序号"),
                (r"fin (consumes|uses|takes) no", r"fin ?不(占|消耗)"),
            ),
        ),
        guess=Guess(
            Text(
                "The server works on for 100 ms after the client's FIN. What comes first?",
                "收到客户端的 FIN 后，服务器又工作 100 毫秒。最先到来的是什么？",
            ),
            (
                Text("the server's FIN", "服务器的 FIN"),
                Text("an ACK without FIN", "不带 FIN 的 ACK"),
                Text(
                    "nothing: the client waits in FIN-WAIT-1",
                    "什么都没有：客户端一直处于 FIN-WAIT-1",
                ),
            ),
            1,
        ),
        hints=(
            Text("Look at the last four frames in the wire lane.", "看线路一栏的最后四帧。"),
            Text(
                "Compare each ack with the seq of the FIN before it from the other end.",
                "把每个 ack 与另一端之前发出的 FIN 的 seq 相比较。",
            ),
        ),
        then=("TD02", "TD03"),
        sources=("RFC 9293 section 3.6 figure 12", "RFC 9293 section 3.3.2"),
    ),
    Question(
        id="TD02",
        asks=Text(
            "Can the four steps of a close be three segments? When?",
            "四次挥手可以变成三次吗？什么时候？",
        ),
        answer=Text(
            "Yes: when the passive side closes before its delayed ACK is due and has nothing to send. "
            "Then ACK and FIN share a segment. Here a close after 20 ms takes three segments. "
            "A close after 100 ms takes four: the ACK has left alone after about 40 ms.",
            "可以。被动方没有数据要发，且在延迟确认定时器到期前就关闭，ACK 与 FIN 便合并为一个报文段。"
            "这里 20 毫秒后关闭为三段；100 毫秒后关闭为四段，ACK 在约 40 毫秒时已单独发出。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="high",
        core=True,
        runs=(QUICK, SLOW),
        prove=three_or_four,
        values=(
            Ask(
                "merged",
                Text(
                    "Server closes after 20 ms: frame that is ACK and FIN in one",
                    "服务器 20 毫秒后关闭：兼作 ACK 与 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "alone",
                Text(
                    "Server closes after 100 ms: frame of the ACK that comes alone",
                    "服务器 100 毫秒后关闭：单独到来的 ACK 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "delay",
                Text("Time from the FIN to that ACK", "从 FIN 到这个 ACK 的时间"),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("ACK and FIN share one segment", "ACK 与 FIN 合并为一个报文段"),
                (
                    r"ack and (the )?fin (can |may )?(share|merge|travel together|are one|go in one)",
                    r"ack (与|和) ?fin ?(可以)?(便|就)?(合并|合在|同在)",
                    r"合并为一个报文段",
                ),
            ),
            Idea(
                Text("the ACK of a FIN is a delayed ACK", "对 FIN 的确认也会延迟（延迟确认）"),
                (r"delayed[- ]ack", r"延迟确认", r"延迟 ?ack"),
            ),
            Idea(
                Text(
                    "the passive side closes quickly and has nothing to send",
                    "被动方及时关闭，没有数据要发",
                ),
                (r"nothing (more |else |left )?to send", r"no (more )?data", r"(没有|无)数据"),
            ),
        ),
        wrong=(
            Idea(
                Text("a close always takes four segments", "挥手总是四个报文段"),
                (
                    r"(?<!not )always (takes |needs |is )?four",
                    r"(never|can ?not|can't) (be )?(merge|three)",
                    r"(?<!不)总是四",
                    r"(不可能|不能|无法)(合并|变成三次)",
                ),
            ),
            Idea(
                Text("the kernel acknowledges a FIN at once", "内核会立即确认 FIN"),
                (r"acknowledges a fin (at once|immediately)", r"立即(确认|回 ?ack)"),
            ),
        ),
        guess=Guess(
            Text(
                "The server closes 20 ms after the client's FIN. How many segments does the close take?",
                "服务器在客户端的 FIN 之后 20 毫秒关闭，整个挥手用几个报文段？",
            ),
            (Text("four", "四个"), Text("three", "三个"), Text("two", "两个")),
            1,
        ),
        hints=(
            Text(
                "Look at what the server sends after the client's FIN, in both runs.",
                "看两次运行中服务器在客户端的 FIN 之后发了什么。",
            ),
            Text(
                "Compare the flags and the time since the FIN of its first segment.",
                "比较其中第一个报文段的标志，以及它距 FIN 的时间。",
            ),
        ),
        claim=Text(
            "The kernel acknowledges a FIN at once, so ACK and FIN can never merge",
            "内核收到 FIN 会立即回 ACK，所以不可能合并",
        ),
        truth=Text(
            "The ACK of a FIN is delayed like any other: a quick close took three segments",
            "对 FIN 的确认与其他确认一样会延迟：及时关闭只用了三个报文段",
        ),
        then=("TD07",),
        sources=("RFC 9293 section 3.6", "RFC 9293 section 3.8.6.3"),
    ),
    Question(
        id="TD11",
        asks=Text(
            "Both ends close at the same time: which states occur?",
            "双方同时关闭会经过哪些状态？",
        ),
        answer=Text(
            "Each end sends its FIN before it has seen the other's: the FINs cross. Both go from "
            "FIN-WAIT-1 to CLOSING, not to FIN-WAIT-2. Then both end in TIME-WAIT.",
            "双方都在看到对方的 FIN 之前发出自己的 FIN，两个 FIN 在途中交错。双方都由 FIN-WAIT-1 "
            "进入 CLOSING，而不是 FIN-WAIT-2；最后都以 TIME-WAIT 结束。",
        ),
        kind=Kind.PREDICT,
        level=3,
        interview="medium",
        runs=("close_simultaneous",),
        prove=crossing,
        values=(
            Ask(
                "client_fin",
                Text("Frame number of the client's FIN", "客户端 FIN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "server_fin",
                Text("Frame number of the server's FIN", "服务器 FIN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "between",
                Text(
                    "State of both ends between FIN-WAIT-1 and TIME-WAIT",
                    "双方在 FIN-WAIT-1 与 TIME-WAIT 之间的状态",
                ),
                Unit.CHOICE,
                tuple((one, same(one)) for one in ("LAST-ACK", "FIN-WAIT-2", "CLOSING")),
            ),
        ),
        ideas=(
            Idea(Text("both pass CLOSING", "双方都经过 CLOSING"), (r"\bclosing\b",)),
            Idea(
                Text("both end in TIME-WAIT", "双方最后都进入 TIME-WAIT"),
                (
                    r"both[^.]* time[-_ ]?wait",
                    r"each[^.]* time[-_ ]?wait",
                    r"都[^.]*time[-_ ]?wait",
                ),
            ),
            Idea(
                Text(
                    "the FINs cross: each is sent before the other's is seen",
                    "两个 FIN 交错：都在看到对方的 FIN 之前发出",
                ),
                (r"\bcross", r"before it has seen", r"交错", r"看到对方的 fin 之前"),
            ),
        ),
        wrong=(
            Idea(
                Text("only one end gets TIME-WAIT", "只有一端进入 TIME-WAIT"),
                (r"only one (end|side)", r"只有一(端|方)"),
            ),
            Idea(
                Text("both ends pass FIN-WAIT-2", "双方都经过 FIN-WAIT-2"),
                (
                    r"both (ends |sides )?(pass|go through|enter) fin[-_ ]?wait[-_ ]?2",
                    r"都(经过|进入) ?fin[-_ ]?wait[-_ ]?2",
                ),
            ),
        ),
        guess=Guess(
            Text("Who will be left in TIME-WAIT?", "最后谁处于 TIME-WAIT？"),
            (
                Text("the client alone", "只有客户端"),
                Text("the server alone", "只有服务器"),
                Text("both", "双方"),
                Text("neither", "都没有"),
            ),
            2,
        ),
        hints=(
            Text("Look at the two FINs and at both state lanes.", "看两个 FIN 以及两侧的状态栏。"),
            Text(
                "Compare the ack of each FIN with the seq of the other.",
                "把每个 FIN 的 ack 与另一个 FIN 的 seq 相比较。",
            ),
        ),
        then=("TD04",),
        sources=("RFC 9293 section 3.6 figure 13",),
    ),
)
