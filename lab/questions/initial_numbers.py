"""Where sequence numbers begin, and where they end."""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct

from lab.questions import rights
from lab.questions.base import NO_SUCH, Ask, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.pieces import Called, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import MODULUS, short_span

TICK = 64  # ns of the clock by which Linux counts
FITS = Text(
    "{who}, port {port} again {span} later: {later} - {earlier} = {growth}, and {growth} × 64 ns = {clock}",
    "{who}，端口 {port} 在 {span} 之后再次连接：{later} - {earlier} = {growth}，而 {growth} × 64 ns = {clock}",
)
BOTH_KINDS = Text("connections from one port and from others", "同一端口与不同端口的连接")


class Birth(Struct, frozen=True):
    """An ISN, the pieces that show it, and the span (ns) in which it was made."""

    isn: int
    since: int
    until: int
    pieces: tuple[Called | Segment, ...]


class Step(Struct, frozen=True):
    """From one ISN to the next: its growth, and the least and most that the clock allows."""

    earlier: Birth
    later: Birth

    @property
    def growth(self) -> int:
        return (self.later.isn - self.earlier.isn) % MODULUS

    @property
    def fits(self) -> bool:
        least = (self.later.since - self.earlier.until) // TICK - 1
        most = (self.later.until - self.earlier.since) // TICK + 1
        return least <= self.growth <= most

    @property
    def span(self) -> int:
        """ns"""
        return self.later.until - self.earlier.until

    @property
    def pieces(self) -> tuple[Called | Segment, ...]:
        return (*self.earlier.pieces, *self.later.pieces)


def clock_and_hash(runs: Runs) -> Proof:
    """The same four-tuple follows a clock of 64 ns; others do not."""
    run = runs["isn_clock"]
    calls = run.calls("client", "connect")
    streams = range(min(len(calls), len(run.connections)))
    port = run.connection().client.port
    again = [one for one in streams if run.connection(one).client.port == port]
    fresh = [one for one in streams if one not in again]
    if len(again) < 2 or len(fresh) < 2:
        raise Missing(NO_SUCH.fill(run=run.name, what=BOTH_KINDS))
    client = [_client_birth(run, calls[one], one) for one in streams]
    steps = [Step(client[one], client[other]) for one, other in pairwise(again)]
    first, theirs = steps[0], Step(*(_server_birth(run, one) for one in again[:2]))
    others = [Step(client[one], client[other]) for one, other in pairwise(fresh)]
    agree = sum(step.fits for step in others)
    moved = next((step for step in others if not step.fits), others[0])
    return Proof(
        (
            claim(
                all(step.fits for step in steps),
                _told(first, Text("client", "客户端"), port),
                *first.pieces,
                *steps[-1].later.pieces,
            ),
            claim(theirs.fits, _told(theirs, Text("server", "服务器"), port), *theirs.pieces),
            claim(
                agree <= 1 and not moved.fits,
                Text(
                    "from new ports this clock explains {agree} of {n} steps: once {span} later, "
                    "{ticks} ticks, the ISN is higher by {growth}",
                    "换用新端口时，{n} 次变化中有 {agree} 次与时钟相符：有一次只过了 {span}，即 {ticks} 个计数，"
                    "ISN 却增加 {growth}",
                ).fill(
                    agree=agree,
                    n=len(others),
                    span=short_span(moved.span),
                    ticks=moved.span // TICK,
                    growth=moved.growth,
                ),
                *moved.pieces,
            ),
        ),
        {
            "first": rights.sequence(run.first("C>S SYN", stream=again[0])),
            "second": rights.sequence(run.first("C>S SYN", stream=again[1])),
            "growth": rights.count(first.growth, *first.pieces),
        },
    )


def _client_birth(run: Run, call: Called, stream: int) -> Birth:
    """Between the call of connect() and the SYN."""
    syn = run.first("C>S SYN", stream=stream)
    return Birth(syn.absolute, call.before, syn.time, (call, syn))


def _server_birth(run: Run, stream: int) -> Birth:
    """Between the SYN and the SYN,ACK."""
    syn, answer, _ = run.opening(stream)
    return Birth(answer.absolute, syn.time, answer.time, (syn, answer))


def _told(step: Step, who: Text, port: int) -> Text:
    return FITS.fill(
        who=who,
        port=port,
        span=short_span(step.span),
        later=step.later.isn,
        earlier=step.earlier.isn,
        growth=step.growth,
        clock=short_span(step.growth * TICK),
    )


def wraps_around(runs: Runs) -> Proof:
    """After 2^32 - 1 comes 0, and nobody minds."""
    run = runs["seq_wrap"]
    data = run.data("C")
    crossing = [pair for pair in pairwise(data) if pair[1].absolute < pair[0].absolute]
    last = run.one("seq 2^32 - n", [one for one, _ in crossing])
    first = run.one("seq 0", [other for _, other in crossing])
    acked = run.first("S>C ACK", after=last)
    sent, read = run.calls("client", "send"), run.calls("server", "recv")
    stream = b"".join(bytes.fromhex(one.call.data) for one in read)
    stamps = _stamp(last), _stamp(first)
    return Proof(
        (
            claim(
                last.absolute_end == acked.absolute_ack == first.absolute < last.absolute,
                Text(
                    "#{a} has seq {seq} and {octets} octets: {seq} + {octets} = 2^32 + {end}; "
                    "so #{b} has ack {end} and #{c} seq {end}",
                    "#{a} 的 seq 为 {seq}，共 {octets} 字节：{seq} + {octets} = 2^32 + {end}；"
                    "因此 #{b} 的 ack 与 #{c} 的 seq 都是 {end}",
                ).fill(
                    a=last.number,
                    b=acked.number,
                    c=first.number,
                    seq=last.absolute,
                    octets=last.length,
                    end=last.absolute_end,
                ),
                last,
                acked,
                first,
            ),
            claim(
                stream == b"".join(bytes.fromhex(one.call.data) for one in sent) != b"",
                Text(
                    "the server reads all {n} octets in order: {stream}",
                    "服务器按序读到全部 {n} 字节：{stream}",
                ).fill(n=len(stream), stream=stream.decode(errors="replace")),
                *sent,
                *read,
            ),
            claim(
                0 < stamps[0] <= stamps[1],
                Text(
                    "the number falls from {seq} to {end}; the timestamp TSval does not: {before}, then "
                    "{after}. PAWS judges by that",
                    "序号由 {seq} 落到 {end}，时间戳 TSval 却没有后退：先 {before}，后 {after}。PAWS 据此判断",
                ).fill(
                    seq=last.absolute,
                    end=first.absolute,
                    before=stamps[0],
                    after=stamps[1],
                ),
                last,
                first,
            ),
        ),
        {
            "last": rights.frame(last),
            "first": rights.frame(first),
            "ack": rights.sequence(acked, ack=True),
        },
    )


def _stamp(one: Segment) -> int:
    """TSval; 0: the segment has no timestamps."""
    tcp = one.frame.tcp
    stamps = tcp.options.timestamps if tcp else None
    return stamps[0] if stamps else 0


QUESTIONS = (
    Question(
        id="HS13",
        asks=Text(
            "Why are initial sequence numbers unpredictable, and are they random?",
            "初始序列号为什么要随机？真的是随机的吗？",
        ),
        answer=Text(
            "An ISN is a clock plus a keyed hash of the four-tuple. Across four-tuples it is "
            "unpredictable, against injection. For the same four-tuple it grows with the clock, against "
            "old duplicates. Linux counts one every 64 ns.",
            "ISN = 时钟 + 以四元组和密钥计算的哈希。不同四元组之间不可预测，以防伪造注入。"
            "同一四元组随时间递增，以防旧报文混入。Linux 的时钟每 64 纳秒加一。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        interview="medium",
        core=True,
        runs=("isn_clock",),
        prove=clock_and_hash,
        values=(
            Ask(
                "first",
                Text(
                    "ISN of the client's first connection, absolute",
                    "客户端第一条连接的 ISN（绝对值）",
                ),
                Unit.SEQUENCE,
            ),
            Ask(
                "second",
                Text(
                    "ISN of the next one from the same port, absolute",
                    "同一端口下一条连接的 ISN（绝对值）",
                ),
                Unit.SEQUENCE,
            ),
            Ask(
                "growth",
                Text(
                    "By how much it is higher, modulo 2^32",
                    "增加了多少（模 2^32）",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("clock plus keyed hash of the four-tuple", "时钟加四元组的带密钥哈希"),
                (r"hash", r"哈希|散列"),
            ),
            Idea(
                Text(
                    "unpredictable across four-tuples, against injection",
                    "不同四元组之间不可预测，以防伪造",
                ),
                (
                    r"unpredictab",
                    r"(cannot|can't|hard to) (be )?(guess|predict)",
                    r"不可预测|无法(预测|猜)|防伪造",
                ),
            ),
            Idea(
                Text(
                    "grows with the clock for the same four-tuple, against old duplicates",
                    "同一四元组随时间递增，以防旧报文",
                ),
                (
                    r"(grow|increas|rise)s?[^.]{0,30}(clock|time)",
                    r"old (duplicate|segment)",
                    r"(随|按)(时间|时钟)[^.]{0,4}(递增|增长|增加)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the ISN is simply a random number", "ISN 就是随机数"),
                (
                    r"(simply|just|purely|completely) (a )?random",
                    r"isn ?(就|只)是(一个)?(纯)?随机",
                ),
            ),
            Idea(
                Text("the ISN always begins at 0 or 1", "ISN 总是从 0 或 1 开始"),
                (r"always (begins|starts) (at|with|from) [01]", r"总是?从 ?[01]"),
            ),
        ),
        guess=Guess(
            Text(
                "The same client port connects again after 0.1 s. How does the ISN change?",
                "同一客户端端口 0.1 秒后再次连接。ISN 会怎样变化？",
            ),
            (
                Text("it is the same", "不变"),
                Text("it jumps anywhere", "随机跳变"),
                Text("it grows by about 1.6 million", "增加约 160 万"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the absolute seq of the SYNs from the port that comes again.",
                "看重复出现的端口所发 SYN 的绝对 seq。",
            ),
            Text(
                "Compare the difference of two ISNs with the time between them, in units of 64 ns.",
                "把两个 ISN 之差与其间隔时间（以 64 ns 为单位）相比较。",
            ),
        ),
        claim=Text("The ISN is simply a random number", "ISN 就是随机数"),
        truth=Text(
            "For the same four-tuple it grows with the clock, one every 64 ns; only the offset is secret",
            "四元组相同时它随时钟增长，每 64 纳秒加一；保密的只是偏移量",
        ),
        then=("SQ02",),
        sources=("RFC 9293 section 3.4.1", "RFC 6528"),
    ),
    Question(
        id="SQ05",
        asks=Text("What happens when sequence numbers wrap?", "序列号回绕怎么办？"),
        answer=Text(
            "Arithmetic is modulo 2^32: after 4294967295 comes 0, and the stream goes on. "
            "Timestamps (PAWS) reject old segments that would fit again after a wrap.",
            "序号按模 2^32 计算：4294967295 之后是 0，数据流照常继续。"
            "时间戳（PAWS）用来拒绝回绕之后又恰好落入窗口的旧报文段。",
        ),
        kind=Kind.COMPUTE,
        level=3,
        runs=("seq_wrap",),
        prove=wraps_around,
        values=(
            Ask(
                "last",
                Text("Frame of the last data before the wrap", "回绕之前最后一段数据的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "first",
                Text("Frame of the first data after it", "回绕之后第一段数据的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "ack",
                Text(
                    "ack of the segment between them",
                    "两者之间那个报文段的 ack",
                ),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("numbers count modulo 2^32", "按模 2^32 计算"),
                (r"mod(ulo|\.)? ?2", r"after 4294967295", r"模 ?2|取模|4294967295"),
            ),
            Idea(
                Text("timestamps (PAWS) reject old segments", "时间戳（PAWS）拒绝旧报文段"),
                (r"paws", r"timestamp", r"时间戳"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the connection must be closed or reset at a wrap",
                    "回绕时必须关闭或复位连接",
                ),
                (
                    r"must be (closed|reset|reopened)",
                    r"(必须|只能|需要)(关闭|复位|重(新)?建立?)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A segment has seq 4294967286 and 10 octets. What is its ack?",
                "某报文段 seq 为 4294967286，共 10 字节。它的 ack 是多少？",
            ),
            (
                Text("4294967296", "4294967296"),
                Text("1", "1"),
                Text("0", "0"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the absolute seq of each data segment.",
                "看每段数据的绝对 seq。",
            ),
            Text(
                "Compare each seq plus length with the ack that follows, modulo 2^32.",
                "把每个 seq 加长度与随后的 ack 相比较（模 2^32）。",
            ),
        ),
        then=("HS13",),
        sources=("RFC 9293 section 3.4", "RFC 7323 section 5"),
    ),
)
