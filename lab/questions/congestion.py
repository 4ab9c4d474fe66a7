"""What a loss does to the window: timeout or duplicates, Reno, CUBIC or BBR."""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Right, Unit
from lab.questions.pieces import Sampled, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.slow_start_and_after import HALF, LOSS, cut, lost_and_repeated, window_before
from lab.scenarios.cc_compare import ALGORITHMS, CLEAN, DISORDER, LOSSY, NONE_YET, RECOVERY
from lab.text import Text
from lab.units import short_span


def timeout_or_duplicates(runs: Runs) -> Proof:
    """After a timeout one segment, after three duplicates half of the window; both Reno."""
    timed, repaired = runs["tail_loss_probe:timeout"], runs["fast_retransmit"]
    late_lost, late = lost_and_repeated(timed)
    soon_lost, soon = lost_and_repeated(repaired)
    fell = timed.socket("client").sample("Loss", lambda one: one.number("ca_state") == LOSS)
    fell = fell.telling("cwnd", "ssthresh")
    halved = cut(repaired)
    before, was = window_before(repaired, soon), window_before(timed, late)
    counters = [run.counter("client", "TcpExt.TCPTimeouts") for run in (timed, repaired)]
    least = min(
        one.number("cwnd") for one in repaired.socket("client").samples if one.number("cwnd")
    )
    return Proof(
        (
            claim(
                fell.number("cwnd") == 1 and fell.number("ssthresh") == was // 2,
                Text(
                    "timeout: cwnd {was} → {cwnd}, ssthresh {half} = {was} // 2: slow start again",
                    "超时：cwnd {was} → {cwnd}，ssthresh {half} = {was} // 2：重新慢启动",
                ).fill(was=was, cwnd=fell.number("cwnd"), half=fell.number("ssthresh")),
                fell,
            ),
            claim(
                halved.number("ssthresh") == before // 2 and least > 1,
                Text(
                    "three duplicates: ssthresh {half} = {was} // 2; the least cwnd ever sampled is {least}",
                    "三个重复 ACK：ssthresh {half} = {was} // 2；采样到的 cwnd 最小为 {least}",
                ).fill(half=halved.number("ssthresh"), was=before, least=least),
                halved,
            ),
            claim(
                counters[0].value > 0 == counters[1].value,
                Text(
                    "the kernels count {a} timeout in the first run and {b} in the second",
                    "内核计数：第一次运行超时 {a} 次，第二次 {b} 次",
                ).fill(a=counters[0].value, b=counters[1].value),
                *counters,
            ),
            claim(
                late.time - late_lost.time > soon.time - soon_lost.time,
                Text(
                    "the timeout repeats the segment after {late}, the duplicates after {soon}, both at 100 ms round trip",
                    "往返都是 100 ms：超时在 {late} 后重传，重复 ACK 在 {soon} 后就重传",
                ).fill(
                    late=short_span(late.time - late_lost.time),
                    soon=short_span(soon.time - soon_lost.time),
                ),
                late_lost,
                late,
                soon_lost,
                soon,
            ),
        ),
        {
            "timeout": rights.count(fell.number("cwnd"), fell),
            "half": rights.count(halved.number("ssthresh"), halved),
            "late": rights.span(late.time - late_lost.time, late_lost, late),
            "soon": rights.span(soon.time - soon_lost.time, soon_lost, soon),
        },
    )


class Sent(Struct, frozen=True):
    """What one algorithm did over the lossy link."""

    first: Segment
    last: Segment
    octets: int  # of data, each once
    data: int  # segments with data, repeated ones too
    lost: int  # of them
    gone: Segment  # the first of these
    again: Segment  # and its repetition

    @property
    def goodput(self) -> int:
        """kbit/s, from the first segment to the last."""
        return round(self.octets * 8_000_000 / max(self.last.time - self.first.time, 1))


def over_loss(run: Run, algorithm: str) -> Sent:
    """The connection of one algorithm to the port whose data the wire loses in part."""
    stream = run.stream_to(LOSSY, ALGORITHMS.index(algorithm))
    every, data = run.segments(stream), run.data("C", stream)
    octets = run.connection(stream).octets[0]
    gone, again = lost_and_repeated(run, stream)
    lost = sum(one.lost for one in data)
    return Sent(every[0], every[-1], octets, len(data), lost, gone, again)


def reductions(run: Run, algorithm: str) -> list[tuple[Sampled, Sampled]]:
    """The samples before and after each entry into recovery, but for the end of slow start."""
    nth = ALGORITHMS.index(algorithm)
    ends = [run.socket("client", run.stream_to(port, nth)) for port in (CLEAN, LOSSY)]
    return [
        (before, after)
        for end in ends
        for before, after in pairwise(end.samples)
        if before.number("ca_state") <= DISORDER < RECOVERY <= after.number("ca_state")
        and before.number("ssthresh") != NONE_YET
    ]


def _keeps(run: Run, algorithm: str, least: float, most: float, words: Text) -> Claim:
    """That a loss leaves such a share of the window; cites the largest reduction."""
    found = reductions(run, algorithm)
    before = sum(one.number("cwnd") for one, _ in found)
    after = sum(one.number("ssthresh") for _, one in found)
    odd = len(found)  # each is rounded to a segment
    largest = max(found, key=lambda pair: pair[0].number("cwnd"), default=())
    told = ", ".join(f"{a.number('cwnd')} → {b.number('ssthresh')}" for a, b in found)
    holds = odd > 0 and least * before - odd <= after <= most * before + odd
    share = round(100 * after / max(before, 1))
    return claim(
        holds,
        words.fill(told=told, share=share),
        *(one.telling("cwnd", "ssthresh") for one in reversed(largest)),
    )


def three_algorithms(runs: Runs) -> Proof:
    """Random loss: Reno and CUBIC give way at each, BBR does not."""
    run = runs["cc_compare"]
    reno, cubic, bbr = (over_loss(run, name) for name in ALGORITHMS)
    shares = ", ".join(
        f"{name} {one.lost}/{one.data}"
        for name, one in zip(ALGORITHMS, (reno, cubic, bbr), strict=True)
    )
    return Proof(
        (
            claim(
                4 * bbr.goodput >= 5 * max(reno.goodput, cubic.goodput) > 0,
                Text(
                    "with random loss: Reno {reno}, CUBIC {cubic}, BBR {bbr} kbit/s of data; BBR is ahead by a quarter or more",
                    "随机丢包时：Reno {reno}、CUBIC {cubic}、BBR {bbr} kbit/s；BBR 至少领先四分之一",
                ).fill(reno=reno.goodput, cubic=cubic.goodput, bbr=bbr.goodput),
                bbr.last,
                bbr.first,
                reno.last,
                cubic.last,
            ),
            _keeps(
                run,
                "reno",
                0.4,
                0.58,
                Text(
                    "Reno at each loss, cwnd → ssthresh: {told}; {share} % is kept, about half",
                    "Reno 每次丢包时 cwnd → ssthresh：{told}；保留 {share}%，约一半",
                ),
            ),
            _keeps(
                run,
                "cubic",
                0.58,
                0.8,
                Text(
                    "CUBIC at each loss, cwnd → ssthresh: {told}; {share} % is kept, about 0.7",
                    "CUBIC 每次丢包时 cwnd → ssthresh：{told}；保留 {share}%，约 0.7",
                ),
            ),
            claim(
                all(one.gone.end <= one.again.end and one.lost > 0 for one in (reno, cubic, bbr)),
                Text(
                    "all three lost segments ({told}) and sent them again: they differ in what else they do about it",
                    "三者都丢了报文段（{told}）并重传：差别在于此外如何反应",
                ).fill(told=shares),
                bbr.gone,
                bbr.again,
                reno.gone,
                reno.again,
            ),
        ),
        dict(zip(ALGORITHMS, map(_rate, (reno, cubic, bbr)), strict=True)),
    )


def _rate(one: Sent) -> Right:
    """A goodput in kbit/s, to 5 %: it depends a little on what is counted."""
    cites = (one.first.cite, one.last.cite)
    return Right((one.goodput,), cites, tolerance=max(one.goodput // 20, 1))


QUESTIONS = (
    Question(
        id="CC04",
        asks=Text(
            "Timeout versus three duplicate ACKs: what happens to cwnd?",
            "超时和三个重复 ACK 对 cwnd 的影响有何不同？",
        ),
        answer=Text(
            "After a timeout cwnd is 1, and slow start begins again. "
            "After fast retransmit cwnd goes to ssthresh, about half of what it was; CUBIC keeps 0.7. "
            "Both set ssthresh; duplicates prove that segments still arrive.",
            "超时后 cwnd 变为 1，重新慢启动。"
            "快速重传后 cwnd 降到 ssthresh，约为原来的一半；CUBIC 保留 0.7。"
            "两者都会设定 ssthresh；重复 ACK 说明仍有报文段到达。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="medium",
        runs=("tail_loss_probe:timeout", "fast_retransmit"),
        prove=timeout_or_duplicates,
        values=(
            Ask(
                "timeout",
                Text(
                    "tail_loss_probe:timeout: cwnd after the timeout",
                    "tail_loss_probe:timeout：超时之后的 cwnd",
                ),
                Unit.COUNT,
            ),
            HALF,
            Ask(
                "late",
                Text(
                    "tail_loss_probe:timeout: time from the lost segment to its repetition",
                    "tail_loss_probe:timeout：从丢失的报文段到其重传的时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "soon",
                Text(
                    "fast_retransmit: time from the lost segment to its repetition",
                    "fast_retransmit：从丢失的报文段到其重传的时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("after a timeout cwnd is 1", "超时后 cwnd 变为 1"),
                (
                    r"time-?out.{0,40}\b(1|one)\b",
                    r"超时.{0,16}(为|到|降到) ?(1|一)",
                ),
            ),
            Idea(
                Text("and slow start begins again", "重新慢启动"),
                (r"slow start", r"慢启动"),
            ),
            Idea(
                Text("after fast retransmit about half", "快速重传后约为一半"),
                (r"\bhal(f|ve)|0\.7|ssthresh", r"一半|减半|0\.7"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "both set cwnd to one",
                    "两者都使 cwnd 变为 1",
                ),
                (
                    r"both (set|reset|reduce) (the )?cwnd to (1|one)",
                    r"(两者)?都(会)?(使|把) ?cwnd ?变为 ?1",
                ),
            ),
            Idea(
                Text("a timeout halves cwnd", "超时使 cwnd 减半"),
                (r"time-?out halves", r"超时(会)?使 ?cwnd ?减半"),
            ),
        ),
        guess=Guess(
            Text(
                "cwnd is 19 and the timer goes off. What is cwnd then?",
                "cwnd 为 19 时定时器到期，之后 cwnd 是多少？",
            ),
            (
                Text("10, the initial window", "10，即初始窗口"),
                Text("9, half of it", "9，即一半"),
                Text("1", "1"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the kernel's samples of the client's socket: cwnd, ssthresh, ca_state.",
                "看客户端套接字的内核采样：cwnd、ssthresh、ca_state。",
            ),
            Text(
                "Compare the samples just before and just after each repetition.",
                "比较每次重传前后的采样。",
            ),
        ),
        then=("CC05",),
        sources=("RFC 5681 sections 3.1 and 3.2", "RFC 9438 section 4.6"),
    ),
    Question(
        id="CC05",
        asks=Text(
            "CUBIC, Reno and BBR: what differs and how can one see it?",
            "Reno、CUBIC、BBR 有什么区别？如何观察？",
        ),
        answer=Text(
            "Reno and CUBIC take each loss for congestion: Reno halves its window, CUBIC keeps 0.7. "
            "BBR models bandwidth and round-trip time instead and hardly reacts to random loss. "
            "Samples of cwnd show the saw-tooth, the goodput under loss shows the rest.",
            "Reno 与 CUBIC 把每次丢包视为拥塞：Reno 将窗口减半，CUBIC 保留 0.7。"
            "BBR 改为对带宽和往返时间建模，对随机丢包几乎不作反应。"
            "cwnd 的采样呈锯齿形；丢包时的吞吐量则显示其余差别。",
        ),
        kind=Kind.COMPARE,
        level=3,
        interview="medium",
        runs=("cc_compare",),
        prove=three_algorithms,
        values=tuple(
            Ask(
                name,
                Text(
                    "{name}, port {port}: goodput in kbit/s, data × 8 / (last - first segment)",
                    "{name}，端口 {port}：有效吞吐量（kbit/s），即 数据 × 8 /（末段 - 首段的时间）",
                ).fill(name=name, port=LOSSY),
                Unit.COUNT,
            )
            for name in ALGORITHMS
        ),
        ideas=(
            Idea(
                Text("Reno halves its window at a loss", "Reno 丢包时窗口减半"),
                (r"reno.{0,40}hal(f|ve)", r"reno.{0,16}(减半|一半)"),
            ),
            Idea(
                Text("CUBIC keeps 0.7", "CUBIC 保留 0.7"),
                (r"cubic.{0,40}(0\.7|70 ?%|30 ?%)",),
            ),
            Idea(
                Text("BBR models bandwidth and round-trip time", "BBR 对带宽和往返时间建模"),
                (r"bbr.{0,40}(model|bandwidth|rtt|bottleneck)", r"bbr.{0,16}(建模|模型|带宽)"),
            ),
            Idea(
                Text("BBR hardly reacts to random loss", "BBR 对随机丢包几乎不作反应"),
                (
                    r"(hardly|not|ignores?|barely|little).{0,24}loss",
                    r"(几乎不|不|忽略).{0,6}(反应|丢包)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("BBR halves its window at each loss", "BBR 每次丢包都减半"),
                (r"bbr halves", r"bbr ?每次丢包(都)?(将窗口)?减半"),
            ),
            Idea(
                Text(
                    "the receiver chooses the congestion control",
                    "拥塞控制算法由接收方选择",
                ),
                (r"receiver (chooses|selects|decides)", r"由接收方(选择|决定)"),
            ),
        ),
        guess=Guess(
            Text(
                "5 % of the data is lost at random. Which algorithm delivers the most?",
                "随机丢失 5% 的数据。哪种算法交付得最多？",
            ),
            (
                Text("Reno", "Reno"),
                Text("CUBIC", "CUBIC"),
                Text("BBR", "BBR"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the three connections to port 12346, in the order Reno, CUBIC, BBR.",
                "看到端口 12346 的三个连接，依次为 Reno、CUBIC、BBR。",
            ),
            Text(
                "Compare their octets and times, and cwnd before with ssthresh after each loss.",
                "比较它们的字节数与时间，以及每次丢包前的 cwnd 与之后的 ssthresh。",
            ),
        ),
        then=("CC06",),
        sources=("RFC 5681", "RFC 9438 section 4.6", "draft-ietf-ccwg-bbr"),
    ),
)
