"""Small segments: who avoids them, who delays them, and which options decide."""

from __future__ import annotations

from msgspec import Struct

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.flow_control import UPDATE_FRAME, closed, octets_of
from lab.questions.pieces import Called, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.scenarios.nagle_delack import BODY, DELAYED_ACK, HEAD, ROUNDS
from lab.text import Text
from lab.units import short_span

TWO_WRITES = len(HEAD + BODY)
LONGEST_DELAY = 200_000_000  # ns, of an ACK on Linux


class Round(Struct, frozen=True):
    """One round of `nagle_delack`: two writes, and the ACK of the first of them."""

    head: Segment
    body: Segment
    acked: Segment
    wrote_head: Called
    wrote_body: Called

    @property
    def waited(self) -> int:
        """ns from the head to its ACK."""
        return self.acked.time - self.head.time


def round_of(run: Run, number: int) -> Round:
    """The nth round, from 0; Missing where it was sent otherwise."""
    begin = 1 + number * TWO_WRITES
    head = run.first(f"C>S PSH,ACK seq {begin} +{len(HEAD)}")
    body = run.first(f"C>S PSH,ACK seq {begin + len(HEAD)} +{len(BODY)}")
    acked = run.first("S>C [PSH],ACK", after=head, where=lambda one: one.ack >= head.end)
    wrote = [run.call("client", "sendall", 2 * number + nth) for nth in range(2)]
    return Round(head, body, acked, *wrote)


def silly_windows(runs: Runs) -> Proof:
    """The receiver opens its window by much or not at all; the sender waits to fill a segment."""
    run, small = runs["zero_window"], runs["nagle_delack"]
    zero, _, update = closed(run)
    announced = run.all(where=lambda one: one.sender == "S")
    largest = max(announced, key=octets_of)
    half = octets_of(largest) // 2
    header = run.opening()[1].frame.tcp
    least = min(half, (header and header.options.mss) or 0)
    meanwhile = [octets_of(one) for one in announced if zero.time <= one.time < update.time]
    *full, _ = run.data("C")
    smallest = min(full, key=lambda one: one.length)
    held = round_of(small, 1)
    return Proof(
        (
            claim(
                not any(meanwhile) and octets_of(update) >= least > 0,
                Text(
                    "{n} ACKs say window 0, then one says {win}: at least {least}, the lesser of MSS and half of {all}",
                    "{n} 个 ACK 通告窗口 0，随后一个通告 {win}：不小于 {least}，即 MSS 与 {all} 的一半中较小者",
                ).fill(
                    n=len(meanwhile), win=octets_of(update), least=least, all=octets_of(largest)
                ),
                zero,
                update,
                largest,
            ),
            claim(
                2 * smallest.length >= octets_of(largest),
                Text(
                    "of {n} data segments before the last, the smallest carries {len} octets: half of {all} or more",
                    "最后一段之前的 {n} 个数据报文段中，最小的也有 {len} 字节：不小于 {all} 的一半",
                ).fill(n=len(full), len=smallest.length, all=octets_of(largest)),
                smallest,
                largest,
            ),
            claim(
                held.wrote_body.after < held.acked.time < held.body.time
                and held.acked.ack == held.head.end,
                Text(
                    "nagle_delack: {len} octets written are held back until ack {ack} comes: Nagle's algorithm",
                    "nagle_delack：写入的 {len} 字节被扣住，直到 ack {ack} 到达：这就是 Nagle 算法",
                ).fill(len=held.body.length, ack=held.acked.ack),
                held.wrote_body,
                held.acked,
                held.body,
            ),
        ),
        {
            "update": rights.frame(update),
            "window": rights.window(update),
            "released": rights.frame(held.body),
        },
    )


def two_waits(runs: Runs) -> Proof:
    """Nagle waits for an ACK that the other end delays; without Nagle nothing waits."""
    run, cured = runs["nagle_delack"], runs["nagle_delack:nodelay"]
    rounds = [round_of(run, number) for number in range(ROUNDS)]
    quick, slow, *_ = rounds
    free = round_of(cured, 1)
    stalled = [one for one in rounds if one.waited >= DELAYED_ACK]
    return Proof(
        (
            claim(
                DELAYED_ACK <= slow.waited < LONGEST_DELAY,
                Text(
                    "second round: the server's kernel acknowledges the first {n} octets only after {span}",
                    "第二轮：前 {n} 字节在 {span} 之后才得到服务器内核的确认",
                ).fill(n=slow.head.length, span=short_span(slow.waited)),
                slow.head,
                slow.acked,
            ),
            claim(
                slow.wrote_body.after < slow.acked.time < slow.body.time
                and slow.body.time - slow.acked.time < slow.waited // 4,
                Text(
                    "the other {n} octets were written long before; they leave {span} after that ACK",
                    "其余 {n} 字节早已写入，在该 ACK 到达 {span} 后才发出",
                ).fill(n=slow.body.length, span=short_span(slow.body.time - slow.acked.time)),
                slow.wrote_body,
                slow.acked,
                slow.body,
            ),
            claim(
                quick.waited < DELAYED_ACK
                and slow.head.time - slow.wrote_head.before < DELAYED_ACK,
                Text(
                    "not every write waits: the first round's ACK took {quick}, and the second round's first write left at once",
                    "并非每次写入都要等：第一轮的 ACK 只用了 {quick}，第二轮的首次写入立即发出",
                ).fill(quick=short_span(quick.waited)),
                quick.head,
                quick.acked,
                slow.head,
                slow.wrote_head,
            ),
            claim(
                free.body.time < free.acked.time,
                Text(
                    "with TCP_NODELAY the second write leaves {span} after the first, before any ACK",
                    "设置 TCP_NODELAY 后，第二次写入在第一次之后 {span} 就发出，早于任何 ACK",
                ).fill(span=short_span(free.body.time - free.head.time)),
                free.body,
                free.acked,
            ),
        ),
        {
            "gap": rights.span(slow.waited, slow.head, slow.acked),
            "ack": rights.frame(slow.acked),
            "released": rights.frame(slow.body),
            "stalled": rights.count(len(stalled), run.capture("client")),
        },
    )


def opposite_options(runs: Runs) -> Proof:
    """TCP_NODELAY: a segment a write; TCP_CORK: nothing partial until it is taken out."""
    plain, corked = runs["nagle_delack:nodelay"], runs["nagle_delack:cork"]
    sent, joined = plain.data("C"), corked.data("C")
    writes, parts = plain.calls("client", "sendall"), corked.calls("client", "sendall")
    free = round_of(plain, 1)
    first = corked.one("data", joined)
    removed = corked.call("client", "setsockopt", 1)  # TCP_CORK on, then off, in each round
    head, body = (corked.call("client", "sendall", nth) for nth in range(2))
    return Proof(
        (
            claim(
                [one.length for one in sent] == [one.call.octets for one in writes],
                Text(
                    "TCP_NODELAY: {n} writes, {m} segments, each as long as its write",
                    "TCP_NODELAY：写入 {n} 次，发出 {m} 个报文段，长度与写入一一对应",
                ).fill(n=len(writes), m=len(sent)),
                free.wrote_head,
                free.head,
                free.wrote_body,
                free.body,
            ),
            claim(
                2 * len(joined) == len(parts)
                and first.length == (head.call.octets or 0) + (body.call.octets or 0),
                Text(
                    "TCP_CORK: {n} writes, {m} segments; the first carries {a} + {b} = {sum} octets",
                    "TCP_CORK：写入 {n} 次，发出 {m} 个报文段；第一段携带 {a} + {b} = {sum} 字节",
                ).fill(
                    n=len(parts),
                    m=len(joined),
                    a=head.call.octets,
                    b=body.call.octets,
                    sum=first.length,
                ),
                head,
                body,
                first,
            ),
            claim(
                body.after <= removed.before < first.time and removed.call.arguments[-1:] == (0,),
                Text(
                    "it leaves {span} after the cork is taken out: setsockopt(TCP_CORK, 0), not when it was written",
                    "它在拔出塞子（setsockopt(TCP_CORK, 0)）后 {span} 才发出，而不是写入之时",
                ).fill(span=short_span(first.time - removed.before)),
                body,
                removed,
                first,
            ),
        ),
        {
            "nodelay": rights.count(len(sent), plain.capture("client")),
            "cork": rights.count(len(joined), corked.capture("client")),
            "first": rights.frame(first),
            "octets": rights.octets(first.length, first),
        },
    )


QUESTIONS = (
    Question(
        id="FC04",
        asks=Text(
            "What is the silly window syndrome and who prevents it?",
            "什么是糊涂窗口综合症？如何避免？",
        ),
        answer=Text(
            "Tiny windows lead to tiny segments, nearly all header. "
            "The receiver announces nothing until it can open by min(MSS, half of the buffer). "
            "The sender waits until a segment is worth it: Nagle's algorithm, and half of the largest window.",
            "窗口很小，报文段就很小，几乎全是首部。"
            "接收方在能打开 min(MSS, 缓冲的一半) 之前不通告新的窗口。"
            "发送方等到值得发送时才发：Nagle 算法，以及至少为最大窗口的一半。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("zero_window", "nagle_delack"),
        prove=silly_windows,
        values=(
            UPDATE_FRAME,
            Ask(
                "window",
                Text("Window in octets that it announces", "它通告的窗口（字节）"),
                Unit.OCTETS,
            ),
            Ask(
                "released",
                Text(
                    "nagle_delack: frame with the second write of the second round",
                    "nagle_delack：第二轮中第二次写入所在的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("tiny windows lead to tiny segments", "窗口很小导致报文段很小"),
                (
                    r"(tiny|small|silly) (windows?|segments?)",
                    r"(窗口|报文段).{0,4}(很小|过小)|小报文段",
                ),
            ),
            Idea(
                Text(
                    "the receiver opens the window only by MSS or half of the buffer",
                    "接收方按 MSS 或缓冲的一半才更新窗口",
                ),
                (r"half (of )?(the |its )?(receive )?buffer", r"缓冲(区)?的?一半"),
            ),
            Idea(
                Text("the sender waits: Nagle", "发送方用 Nagle 算法等待"),
                (r"nagle",),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "every octet read is announced at once",
                    "每读取一个字节就立即通告窗口",
                ),
                (r"(every|each) (octet|byte|read).{0,16}announced", r"每读取?(一|1) ?个?字节就"),
            ),
        ),
        guess=Guess(
            Text(
                "The window was 0 and the program reads. How large is the first window announced?",
                "窗口原为 0，程序开始读取。第一个通告的窗口多大？",
            ),
            (
                Text("one octet", "1 字节"),
                Text("as much as the first read took", "第一次读走多少就是多少"),
                Text("at least half of the buffer, or an MSS", "至少为缓冲的一半或一个 MSS"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the windows of the server's ACKs around the update.",
                "看窗口更新前后服务器 ACK 的窗口。",
            ),
            Text(
                "Compare them with the MSS of the SYN,ACK and with the largest window announced.",
                "把它们与 SYN,ACK 的 MSS 以及通告过的最大窗口相比较。",
            ),
        ),
        then=("FC05",),
        sources=("RFC 9293 section 3.8.6.2", "RFC 813", "RFC 896"),
    ),
    Question(
        id="FC05",
        asks=Text(
            "Nagle and delayed ACK together: what goes wrong?",
            "Nagle 算法和延迟确认一起会产生什么问题？",
        ),
        answer=Text(
            "Nagle holds the second small write until the first is acknowledged. "
            "The receiver delays that ACK, having nothing to answer yet: about 40 ms in each round. "
            "Cures: one write, TCP_NODELAY, or TCP_CORK.",
            "Nagle 算法扣住第二个小包，等待第一个的 ACK。"
            "接收方还没有应答可发，便把这个 ACK 推迟：每轮停顿约 40 毫秒。"
            "对策：合并为一次写入，设置 TCP_NODELAY，或使用 TCP_CORK。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="medium",
        core=True,
        runs=("nagle_delack", "nagle_delack:nodelay"),
        prove=two_waits,
        values=(
            Ask(
                "gap",
                Text(
                    "nagle_delack, second round: time from the first segment to its ACK",
                    "nagle_delack 第二轮：从第一个报文段到其 ACK 的时间",
                ),
                Unit.SPAN,
            ),
            Ask("ack", Text("Frame of that ACK", "该 ACK 的帧号"), Unit.FRAME),
            Ask(
                "released",
                Text("Frame that this ACK releases", "由该 ACK 放行的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "stalled",
                Text("How many of the six rounds stall?", "六轮中有几轮停顿？"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "Nagle holds the second small write back until an ACK comes",
                    "Nagle 扣住第二个小包，等待 ACK",
                ),
                (
                    r"nagle (holds|waits|keeps|delays|blocks)|second.{0,30}(waits|held|until)",
                    r"(扣住|等待|推迟|阻塞).{0,12}第二个?(小包|次写)|第二个?(小包|次写).{0,12}(扣住|等待)",
                ),
            ),
            Idea(
                Text("the receiver delays the ACK", "接收方推迟 ACK"),
                (
                    r"delay(s|ed|ing)?( that| the| its|) ack|ack.{0,20}(is delayed|delayed|timer)",
                    r"ack ?(被|又被)?(推迟|延迟)|(推迟|延迟)(了)? ?(ack|确认)",
                ),
            ),
            Idea(
                Text("about 40 ms", "约 40 毫秒"),
                (r"40 ?(ms|millisec|毫秒)",),
            ),
            Idea(
                Text("cure: one write, TCP_NODELAY or TCP_CORK", "对策：TCP_NODELAY 等"),
                (r"nodelay|cork|(one|single) write", r"合并"),
            ),
        ),
        wrong=(
            Idea(
                Text("every small write is delayed", "每次小写都会延迟"),
                (
                    r"(every|each|all) (small )?writes? (is|are) (delayed|held)",
                    r"每次小?写(入)?都会?(被)?(延迟|推迟)",
                ),
            ),
            Idea(
                Text("TCP_NODELAY turns delayed ACKs off", "TCP_NODELAY 关闭延迟确认"),
                (
                    r"nodelay (turns off|turns|disables|stops) (the )?delayed acks?",
                    r"nodelay ?(会)?(关闭|禁用)延迟确认",
                ),
            ),
        ),
        guess=Guess(
            Text("Which of the six rounds will stall?", "六轮中哪些会停顿？"),
            (
                Text("all of them", "全部"),
                Text("all but the first", "除第一轮外全部"),
                Text("none", "都不会"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the gaps before the segments of 6 octets.", "看 6 字节报文段之前的间隔。"
            ),
            Text(
                "Compare the time of sendall() with the time of the segment that carries its octets.",
                "把 sendall() 的时间与携带这些字节的报文段的时间相比较。",
            ),
        ),
        claim=Text("Every small write is delayed", "每次小写都会延迟"),
        truth=Text(
            "The first round is fast (quick ACKs), and a lone write is never held",
            "第一轮很快（快速确认阶段），单独的一次写入从不被扣住",
        ),
        then=("FC06", "FC04"),
        sources=("RFC 9293 section 3.7.4", "RFC 9293 section 3.8.6.3", "RFC 896"),
    ),
    Question(
        id="FC06",
        asks=Text(
            "TCP_NODELAY and TCP_CORK: opposite options?",
            "TCP_NODELAY 与 TCP_CORK 有何不同？",
        ),
        answer=Text(
            "TCP_NODELAY sends each write at once, as a segment of its own. "
            "TCP_CORK holds partial segments back until it is taken out, or for 200 ms at most. "
            "So one saves time, the other saves segments.",
            "TCP_NODELAY 使每次写入立即发出，各成一个报文段。"
            "TCP_CORK 扣住不满的报文段，直到拔出塞子，最多 200 毫秒。"
            "前者省时间，后者省报文段。",
        ),
        kind=Kind.COMPARE,
        level=2,
        runs=("nagle_delack:nodelay", "nagle_delack:cork"),
        prove=opposite_options,
        values=(
            Ask(
                "nodelay",
                Text(
                    "nodelay: data segments that the client sent",
                    "nodelay：客户端发出的数据报文段个数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "cork",
                Text(
                    "cork: data segments that the client sent",
                    "cork：客户端发出的数据报文段个数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "first",
                Text("cork: frame of the first data segment", "cork：第一个数据报文段的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "octets",
                Text("cork: octets of data that it carries", "cork：它携带的数据字节数"),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("TCP_NODELAY sends each write at once", "TCP_NODELAY：写入立即发出"),
                (
                    r"nodelay.{0,24}(at once|immediately|without)",
                    r"nodelay.{0,12}立即",
                ),
            ),
            Idea(
                Text("TCP_CORK holds partial segments", "TCP_CORK 扣住不满的报文段"),
                (
                    r"cork (holds|keeps|collects|delays)|partial (segment|frame)",
                    r"cork.{0,8}(扣住|攒|合并)|不满的报文段",
                ),
            ),
            Idea(
                Text(
                    "until it is taken out or 200 ms have passed",
                    "直到拔出塞子或满 200 毫秒",
                ),
                (r"200 ?(ms|毫秒)", r"taken out|uncork|removed|拔出|取消"),
            ),
        ),
        wrong=(
            Idea(
                Text("TCP_CORK sends each write at once", "TCP_CORK 使每次写入立即发出"),
                (r"cork sends (each|every)", r"cork ?使?每次写入立即"),
            ),
            Idea(
                Text("TCP_NODELAY merges writes", "TCP_NODELAY 会合并写入"),
                (r"nodelay (merges|joins|collects)", r"nodelay ?会?(合并|扣住)"),
            ),
        ),
        guess=Guess(
            Text(
                "Twelve writes under TCP_CORK, uncorked after every second one: how many segments?",
                "在 TCP_CORK 下写入十二次，每两次后拔出：会有几个报文段？",
            ),
            (
                Text("12", "12 个"),
                Text("6", "6 个"),
                Text("1", "1 个"),
            ),
            1,
        ),
        hints=(
            Text(
                "Count the client's segments with data in each run.",
                "数出两次运行中客户端的数据报文段。",
            ),
            Text(
                "Compare their lengths with what each sendall() wrote.",
                "把它们的长度与每次 sendall() 写入的字节数相比较。",
            ),
        ),
        then=("FC05",),
        sources=("tcp(7) TCP_NODELAY", "tcp(7) TCP_CORK"),
    ),
)
