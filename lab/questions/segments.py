"""Segments are not what TCP counts: an ACK confirms many, a recv() returns many, PSH ends nothing."""

from __future__ import annotations

from itertools import pairwise

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.text import Text


def cumulative(runs: Runs) -> Proof:
    """One number confirms all before it, so there are fewer ACKs than segments."""
    run = runs["slow_start"]
    data, acks = run.data("C"), run.all("S>C ACK")
    end = run.one("C>S data", data[::-1])
    begin = run.one("S>C ACK", acks)
    burst = [one for one in data if one.time < begin.time]
    tail = run.one("C>S data", burst[::-1])
    of_burst = [one for one in acks if one.ack <= tail.end]
    whole = run.first("S>C [PSH],ACK", where=lambda one: one.ack >= end.end)
    confirmed = run.first("S>C ACK", where=lambda one: one.ack >= tail.end)
    jumps = [(one, two) for one, two in pairwise(acks) if two.ack - one.ack > tail.length]
    before, jump = jumps[0] if jumps else (begin, run.one("jump", ()))
    return Proof(
        (
            claim(
                whole.absolute_ack == end.absolute_end,
                Text(
                    "the ack of #{n} covers all {count} segments: {ack} = {seq} + {octets}, the end of "
                    "the last one, #{m}",
                    "#{n} 的 ack 涵盖全部 {count} 个报文段：{ack} = {seq} + {octets}，即最后一段 #{m} 的末尾",
                ).fill(
                    n=whole.number,
                    count=len(data),
                    ack=whole.absolute_ack,
                    seq=end.absolute,
                    octets=end.length,
                    m=end.number,
                ),
                end,
                whole,
            ),
            claim(
                len(acks) < len(data),
                Text(
                    "{segments} segments got {acks} pure ACKs: some confirm several, as #{b}, "
                    "{octets} octets beyond #{a}",
                    "{segments} 个报文段只得到 {acks} 个纯 ACK：有的一次确认多个，如 #{b} 比 #{a} 多确认 {octets} 字节",
                ).fill(
                    segments=len(data),
                    acks=len(acks),
                    a=before.number,
                    b=jump.number,
                    octets=jump.ack - before.ack,
                ),
                before,
                jump,
                run.capture(),
            ),
            claim(
                confirmed.absolute_ack == tail.absolute_end and 1 <= len(of_burst) <= len(burst),
                Text(
                    "the first {n} segments, up to #{last}, got {acks} ACKs; the last of these, #{ack}, alone confirms all",
                    "前 {n} 个报文段（到 #{last} 为止）得到 {acks} 个 ACK；仅凭其中最后的 #{ack} 就已全部确认",
                ).fill(n=len(burst), last=tail.number, acks=len(of_burst), ack=confirmed.number),
                tail,
                confirmed,
            ),
        ),
        {
            "acks": rights.count(len(of_burst), *of_burst),
            "ack": rights.sequence(confirmed, ack=True),
            "jump": rights.frame(jump, *(two for _, two in jumps[1:])),
        },
    )


def push_is_no_border(runs: Runs) -> Proof:
    """Five segments with PSH come out of one recv(); one send() makes many segments with PSH."""
    run, bulk = runs["stream_coalesce"], runs["slow_start"]
    data, sends = run.data("C"), run.calls("client", "send")
    pushed = [one for one in data if "PSH" in one.flags]
    read, last = run.call("server", "recv"), run.one("PSH", pushed[::-1])
    inside = [one for one in bulk.data("C") if "PSH" in one.flags]
    whole = bulk.call("client", "sendall")
    first = bulk.one("PSH", inside)
    return Proof(
        (
            claim(
                [one.length for one in pushed] == [one.call.octets for one in sends],
                Text(
                    "each of {n} send() leaves as a segment with PSH, #{a} to #{b}",
                    "{n} 次 send() 各成一个带 PSH 的报文段，#{a} 至 #{b}",
                ).fill(n=len(sends), a=run.one("PSH", pushed).number, b=last.number),
                *pushed,
                *sends,
            ),
            claim(
                len(pushed) > 1 and read.call.octets == sum(one.length for one in pushed),
                Text(
                    "one recv() returns all {n} of them: {octets} octets",
                    "一次 recv() 就返回全部 {n} 段：{octets} 字节",
                ).fill(n=len(pushed), octets=read.call.octets),
                *pushed,
                read,
            ),
            claim(
                len(inside) > 1 and first.end < 1 + (whole.call.octets or 0),
                Text(
                    "one sendall() of {octets} octets leaves with {n} PSH; the first, #{m}, after only "
                    "{early} octets",
                    "一次 sendall() 的 {octets} 字节带出 {n} 个 PSH；第一个 #{m} 在仅 {early} 字节处",
                ).fill(
                    octets=whole.call.octets, n=len(inside), m=first.number, early=first.end - 1
                ),
                whole,
                *inside[:2],
            ),
        ),
        {
            "pushed": rights.count(len(pushed), *pushed, read),
            "last": rights.frame(last),
            "octets": rights.octets(read.call.octets or 0, read),
            "inside": rights.count(len(inside), whole, *inside),
        },
    )


QUESTIONS = (
    Question(
        id="SQ04",
        asks=Text(
            "What does a cumulative acknowledgment mean, and do ten segments need ten ACKs?",
            "什么是累积确认？十个报文段需要十个 ACK 吗？",
        ),
        answer=Text(
            "ack = n confirms every octet before n, so one ACK can confirm many segments. A receiver "
            "should acknowledge at least every second full segment. At the start of a connection Linux "
            "acknowledges each one, later fewer.",
            "ack = n 确认 n 之前的所有字节，因此一个 ACK 可以确认多个报文段。"
            "接收方至少每两个满长报文段确认一次。Linux 在连接之初逐段确认，之后减少。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        runs=("slow_start",),
        prove=cumulative,
        values=(
            Ask(
                "acks",
                Text(
                    "Number of ACKs for the first burst of data",
                    "首批数据得到的 ACK 个数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "ack",
                Text(
                    "ack that confirms all of the first burst",
                    "确认全部首批数据的 ack",
                ),
                Unit.SEQUENCE,
            ),
            Ask(
                "jump",
                Text(
                    "Frame of an ACK that confirms more than one segment",
                    "一次确认多个报文段的 ACK 的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("ack n confirms every octet before n", "ack n 确认 n 之前的所有字节"),
                (
                    r"(every|all)[^.]{0,20}(before|up to|below)",
                    r"(之前|以前)的?(所有|全部)",
                ),
            ),
            Idea(
                Text("one ACK can confirm many segments", "一个 ACK 可以确认多个报文段"),
                (
                    r"one ack[^.]{0,20}(many|several|more)",
                    r"fewer acks",
                    r"一个 ?ack[^.]{0,10}多个",
                ),
            ),
            Idea(
                Text("at least every second full segment", "至少每两个满长报文段一次"),
                (r"every (second|other|two)", r"每(两|2|隔一)个?"),
            ),
        ),
        wrong=(
            Idea(
                Text("each segment needs an ACK of its own", "每个报文段都需要单独的 ACK"),
                (
                    r"each segment (needs|requires|must)",
                    r"每个?(报文)?段都(需要|必须|要)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "70 segments are sent without loss. How many pure ACKs come back?",
                "无丢失地发送 70 个报文段。会返回多少个纯 ACK？",
            ),
            (
                Text("exactly 70", "正好 70 个"),
                Text("fewer than 70", "少于 70 个"),
                Text("more than 70", "多于 70 个"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the server's segments after the first burst of data.",
                "看首批数据之后服务器的报文段。",
            ),
            Text(
                "Compare each ack with the one before: by how many segments is it higher?",
                "把每个 ack 与前一个相比较：高出几个报文段？",
            ),
        ),
        then=("SQ01",),
        sources=("RFC 9293 section 3.8.6.3", "RFC 5681 section 4.2"),
    ),
    Question(
        id="SQ06",
        asks=Text("What is the PSH flag for?", "PSH 标志有什么用？"),
        answer=Text(
            "The sender's kernel sets it at the end of what was written. It tells the receiver not to "
            "hold the data back. It is not a message boundary.",
            "发送方内核在所写数据的末尾置位，提示接收方不要压着数据不交付。它不是消息边界。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("stream_coalesce", "slow_start"),
        prove=push_is_no_border,
        values=(
            Ask(
                "pushed",
                Text(
                    "Messages: segments with PSH that one recv() returned",
                    "五条消息：一次 recv() 返回了几个带 PSH 的报文段",
                ),
                Unit.COUNT,
            ),
            Ask(
                "last",
                Text("Messages: frame of the last of them", "五条消息：其中最后一个的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "octets",
                Text(
                    "Messages: octets that this recv() returned",
                    "五条消息：这次 recv() 返回的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "inside",
                Text(
                    "Slow start: segments with PSH of one sendall()",
                    "慢启动：一次 sendall() 中带 PSH 的报文段个数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("set at the end of what was written", "在所写数据的末尾置位"),
                (
                    r"end of (what|a|the|each)[^.]{0,12}(writ|send|buffer)",
                    r"(写|send)[^.]{0,10}末尾",
                ),
            ),
            Idea(
                Text(
                    "tells the receiver not to hold the data back",
                    "提示接收方不要压着数据不交付",
                ),
                (
                    r"(not|without)[^.]{0,20}(hold|wait|buffer|delay)",
                    r"(deliver|pass)[^.]{0,30}(at once|immediately|promptly)",
                    r"不(要|再)?(压|缓存|等待|拖延)",
                    r"(立即|尽快)交付",
                ),
            ),
            Idea(
                Text("it is not a message boundary", "它不是消息边界"),
                (
                    r"(not|no)( a)?( message)? (boundary|border)",
                    r"(不是|并非|不代表)[^.]{0,4}(消息)?边界",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("PSH marks the end of a message", "PSH 标记消息结束"),
                (r"marks the end of (a|each|the) message", r"psh ?标记(了)?消息"),
            ),
            Idea(
                Text(
                    "recv() returns exactly up to a PSH",
                    "recv() 恰好返回到 PSH 为止",
                ),
                (r"recv(\(\))? returns (exactly )?up to", r"recv(\(\))? ?(恰好|正好)返回到"),
            ),
        ),
        guess=Guess(
            Text(
                "Five segments with PSH have arrived before recv(1024) is called. What does it return?",
                "调用 recv(1024) 之前，五个带 PSH 的报文段已到达。它返回什么？",
            ),
            (
                Text("the first segment's data", "第一个报文段的数据"),
                Text("the data of all five", "全部五段的数据"),
                Text("the last segment's data", "最后一个报文段的数据"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the flags of the data segments, and at the server's recv().",
                "看数据报文段的标志位，以及服务器的 recv()。",
            ),
            Text(
                "Compare the octets that recv() returned with the lengths of the segments.",
                "把 recv() 返回的字节数与各报文段的长度相比较。",
            ),
        ),
        claim=Text("PSH marks the end of a message", "PSH 标记消息结束"),
        truth=Text(
            "Five segments with PSH were returned by one recv(), and one sendall() had many PSH",
            "五个带 PSH 的报文段被一次 recv() 读完，而一次 sendall() 中有许多个 PSH",
        ),
        then=("SQ01",),
        sources=("RFC 9293 section 3.1", "RFC 9293 section 3.9.1.2"),
    ),
)
