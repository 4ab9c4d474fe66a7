"""The congestion window: how it starts, how it grows, and what a loss does to it."""

from __future__ import annotations

from itertools import pairwise

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Missing, Proof, Question, Slip, Unit
from lab.questions.flow_control import first_flight, octets_of
from lab.questions.pieces import Sampled, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.scenarios.cc_compare import CLEAN, LOSSY, NONE_YET
from lab.text import Text, same
from lab.units import short_span

SENDING = ("ESTABLISHED", "FIN-WAIT-1")
LOSS = 4  # the state of congestion avoidance after a timeout (TCP_INFO tcpi_ca_state)

REPEATED = Ask(
    "repeated",
    Text(
        "fast_retransmit: frame of the retransmission",
        "fast_retransmit：重传的帧号",
    ),
    Unit.FRAME,
)
HALF = Ask(
    "half",
    Text(
        "fast_retransmit: ssthresh after the loss, in segments",
        "fast_retransmit：丢包之后的 ssthresh（报文段数）",
    ),
    Unit.COUNT,
)


def rounds_of(run: Run, stream: int = 0) -> list[list[Segment]]:
    """The client's data by round trips: one ends when its first segment is acknowledged."""
    rounds: list[list[Segment]] = []
    acked = 0
    for one in run.segments(stream):
        if one.sender == "S":
            acked = max(acked, one.ack)
        elif one.length:
            if not rounds or acked > rounds[-1][0].seq:
                rounds.append([])
            rounds[-1].append(one)
    return rounds


def three_rounds(run: Run) -> tuple[list[Segment], list[Segment], list[Segment]]:
    """The first three round trips; Missing if there were fewer."""
    rounds = rounds_of(run)
    if len(rounds) < 3:
        raise Missing(same(f"{run.name}: {len(rounds)} < 3"))
    return rounds[0], rounds[1], rounds[2]


def cut(run: Run) -> Sampled:
    """The client's socket when its kernel had first taken a segment for lost: ssthresh is known."""
    found = run.socket("client").sample("ssthresh", lambda one: one.number("ssthresh") < NONE_YET)
    return found.telling("cwnd", "ssthresh", "rto")


def window_before(run: Run, loss: Segment) -> int:
    """cwnd when a loss was found: ten to begin with, one more for each segment acknowledged."""
    begun = run.socket("client").samples[0].number("cwnd")
    whole = [one for one in run.data("C") if one.end <= _acked_before(run, loss)]
    return begun + len({one.seq for one in whole})


def _acked_before(run: Run, loss: Segment) -> int:
    answers = run.all(before=loss, where=lambda one: one.sender == "S")
    return max((one.ack for one in answers), default=0)


def lost_and_repeated(run: Run, stream: int = 0) -> tuple[Segment, Segment]:
    """The first data segment of the client that the wire lost, and its first repetition."""
    gone = run.all(stream=stream, where=lambda one: one.lost and one.length > 0)
    lost = run.one("lost", gone)
    again = run.first(
        stream=stream, after=lost, where=lambda one: (one.sender, one.seq) == ("C", lost.seq)
    )
    return lost, again


def duplicates(run: Run, gap: Segment) -> tuple[Segment, ...]:
    """The ACKs that ask for a segment again: all but the first with its number."""
    return run.all(where=lambda one: one.sender == "S" and one.ack == gap.seq)[1:]


def _avoiding(run: Run) -> tuple[Sampled, Sampled]:
    """The largest growth of Reno's window above ssthresh: its first and its last sample."""
    stretches: list[list[Sampled]] = []
    for port in (CLEAN, LOSSY):
        before = 0
        for one in run.socket("client", run.stream_to(port)).samples:
            told = one.moment.numbers.get("ssthresh", NONE_YET), one.number("cwnd")
            open_ = not one.number("ca_state") and one.state in SENDING
            steady = open_ and told[0] == before and told[0] <= told[1]
            if steady and stretches and stretches[-1][-1].number("cwnd") <= told[1]:
                stretches[-1].append(one)
            elif open_:
                stretches.append([one])
            before = told[0]
    ends = [(each[0], each[-1]) for each in stretches]
    if not ends:
        raise Missing(same(f"{run.name}: congestion avoidance"))
    return max(ends, key=lambda pair: pair[1].number("cwnd") - pair[0].number("cwnd"))


def four_algorithms(runs: Runs) -> Proof:
    """Doubling, three duplicates, halving, and one more in each round trip."""
    ramp, repair, steady = runs["slow_start"], runs["fast_retransmit"], runs["cc_compare"]
    one, two, three = three_rounds(ramp)
    lost, again = lost_and_repeated(repair)
    third = repair.one("third duplicate ACK", duplicates(repair, lost)[2:])
    halved, before = cut(repair), window_before(repair, again)
    low, high = (one.telling("cwnd", "ssthresh") for one in _avoiding(steady))
    grown = high.number("cwnd") - low.number("cwnd")
    span, trip = high.moment.time - low.moment.time, high.number("min_rtt") * 1000
    return Proof(
        (
            claim(
                len(three) == 2 * len(two) == 4 * len(one),
                Text(
                    "slow start: {a}, {b}, {c} segments in three round trips, twice as many each time",
                    "慢启动：三个往返依次发出 {a}、{b}、{c} 个报文段，逐次翻倍",
                ).fill(a=len(one), b=len(two), c=len(three)),
                two[0],
                three[0],
            ),
            claim(
                third.time < again.time < lost.time + halved.number("rto") * 1000,
                Text(
                    "fast retransmit: {span} after the third duplicate ACK {ack} the segment goes out again, with no timeout of {rto}",
                    "快速重传：第三个重复 ACK {ack} 之后 {span} 就重传，没有等 {rto} 的超时",
                ).fill(
                    span=short_span(again.time - third.time),
                    ack=third.ack,
                    rto=short_span(halved.number("rto") * 1000),
                ),
                lost,
                third,
                again,
            ),
            claim(
                halved.number("ssthresh") == before // 2 and halved.number("ca_state") != LOSS,
                Text(
                    "fast recovery (Reno): cwnd was {cwnd}, ssthresh becomes {half}: half, not one",
                    "快速恢复（Reno）：cwnd 原为 {cwnd}，ssthresh 变为 {half}：减半，而不是回到 1",
                ).fill(cwnd=before, half=halved.number("ssthresh")),
                halved,
            ),
            claim(
                high.number("ssthresh") <= low.number("cwnd")
                and 0 < grown <= span / max(trip, 1) + 2,
                Text(
                    "congestion avoidance (cc_compare, Reno): cwnd {a} → {b} in {span}, {n:.1f} round trips: about one each",
                    "拥塞避免（cc_compare，Reno）：{span} 内 cwnd {a} → {b}，共 {n:.1f} 个往返：每个往返约加一",
                ).fill(
                    a=low.number("cwnd"),
                    b=high.number("cwnd"),
                    span=short_span(span),
                    n=span / max(trip, 1),
                ),
                high,
                low,
            ),
        ),
        {
            "second": rights.frame(two[0]),
            "third": rights.frame(third),
            "repeated": rights.frame(again, instead=lost),
            "half": rights.count(halved.number("ssthresh"), halved),
        },
    )


def initial_window(runs: Runs) -> Proof:
    """Ten segments leave before any ACK, although the receiver would take more."""
    run = runs["slow_start"]
    burst, acked = first_flight(run)
    syn, opened, _ = run.opening()
    begun = run.socket("client").samples[0].telling("cwnd")
    flight = burst[-1].end - burst[0].seq
    onward = run.first(after=acked, where=lambda one: one.sender == "C" and one.length > 0)
    return Proof(
        (
            claim(
                len(burst) == begun.number("cwnd") > 1,
                Text(
                    "the kernel begins with cwnd {cwnd}, and {n} data segments leave before the first of them is acknowledged",
                    "内核的 cwnd 初值为 {cwnd}；首个数据被确认之前发出了 {n} 个数据报文段",
                ).fill(cwnd=begun.number("cwnd"), n=len(burst)),
                begun,
                burst[0],
                burst[-1],
                acked,
            ),
            claim(
                flight == sum(one.length for one in burst) < octets_of(opened),
                Text(
                    "{n} × {mss} = {flight} octets, while the server's window allows {win}: it is not the receiver that stops it",
                    "{n} × {mss} = {flight} 字节，而服务器的窗口允许 {win}：让它停下的不是接收方",
                ).fill(n=len(burst), mss=burst[0].length, flight=flight, win=octets_of(opened)),
                burst[0],
                burst[-1],
                opened,
            ),
            claim(
                onward.seq == burst[-1].end and acked.time - burst[-1].time > _round_trip(run) // 2,
                Text(
                    "then it waits {span} for the ACK, a round trip ({rtt} in the handshake), and goes on at {seq}",
                    "随后等待 ACK {span}，即一个往返（握手时为 {rtt}），再从 {seq} 继续",
                ).fill(
                    span=short_span(acked.time - burst[-1].time),
                    rtt=short_span(_round_trip(run)),
                    seq=onward.seq,
                ),
                burst[-1],
                acked,
                onward,
                syn,
                opened,
            ),
        ),
        {
            "count": rights.count(
                len(burst),
                burst[0],
                burst[-1],
                slips=((Slip.OFF_BY_ONE, len(burst) + 1), (Slip.OFF_BY_ONE, len(burst) - 1)),
            ),
            "last": rights.frame(burst[-1]),
            "acked": rights.frame(acked),
            "flight": rights.count(
                flight,
                burst[0],
                burst[-1],
                slips=((Slip.HEADERS, sum(one.frame.length for one in burst)),),
            ),
        },
    )


def _round_trip(run: Run) -> int:
    """ns from the SYN to its answer."""
    syn, synack, _ = run.opening()
    return synack.time - syn.time


def doubling(runs: Runs) -> Proof:
    """Bursts that double, a round trip apart; a loss ends it and sets ssthresh."""
    run, ended = runs["slow_start"], runs["fast_retransmit"]
    one, two, three = three_rounds(run)
    kernel = [one.telling("cwnd", "ssthresh") for one in run.socket("client").samples]
    gaps = [later.time - earlier.time for earlier, later in pairwise((one[0], two[0], three[0]))]
    trip = _round_trip(run)
    _, again = lost_and_repeated(ended)
    halved, before = cut(ended), window_before(ended, again)
    final = max(kernel, key=lambda each: each.number("cwnd"))
    return Proof(
        (
            claim(
                (len(two), len(three)) == (2 * len(one), 2 * len(two)),
                Text(
                    "three bursts: {a}, 2 × {a} = {b}, 2 × {b} = {c} segments",
                    "三批报文段：{a}、2 × {a} = {b}、2 × {b} = {c} 个",
                ).fill(a=len(one), b=len(two), c=len(three)),
                one[0],
                two[0],
                three[0],
            ),
            claim(
                all(trip // 2 < gap < 4 * trip for gap in gaps),
                Text(
                    "they begin {a} and {b} apart: a round trip each, {rtt} in the handshake",
                    "相邻两批的起点相隔 {a} 与 {b}：各为一个往返，握手时为 {rtt}",
                ).fill(a=short_span(gaps[0]), b=short_span(gaps[1]), rtt=short_span(trip)),
                one[0],
                two[0],
                three[0],
            ),
            claim(
                final.number("cwnd") == kernel[0].number("cwnd") + sum(map(len, (one, two, three)))
                and final.number("ssthresh") == NONE_YET,
                Text(
                    "each segment acknowledged adds one: cwnd {a} + {n} = {b}; no ssthresh yet, so it would go on",
                    "每确认一个报文段，cwnd 加一：{a} + {n} = {b}；尚无 ssthresh，因此还会继续增长",
                ).fill(
                    a=kernel[0].number("cwnd"),
                    n=sum(map(len, (one, two, three))),
                    b=final.number("cwnd"),
                ),
                kernel[0],
                final,
            ),
            claim(
                halved.number("ssthresh") == before // 2,
                Text(
                    "fast_retransmit: a loss at cwnd {cwnd} sets ssthresh to {half}: slow start has ended",
                    "fast_retransmit：cwnd 为 {cwnd} 时丢包，ssthresh 设为 {half}：慢启动结束",
                ).fill(cwnd=before, half=halved.number("ssthresh")),
                halved,
            ),
        ),
        {
            "one": rights.count(len(one), one[0], one[-1]),
            "two": rights.count(len(two), two[0], two[-1]),
            "three": rights.count(len(three), three[0], three[-1]),
            "begins": rights.frame(three[0]),
        },
    )


QUESTIONS = (
    Question(
        id="CC01",
        asks=Text(
            "Name and explain the four classic congestion-control algorithms.",
            "拥塞控制有哪四个经典算法？",
        ),
        answer=Text(
            "Slow start: cwnd doubles in each round trip. "
            "Congestion avoidance: it grows by one MSS per round trip. "
            "Fast retransmit: three duplicate ACKs repeat a segment without a timeout. "
            "Fast recovery: cwnd is halved and sending goes on, instead of slow start.",
            "慢启动：每个往返 cwnd 翻倍。"
            "拥塞避免：每个往返只加 1 个 MSS。"
            "快速重传：收到三个重复 ACK 即重传，不等超时。"
            "快速恢复：cwnd 减半后继续发送，而不回到慢启动。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        core=True,
        runs=("slow_start", "fast_retransmit", "cc_compare"),
        prove=four_algorithms,
        values=(
            Ask(
                "second",
                Text(
                    "slow_start: frame with which the second round trip begins",
                    "slow_start：第二个往返的第一帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "third",
                Text(
                    "fast_retransmit: frame of the third duplicate ACK",
                    "fast_retransmit：第三个重复 ACK 的帧号",
                ),
                Unit.FRAME,
            ),
            REPEATED,
            HALF,
        ),
        ideas=(
            Idea(
                Text("slow start: doubles in each round trip", "慢启动：每个往返翻倍"),
                (r"slow start.{0,60}doubl", r"慢启动.{0,24}(翻倍|加倍|指数)"),
            ),
            Idea(
                Text(
                    "congestion avoidance: one MSS per round trip",
                    "拥塞避免：每个往返加 1 个 MSS",
                ),
                (
                    r"congestion avoidance.{0,60}(one|1|linear|additive)",
                    r"拥塞避免.{0,24}(加 ?1|加一|线性)",
                ),
            ),
            Idea(
                Text("fast retransmit: three duplicate ACKs", "快速重传：三个重复 ACK"),
                (
                    r"fast retransmi.{0,60}(three|3|third)",
                    r"快(速)?重传.{0,24}(三|3) ?个?(重复|冗余)",
                ),
            ),
            Idea(
                Text("fast recovery: halve and go on", "快速恢复：减半后继续"),
                (r"fast recovery.{0,60}hal(f|ve)", r"快(速)?恢复.{0,24}(减半|一半)"),
            ),
        ),
        wrong=(
            Idea(
                Text("slow start grows by one MSS per round trip", "慢启动每个往返加 1 个 MSS"),
                (
                    r"slow start (grows|adds)( by)? one",
                    r"慢启动.{0,2}每个往返(只)?加 ?1",
                ),
            ),
            Idea(
                Text(
                    "after three duplicate ACKs cwnd falls to one",
                    "三个重复 ACK 之后 cwnd 降为 1",
                ),
                (
                    r"duplicate acks,? (the )?cwnd (falls|drops|goes|is set) (back )?to (one|1)",
                    r"重复 ack ?(之后|后),? ?cwnd ?(降为|变为|回到) ?1",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "Reno loses one segment of ten; duplicate ACKs report it. What becomes of cwnd?",
                "Reno 在十个报文段中丢了一个，由重复 ACK 报告。cwnd 会怎样？",
            ),
            (
                Text("it falls to one", "降为 1"),
                Text("about half of what it was", "约为原来的一半"),
                Text("it stays", "不变"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at bursts in slow_start, at equal ACK numbers in fast_retransmit.",
                "在 slow_start 中看成批的数据，在 fast_retransmit 中看相同的确认号。",
            ),
            Text(
                "Compare the kernel's cwnd and ssthresh before and after the loss.",
                "比较丢包前后内核的 cwnd 与 ssthresh。",
            ),
        ),
        then=("CC02", "CC04"),
        sources=("RFC 5681 section 3",),
    ),
    Question(
        id="CC02",
        asks=Text("How large is the initial congestion window?", "初始拥塞窗口是多少？"),
        answer=Text(
            "Ten segments on Linux (RFC 6928), not one. "
            "So about 14 kB leave before the first ACK comes back, within one round trip.",
            "Linux 为 10 个报文段（RFC 6928），不是 1 个。"
            "因此第一个 ACK 回来之前，一个往返之内就发出约 14 kB。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        interview="high",
        core=True,
        runs=("slow_start",),
        prove=initial_window,
        values=(
            Ask(
                "count",
                Text(
                    "Data segments that leave before the first ACK of data",
                    "首个数据 ACK 到来之前发出的数据报文段个数",
                ),
                Unit.COUNT,
            ),
            Ask("last", Text("Frame of the last of them", "其中最后一个的帧号"), Unit.FRAME),
            Ask(
                "acked",
                Text("Frame that first acknowledges data", "首次确认数据的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "flight",
                Text("Octets of data in flight until then", "在此之前在途的数据字节数"),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("ten segments", "10 个报文段"),
                (r"\b(ten|10)\b.{0,12}(segment|mss|packet)", r"(10|十) ?个?(报文段|mss|段)"),
            ),
            Idea(
                Text("about 14 kB in the first round trip", "第一个往返约 14 kB"),
                (r"14[ ,.]?\d* ?k|14[ ,]?480|14[ ,]?600", r"round trip|往返|rtt"),
            ),
        ),
        wrong=(
            Idea(
                Text("slow start begins with cwnd = 1", "慢启动从 cwnd=1 开始"),
                (
                    r"(begins|starts) (with|at|from) (cwnd ?=? ?)?(1|one)\b",
                    r"从 ?cwnd ?(=|为) ?1|从(一|1)个报文段开始",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "100 ms round trip, 70 segments to send. How many leave at once?",
                "往返 100 ms，共有 70 个报文段要发送。一开始会立即发出多少个？",
            ),
            (
                Text("1", "1 个"),
                Text("all 70", "全部 70 个"),
                Text("10", "10 个"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the client's data before the server's first ACK.",
                "看服务器首个 ACK 之前客户端的数据。",
            ),
            Text(
                "Compare what is in flight with the window that the SYN,ACK announced.",
                "把在途数据与 SYN,ACK 通告的窗口相比较。",
            ),
        ),
        claim=Text("Slow start begins with cwnd = 1", "慢启动从 cwnd=1 开始"),
        truth=Text("Ten segments leave before any ACK", "收到任何 ACK 之前已发出 10 个报文段"),
        then=("CC03",),
        sources=("RFC 6928", "RFC 5681 section 3.1"),
    ),
    Question(
        id="CC03",
        asks=Text(
            "How does slow start show on a ladder diagram, and when does it stop?",
            "慢启动在时序图上是什么样子？何时结束？",
        ),
        answer=Text(
            "Bursts that double in each round trip: 10, 20, 40 segments. "
            "Each segment acknowledged adds one to cwnd. "
            "It ends when cwnd reaches ssthresh, or at the first loss, which sets ssthresh.",
            "每个往返一批，逐批翻倍：10、20、40 个报文段。"
            "每确认一个报文段，cwnd 加一。"
            "cwnd 达到 ssthresh 时结束；首次丢包也使它结束，并设定 ssthresh。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        interview="medium",
        runs=("slow_start", "fast_retransmit"),
        prove=doubling,
        values=(
            Ask(
                "one", Text("Segments in the first round trip", "第一个往返的报文段数"), Unit.COUNT
            ),
            Ask("two", Text("Segments in the second", "第二个往返的报文段数"), Unit.COUNT),
            Ask("three", Text("Segments in the third", "第三个往返的报文段数"), Unit.COUNT),
            Ask("begins", Text("Frame that begins the third", "第三个往返的第一帧"), Unit.FRAME),
        ),
        ideas=(
            Idea(
                Text("it doubles in each round trip", "每个往返翻倍"),
                (r"doubl", r"翻倍|加倍|指数"),
            ),
            Idea(
                Text("it ends at ssthresh", "达到 ssthresh 时结束"),
                (r"ssthresh", r"慢启动(门限|阈值)"),
            ),
            Idea(
                Text("or at the first loss", "或首次丢包时结束"),
                (r"\bloss(es)?\b|\blost\b", r"丢包|丢失"),
            ),
        ),
        wrong=(
            Idea(
                Text("slow start is linear", "慢启动是线性增长"),
                (r"slow start (is|grows) linear", r"慢启动(是|呈)?线性"),
            ),
            Idea(
                Text("it ends when the window is full", "窗口满时慢启动就结束"),
                (r"ends when the (receive )?window is full", r"窗口满时.{0,4}结束"),
            ),
        ),
        guess=Guess(
            Text(
                "10 segments in the first round trip, 20 in the second. The third?",
                "第一个往返 10 个，第二个 20 个。第三个呢？",
            ),
            (
                Text("40", "40 个"),
                Text("30", "30 个"),
                Text("20", "20 个"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look for pauses: a new burst begins when the first segment of the last one is acknowledged.",
                "找停顿：上一批的第一个报文段得到确认时，新的一批开始。",
            ),
            Text(
                "Compare the sizes of the bursts, and cwnd in the kernel's samples.",
                "比较各批的大小，以及内核采样中的 cwnd。",
            ),
        ),
        then=("CC04",),
        sources=("RFC 5681 section 3.1",),
    ),
)
