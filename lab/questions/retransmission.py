"""How a lost segment is found and sent again: by a timer, by duplicates, by a probe."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.kernel_socket import Socket
from lab.questions.pieces import Packet, Sampled, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.slow_start_and_after import REPEATED, cut, duplicates, lost_and_repeated
from lab.text import Text, same
from lab.units import short_span

SECOND = 1_000_000_000  # ns
LEAST_VARIANCE = 200_000  # µs: what Linux counts for the variance at least (TCP_RTO_MIN)

OVERTAKEN = Ask(
    "overtaken",
    Text(
        "reordering: frame of the segment that is overtaken, in the client's capture",
        "reordering：被超过的报文段在客户端抓包中的帧号",
    ),
    Unit.FRAME,
)
COPY = Ask(
    "copy",
    Text(
        "duplicate_segment: frame of the second copy, in the server's capture",
        "duplicate_segment：第二份副本在服务器抓包中的帧号",
    ),
    Unit.FRAME,
)


def copies(run: Run, host: str, absolute: int) -> tuple[Packet, ...]:
    """The frames with data of this sequence number in a host's capture."""

    def fits(one: Packet) -> bool:
        tcp = one.frame.tcp
        return bool(tcp and one.frame.payload_length and tcp.sequence == absolute)

    return run.packets(host, fits)


def overtaken(run: Run) -> tuple[Segment, Segment]:
    """A data segment that arrived later than the one sent after it, and that one."""
    data = run.data("C")
    arrivals = [run.arrival(one) or 0 for one in data]
    for nth, (here, there) in enumerate(pairwise(arrivals)):
        if 0 < there < here:
            return data[nth], data[nth + 1]
    raise Missing(same(f"{run.name}: overtaken"))


def doubled(run: Run) -> tuple[Segment, tuple[Packet, ...]]:
    """The data segment of which more copies arrived than were sent, and its copies there."""
    sent = Counter(one.absolute for one in run.data("C"))
    for one in run.data("C"):
        there = copies(run, "server", one.absolute)
        if len(there) > sent[one.absolute]:
            return one, there
    raise Missing(same(f"{run.name}: duplicate"))


def moved(run: Run) -> tuple[int, int]:
    """Octets that the client's program sent, and that the server's program read."""
    sent = sum(one.call.octets or 0 for one in run.calls("client", "sendall"))
    return sent, sum(one.call.octets or 0 for one in run.calls("server", "recv"))


def repetitions(run: Run) -> tuple[Segment, ...]:
    """All copies of the segment that was lost first, in order of time."""
    lost, _ = lost_and_repeated(run)
    return run.all(where=lambda one: (one.sender, one.seq) == ("C", lost.seq) and one.length > 0)


def backed_off(socket: Socket, times: int) -> Sampled:
    """A socket when its timer had been doubled so often."""
    found = socket.sample(f"backoff {times}", lambda one: one.number("backoff") == times)
    return found.telling("backoff", "rto")


def reliable(runs: Runs) -> Proof:
    """Lost, late, doubled: whatever the network does, the program reads what was sent."""
    timed, asked = runs["data_loss_rto"], runs["fast_retransmit"]
    late, double = runs["reordering"], runs["duplicate_segment"]
    *vain, arrived = repetitions(timed)
    lost, again = lost_and_repeated(asked)
    slow, fast = overtaken(late)
    third = asked.one("third duplicate ACK", duplicates(asked, lost)[2:])
    one, there = doubled(double)
    told = [moved(run) for run in (timed, asked, late, double)]
    reads = [run.call("server", "recv") for run in (timed, asked, late, double)]
    return Proof(
        (
            claim(
                len(vain) > 0 and vain[0].lost and not arrived.lost and arrived.seq == vain[0].seq,
                Text(
                    "data_loss_rto: seq {seq} is lost {n} times, and sent by the timer until it arrives",
                    "data_loss_rto：seq {seq} 丢失 {n} 次，由定时器重传直至到达",
                ).fill(seq=arrived.seq, n=len(vain)),
                vain[0],
                arrived,
            ),
            claim(
                third.ack == lost.seq == again.seq and third.time < again.time,
                Text(
                    "fast_retransmit: the ACK number {ack}, three times repeated, names what is missing; it is sent again",
                    "fast_retransmit：确认号 {ack} 重复三次，指明缺失的部分，随即重传",
                ).fill(ack=third.ack),
                third,
                lost,
                again,
            ),
            claim(
                slow.time < fast.time and (late.arrival(slow) or 0) > (late.arrival(fast) or 0) > 0,
                Text(
                    "reordering: seq {a} is sent before seq {b} and arrives after it; sequence numbers restore the order",
                    "reordering：seq {a} 先于 seq {b} 发出，却后到达；序列号使其恢复顺序",
                ).fill(a=slow.seq, b=fast.seq),
                slow,
                fast,
            ),
            claim(
                len(there) == 1 + len(copies(double, "client", one.absolute)),
                Text(
                    "duplicate_segment: seq {seq} arrives {n} times, once more than it was sent; the copy is discarded",
                    "duplicate_segment：seq {seq} 到达 {n} 次，比发出的多一次；多余的一份被丢弃",
                ).fill(seq=one.seq, n=len(there)),
                one,
                *there,
            ),
            claim(
                all(sent == read > 0 for sent, read in told),
                Text(
                    "octets written and read in the four runs: {told}",
                    "四次运行中写入与读到的字节数：{told}",
                ).fill(told=", ".join(f"{sent} = {read}" for sent, read in told)),
                *reads,
            ),
        ),
        {
            "timer": rights.frame(arrived, instead=vain[0]),
            "repeated": rights.frame(again, instead=lost),
            "overtaken": rights.frame(slow),
            "copy": rights.frame(there[-1]),
        },
    )


def timeouts_double(runs: Runs) -> Proof:
    """RTO from SRTT and its variance, less than a second, and doubled each time."""
    run = runs["data_loss_rto"]
    sent = repetitions(run)
    waits = [later.time - earlier.time for earlier, later in pairwise(sent)]
    if len(waits) < 3:
        raise Missing(same(f"{run.name}: {len(waits)} < 3"))
    socket = run.socket("client")
    calm = socket.sample(
        "timer", lambda one: one.moment.timer == "retransmission" and one.state == "ESTABLISHED"
    ).telling("rtt", "rto")
    once, twice = backed_off(socket, 1), backed_off(socket, 2)
    rto, srtt = calm.number("rto"), calm.number("rtt")
    probes, timeouts = (
        run.counter("client", f"TcpExt.{name}") for name in ("TCPLossProbes", "TCPTimeouts")
    )
    return Proof(
        (
            claim(
                rto - srtt >= LEAST_VARIANCE and rto < SECOND // 1000,
                Text(
                    "SRTT {srtt} + at least 200 ms for the variance: the kernel's RTO is {rto}, less than 1 s",
                    "SRTT {srtt} + 方差项至少 200 ms：内核的 RTO 为 {rto}，小于 1 秒",
                ).fill(srtt=short_span(srtt * 1000), rto=short_span(rto * 1000)),
                calm,
            ),
            claim(
                rto * 1000 // 2 < waits[0] < SECOND and sent[0].seq == sent[1].seq,
                Text(
                    "seq {seq} goes out again after {wait}",
                    "seq {seq} 在 {wait} 之后重发",
                ).fill(seq=sent[0].seq, wait=short_span(waits[0])),
                sent[0],
                sent[1],
            ),
            claim(
                all(1.4 < b / a < 2.8 for a, b in pairwise(waits[1:])),
                Text(
                    "from the second wait on each is about twice the last: {waits}",
                    "从第二次等待起，逐次约加倍：{waits}",
                ).fill(waits=", ".join(map(short_span, waits[1:]))),
                *sent[1:5],
            ),
            claim(
                twice.number("rto") == 2 * once.number("rto") > rto,
                Text(
                    "the kernel doubles its RTO: {base}, then {once}, then {twice}",
                    "内核把 RTO 加倍：{base}，然后 {once}，再 {twice}",
                ).fill(
                    base=short_span(rto * 1000),
                    once=short_span(once.number("rto") * 1000),
                    twice=short_span(twice.number("rto") * 1000),
                ),
                once,
                twice,
            ),
            claim(
                probes.value + timeouts.value == len(waits) and probes.value > 0,
                Text(
                    "{n} repetitions = {p} tail loss probe + {t} timeouts: the first does not double the timer",
                    "{n} 次重发 = {p} 次尾部丢失探测 + {t} 次超时：第一次重发不使定时器加倍",
                ).fill(n=len(waits), p=probes.value, t=timeouts.value),
                probes,
                timeouts,
            ),
        ),
        {
            "first": rights.span(waits[0], *sent[:2]),
            "second": rights.span(waits[1], *sent[1:3]),
            "third": rights.span(waits[2], *sent[2:4]),
            "rto": rights.span(rto * 1000, calm),
        },
    )


def three_duplicates(runs: Runs) -> Proof:
    """The third duplicate ACK, not the timer, sends the segment again."""
    run = runs["fast_retransmit"]
    lost, again = lost_and_repeated(run)
    asking = [one for one in duplicates(run, lost) if one.time < again.time]
    third = run.one("third duplicate ACK", asking[2:])
    first = run.first("S>C ACK", where=lambda one: one.ack == lost.seq)
    after = cut(run)
    rto = after.number("rto") * 1000
    left, right = third.sack[0] if third.sack else (0, 0)
    return Proof(
        (
            claim(
                len(asking) >= 3 and {one.ack for one in (first, *asking)} == {lost.seq},
                Text(
                    "seq {ack} is lost; ack {ack} comes once, and before the repetition {n} more times",
                    "seq {ack} 丢失；ack {ack} 到达一次，重传之前又重复 {n} 次",
                ).fill(ack=lost.seq, n=len(asking)),
                lost,
                first,
                *asking[:3],
            ),
            claim(
                0 < again.time - third.time < rto // 10,
                Text(
                    "{span} after the third duplicate the segment goes out again",
                    "第三个重复 ACK 之后 {span} 就重传",
                ).fill(span=short_span(again.time - third.time)),
                third,
                again,
            ),
            claim(
                again.time - lost.time < rto,
                Text(
                    "{span} after the original, while the kernel's RTO is {rto}: no timer went off",
                    "距原报文段 {span}，而内核的 RTO 为 {rto}：定时器没有到期",
                ).fill(span=short_span(again.time - lost.time), rto=short_span(rto)),
                lost,
                again,
                after,
            ),
            claim(
                left == lost.end and right - left >= 3 * lost.length > 0,
                Text(
                    "its SACK block {left}:{right} says that {n} octets behind the gap have arrived, three segments or more",
                    "其 SACK 块 {left}:{right} 说明缺口之后已到达 {n} 字节，至少三个报文段",
                ).fill(left=left, right=right, n=right - left),
                third,
                lost,
            ),
        ),
        {
            "third": rights.frame(third),
            "repeated": rights.frame(again, instead=lost),
            "span": rights.span(again.time - lost.time, lost, again),
            "gap": rights.sequence(lost),
        },
    )


QUESTIONS = (
    Question(
        id="RT01",
        asks=Text("How does TCP achieve reliability?", "TCP 如何保证可靠传输？"),
        answer=Text(
            "Each octet has a sequence number, and ACKs, cumulative and selective, say what arrived. "
            "What is missing is retransmitted, by a timer or after duplicate ACKs. "
            "The receiver checks the checksum, restores the order and discards duplicates; flow and congestion control limit the rate.",
            "每个字节都有序列号，累积确认与 SACK 说明收到了什么。"
            "缺失的部分由定时器或重复 ACK 触发重传。"
            "接收方检查校验和，重排乱序，去除重复；流量控制与拥塞控制限制发送速率。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        core=True,
        runs=("data_loss_rto", "fast_retransmit", "reordering", "duplicate_segment"),
        prove=reliable,
        values=(
            Ask(
                "timer",
                Text(
                    "data_loss_rto: frame of the repetition that arrives",
                    "data_loss_rto：最终到达的那次重传的帧号",
                ),
                Unit.FRAME,
            ),
            REPEATED,
            OVERTAKEN,
            COPY,
        ),
        ideas=(
            Idea(
                Text("sequence numbers and acknowledgments", "序列号与确认"),
                (r"sequence numbers?.{0,80}ack", r"序(列)?号.{0,40}(确认|ack)"),
            ),
            Idea(
                Text("what is missing is retransmitted", "缺失的部分重传"),
                (r"retransmi|sent again|repeated", r"重传|重发"),
            ),
            Idea(
                Text(
                    "the receiver restores the order and discards duplicates",
                    "接收方重排乱序，去除重复",
                ),
                (
                    r"order.{0,60}duplicate|duplicate.{0,60}order",
                    r"(重排|排序|乱序).{0,12}重复|去重",
                ),
            ),
            Idea(
                Text("a checksum protects the octets", "校验和保护数据"),
                (r"checksum", r"校验和"),
            ),
        ),
        wrong=(
            Idea(
                Text("TCP guarantees delivery", "TCP 保证数据一定送达"),
                (r"guarantees? (the )?delivery|always arrives", r"保证数据一定|一定(会)?送达"),
            ),
            Idea(
                Text("the receiver asks for lost segments by NAK", "接收方用 NAK 请求重传"),
                (r"\bnaks?\b|negative ack",),
            ),
        ),
        guess=Guess(
            Text(
                "The network delivers one segment twice. What does the program read?",
                "网络把一个报文段送达两次，程序会读到什么？",
            ),
            (
                Text("these octets twice", "这些字节读到两次"),
                Text("each octet once", "每个字节一次"),
                Text("an error", "报错"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look for the same sequence number twice, in both captures of each run.",
                "在每次运行的两份抓包中找出现两次的序号。",
            ),
            Text(
                "Compare the octets written with the octets read.",
                "比较写入与读到的字节数。",
            ),
        ),
        then=("RT02", "RT03", "RT08"),
        sources=("RFC 9293 section 2.2", "RFC 9293 section 3.8"),
    ),
    Question(
        id="RT02",
        asks=Text(
            "How is the retransmission timeout computed and how does it grow?",
            "RTO 如何计算？重传间隔如何变化？",
        ),
        answer=Text(
            "RTO = SRTT + max(G, 4 × RTTVAR); the RFC recommends at least 1 s. "
            "Linux counts at least 200 ms for the variance: about 304 ms at a round trip of 100 ms. "
            "It is doubled after each timeout.",
            "RTO = SRTT + max(G, 4×RTTVAR)，RFC 建议最小 1 秒。"
            "Linux 的方差项至少 200 毫秒，往返 100 毫秒时约为 304 毫秒。"
            "每次超时后加倍。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        interview="high",
        core=True,
        runs=("data_loss_rto",),
        prove=timeouts_double,
        values=(
            Ask(
                "first",
                Text(
                    "Time from the lost segment to its first repetition",
                    "从丢失的报文段到第一次重发的时间",
                ),
                Unit.SPAN,
            ),
            Ask("second", Text("Time to the second repetition", "到第二次重发的时间"), Unit.SPAN),
            Ask("third", Text("Time to the third repetition", "到第三次重发的时间"), Unit.SPAN),
            Ask(
                "rto",
                Text(
                    "RTO of the client's socket before the first timeout",
                    "首次超时之前客户端套接字的 RTO",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("from the smoothed RTT and its variance", "由平滑 RTT 与其方差得出"),
                (r"srtt.{0,40}(var|dev)", r"smoothed.{0,40}varia", r"平滑.{0,20}方差"),
            ),
            Idea(
                Text("at least 200 ms on Linux", "Linux 至少 200 毫秒"),
                (r"200 ?(ms|毫秒|milli)", r"0\.2 ?(s|秒)"),
            ),
            Idea(
                Text("doubled after each timeout", "每次超时后加倍"),
                (r"doubl|exponential", r"加倍|翻倍|指数退避"),
            ),
        ),
        wrong=(
            Idea(
                Text("the minimum RTO of Linux is 1 second", "Linux 的 RTO 最小 1 秒"),
                (
                    r"(minimum|least) rto (of linux )?is (1|one) s",
                    r"linux 的 ?rto ?最小(为)? ?1 ?秒",
                ),
            ),
            Idea(
                Text("the interval is constant", "重传间隔固定不变"),
                (
                    r"interval (is|stays) (constant|fixed|the same)",
                    r"间隔(是)?(固定|不变|恒定)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A lone segment is lost on a path of less than 10 ms. When is it first sent again?",
                "往返不足 10 ms，单独一个报文段丢失。第一次重发在何时？",
            ),
            (
                Text("after about 20 ms", "约 20 毫秒后"),
                Text("after 1 s", "1 秒后"),
                Text("after about 200 ms", "约 200 毫秒后"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at all frames with the sequence number that was lost.",
                "看带有丢失序号的全部帧。",
            ),
            Text(
                "Compare each wait with the one before, and with the kernel's rto.",
                "把每次等待与前一次、以及与内核的 rto 相比较。",
            ),
        ),
        claim=Text("The minimum RTO is 1 second", "RTO 最小 1 秒"),
        truth=Text(
            "RFC 6298 recommends it; Linux waits little more than 0.2 s before the first repetition",
            "这是 RFC 6298 的建议；Linux 在 0.2 秒多一点之后就第一次重发",
        ),
        then=("RT06", "RT04"),
        sources=("RFC 6298 sections 2 and 5", "RFC 8985 section 7", "ip-sysctl tcp_rto_min_us"),
    ),
    Question(
        id="RT03",
        asks=Text(
            "What triggers fast retransmit and why three?",
            "快速重传的触发条件是什么？为什么是三个重复 ACK？",
        ),
        answer=Text(
            "The third duplicate ACK sends the segment again at once, without waiting for the timer. "
            "Three, because a little reordering also causes one or two duplicates. "
            "RACK does the same when a segment sent later was acknowledged.",
            "收到三个重复 ACK 立即重传，不等定时器。"
            "取三个是为容忍少量乱序，它也会引起一两个重复 ACK。"
            "RACK 则在更晚发出的报文段已被确认时判定丢失。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="high",
        core=True,
        runs=("fast_retransmit",),
        prove=three_duplicates,
        values=(
            Ask(
                "third",
                Text("Frame of the third duplicate ACK", "第三个重复 ACK 的帧号"),
                Unit.FRAME,
            ),
            Ask("repeated", Text("Frame of the retransmission", "重传的帧号"), Unit.FRAME),
            Ask(
                "span",
                Text("Time from the original to the retransmission", "从原报文段到重传的时间"),
                Unit.SPAN,
            ),
            Ask(
                "gap",
                Text("Sequence number of the missing segment", "缺失报文段的序号"),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("the third duplicate ACK", "三个重复 ACK"),
                (r"(third|three|3) duplicate|three equal", r"(三|3) ?个?(重复|冗余|相同)"),
            ),
            Idea(
                Text("at once, without waiting for the timer", "立即重传，不等定时器"),
                (
                    r"(without|not).{0,24}time|at once|immediately",
                    r"立即|不(必)?等.{0,6}(定时器|超时)",
                ),
            ),
            Idea(
                Text("three tolerates a little reordering", "为容忍少量乱序"),
                (r"reorder", r"乱序"),
            ),
        ),
        wrong=(
            Idea(
                Text("the first duplicate ACK is enough", "一个重复 ACK 就足够"),
                (
                    r"(first|one|single) duplicate ack is enough",
                    r"(一|1) ?个?重复 ?ack ?就(足够|重传)",
                ),
            ),
            Idea(
                Text("the timer triggers it", "由定时器触发"),
                (r"timer triggers", r"由定时器触发"),
            ),
        ),
        guess=Guess(
            Text(
                "The third of ten segments is lost. How many ACKs will carry its number before it is sent again?",
                "十个报文段中第三个丢失。重传之前会有几个 ACK 带有它的序号？",
            ),
            (
                Text("1", "1 个"),
                Text("4", "4 个"),
                Text("7", "7 个"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look for ACKs of equal number from the server.", "找服务器发出的确认号相同的 ACK。"
            ),
            Text(
                "Count them: the first with a number is no duplicate. Then compare the times.",
                "数一数：第一个不算重复。再比较时间。",
            ),
        ),
        then=("RT04", "RT05", "CC04"),
        sources=("RFC 5681 section 3.2", "RFC 8985"),
    ),
)
