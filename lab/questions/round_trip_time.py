"""How a round trip is measured from a capture, and what a delayed ACK adds to it."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.pieces import Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

FAR, DELAYED = "fast_retransmit", "nagle_delack"
SOON = 0.1  # share by which times may differ


def three_ways_to_measure(runs: Runs) -> Proof:
    """Handshake, data to ACK, timestamps; and what a delayed ACK adds."""
    run, slow = runs[FAR], runs[DELAYED]
    syn, synack, _ = run.opening()
    data = run.data("C")[0]
    ack = answer(run, data)
    lost = run.one("lost segment", [one for one in run.data("C") if one.lost])
    copy = run.first("C>S [PSH],ACK", after=lost, where=lambda one: one.seq == lost.seq)
    echo = answer(run, copy)
    trip, other, third = synack.time - syn.time, ack.time - data.time, echo.time - copy.time
    kernel = run.socket("client").samples[-1]
    best = kernel.number("min_rtt") * 1000
    near, back, _ = slow.opening()
    asked, late = slowest(slow)
    delay, base = late.time - asked.time, back.time - near.time
    return Proof(
        (
            claim(
                abs(min(trip, other, third) - best) < best * SOON,
                Text(
                    "SYN to SYN,ACK at the client: {trip} ms; data to ACK: {other} ms; "
                    "the kernel's own min_rtt: {best} ms",
                    "客户端处 SYN 到 SYN,ACK：{trip} 毫秒；数据到 ACK：{other} 毫秒；"
                    "内核自己的 min_rtt：{best} 毫秒",
                ).fill(trip=ms(trip), other=ms(other), best=ms(best)),
                syn,
                synack,
                data,
                ack,
                kernel,
            ),
            claim(
                stamps(echo)[1] == stamps(copy)[0] != stamps(lost)[0]
                and 3 * third < 2 * (echo.time - lost.time),
                Text(
                    "the ACK of a repeated segment echoes TSval {stamp}, the repetition's: "
                    "{third} ms, not {wrong} ms since the original",
                    "重传报文段的 ACK 回显 TSval {stamp}，即重传的那一个：{third} 毫秒，"
                    "而不是从原报文段算起的 {wrong} 毫秒",
                ).fill(stamp=stamps(echo)[1], third=ms(third), wrong=ms(echo.time - lost.time)),
                lost,
                copy,
                echo,
            ),
            claim(
                delay > 10 * base and delay - base > 30_000_000,
                Text(
                    "with a delayed ACK: handshake {base} ms, data to ACK {delay} ms; "
                    "the receiver waited about {wait} ms",
                    "有延迟确认时：握手 {base} 毫秒，数据到 ACK {delay} 毫秒；接收方等了约 {wait} 毫秒",
                ).fill(base=ms(base), delay=ms(delay), wait=ms(delay - base)),
                near,
                back,
                asked,
                late,
            ),
        ),
        {
            "syn": rights.frame(syn),
            "synack": rights.frame(synack),
            "trip": rights.span(trip, syn, synack),
            "delayed": rights.span(delay, asked, late, tolerance=SOON),
        },
    )


def slowest(run: Run) -> tuple[Segment, Segment]:
    """The data that waited longest for its ACK, and that ACK."""
    pairs = [(one, answer(run, one)) for one in run.data("C")]
    if not pairs:
        raise Missing(Text("no data", "没有数据"))
    return max(pairs, key=lambda pair: pair[1].time - pair[0].time)


def answer(run: Run, data: Segment) -> Segment:
    """The first segment that acknowledges all of it."""
    return run.first(after=data, where=lambda one: one.sender == "S" and one.ack >= data.end)


def stamps(one: Segment) -> tuple[int, int]:
    """TSval and TSecr."""
    tcp = one.frame.tcp
    return (tcp.options.timestamps if tcp else None) or (-1, -1)


def ms(ns: int) -> str:
    return f"{ns / 1e6:.3g}"


QUESTIONS = (
    Question(
        id="OB06",
        asks=Text(
            "How do you measure the round-trip time from a capture?", "如何从抓包测量往返时间？"
        ),
        answer=Text(
            "At the client from SYN to SYN,ACK. Or from data to its ACK, less the time for which a "
            "delayed ACK waited. Or by the timestamp echo, which holds for repeated segments too.",
            "在客户端取握手的 SYN 到 SYN,ACK；或取数据到其 ACK，再减去延迟确认的等待；"
            "或用时间戳回显，对重传的报文段也适用。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        interview="medium",
        runs=(FAR, DELAYED),
        prove=three_ways_to_measure,
        values=(
            Ask(
                "syn",
                Text("Link with delay: frame of the SYN", "有时延的链路：SYN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "synack",
                Text("Link with delay: frame of the SYN,ACK", "有时延的链路：SYN,ACK 的帧号"),
                Unit.FRAME,
            ),
            Ask("trip", Text("Time between the two", "两者之间的时间"), Unit.SPAN),
            Ask(
                "delayed",
                Text(
                    "Nagle's run: the longest time from data of the client to its ACK",
                    "Nagle 的运行：客户端数据到其 ACK 的最长时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("from SYN to SYN,ACK", "SYN 到 SYN,ACK"),
                (r"syn to syn", r"handshake", r"握手", r"syn ?(到|至) ?syn"),
            ),
            Idea(
                Text("from data to its ACK", "数据到其 ACK"),
                (r"data to (its |the )?ack", r"数据[^.]*到[^.]*ack"),
            ),
            Idea(
                Text("less what a delayed ACK waited", "减去延迟确认的等待"),
                (r"delayed ack", r"延迟(确认| ?ack)"),
            ),
            Idea(
                Text("by the timestamp echo", "用时间戳回显"), (r"timestamp", r"tsecr", r"时间戳")
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "SYN to SYN,ACK at the server gives the round trip",
                    "在服务器取 SYN 到 SYN,ACK 就是往返时间",
                ),
                (r"syn,ack at the server", r"在服务器取 ?syn"),
            ),
        ),
        guess=Guess(
            Text(
                "The handshake takes 0.05 ms. How long may data wait for their ACK?",
                "握手只要 0.05 毫秒，数据等到 ACK 可能要多久？",
            ),
            (
                Text("always about as long", "总是差不多"),
                Text("half as long", "一半"),
                Text("about 40 ms", "约 40 毫秒"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the first two segments of the client's capture.",
                "看客户端抓包的前两个报文段。",
            ),
            Text(
                "Compare their distance with that of data and its ACK.",
                "把两者的间隔与数据到其 ACK 的间隔相比较。",
            ),
        ),
        then=("RT02",),
        sources=("RFC 7323 section 4", "RFC 6298"),
    ),
)
