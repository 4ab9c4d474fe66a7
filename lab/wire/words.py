"""Rules as sentences: "The first SYN,ACK is dropped." """

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lab.text import Text, same
from lab.units import short_span
from lab.wire.matches import Kind, Match
from lab.wire.options import (
    FAST_OPEN,
    MSS,
    MULTIPATH,
    SACK,
    SACK_PERMITTED,
    TIMESTAMPS,
    WINDOW_SCALE,
)
from lab.wire.rules import (
    Action,
    Clamp,
    Corrupt,
    Count,
    Delay,
    Drop,
    Duplicate,
    Moment,
    Rate,
    Reorder,
    Rule,
    Strip,
)
from lab.wire.sight import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG

SENTENCE = Text("{which} {done}{when}.", "{when}{which}{done}。")

_FLAGS: Final = {
    SYN: "SYN",
    FIN: "FIN",
    RST: "RST",
    PSH: "PSH",
    ACK: "ACK",
    URG: "URG",
    ECE: "ECE",
    CWR: "CWR",
    AE: "AE",
}
_ALL = sum(_FLAGS)
_NOUNS: Final = {
    Kind.FRAME: Text("frame", "帧"),
    Kind.PACKET: Text("IP packet", "IP 包"),
    Kind.SEGMENT: Text("TCP segment", "TCP 报文段"),
    Kind.DATA: Text("data segment", "数据报文段"),
    Kind.PURE_ACK: Text("pure ACK", "纯 ACK"),
    Kind.KEEP_ALIVE: Text("keep-alive probe", "keep-alive 探测"),
    Kind.DATAGRAM: Text("UDP datagram", "UDP 数据报"),
    Kind.FRAGMENT: Text("IP fragment", "IP 分片"),
    Kind.ICMP: Text("ICMP message", "ICMP 报文"),
    Kind.ARP: Text("ARP message", "ARP 报文"),
}
_OPTIONS: Final = {
    MSS: "MSS",
    WINDOW_SCALE: "window scale",
    SACK_PERMITTED: "SACK-permitted",
    SACK: "SACK",
    TIMESTAMPS: "timestamps",
    MULTIPATH: "Multipath TCP",
    FAST_OPEN: "Fast Open",
}
_LATIN, _CHINESE = r"[0-9A-Za-z%/]", r"[\u4e00-\u9fff]"
_ORDINALS: Final = "first second third fourth fifth sixth seventh eighth ninth tenth"


def sentence(rule: Rule) -> Text:
    """Say a rule in both languages."""
    said = SENTENCE.fill(which=_which(rule), done=_done(rule.action), when=_when(rule.moment))
    return Text(said.en[0].upper() + said.en[1:], _spaced(said.zh))


def _spaced(zh: str) -> str:
    """Set Latin words and numbers apart from Chinese, by one space."""
    zh = re.sub(rf"({_LATIN})({_CHINESE})", r"\1 \2", zh)
    return re.sub(rf"({_CHINESE})({_LATIN})", r"\1 \2", zh)


# ------------------------------------------------------------------------------ which frames


def _which(rule: Rule) -> Text:
    chance = same("")
    if rule.percent < 100:
        words = Text(", with a probability of {percent:g} %,", "以 {percent:g}% 的概率")
        chance = words.fill(percent=rule.percent)
    return Text("{counted}{chance}", "{counted}{chance}").fill(
        counted=_counted(rule.count, rule.match, rule.each_connection), chance=chance
    )


def _counted(count: Count, match: Match, each_connection: bool = False) -> Text:
    """Say which of the frames that match: "the first SYN from the client"."""
    first, last, step = count.first, count.last, count.step
    if last == first:
        words = Text("the {first} {what}{of}", "{of}第 {n} 个{what}")
    elif last is not None:
        words = Text("each {what}{of}, the {first} to the {last},", "{of}第 {n} 到第 {m} 个{what}")
    elif step > 1 and first == step:
        words = Text("every {first} {what}{of}", "{of}每第 {n} 个{what}")
    elif first > 1:
        words = Text("each {what}{of}, from the {first} on,", "{of}从第 {n} 个起的每个{what}")
    else:
        words = Text("each {what}{of}", "{of}每个{what}")
    said = words.fill(
        what=noun(match),
        of=_of(match, each_connection),
        first=_ordinal(first),
        last=_ordinal(last or 0),
        n=first,
        m=last,
    )
    if step > 1 and first != step:
        return Text("{said} one in {step}", "{said}（每 {step} 个取一）").fill(said=said, step=step)
    return said


def _of(match: Match, each_connection: bool) -> Text:
    """Say whose frames are counted, and where."""
    scope = Text(" in each connection", "每条连接中") if each_connection else same("")
    sender = Text(" from the {v}", "{v} 发出的") if match.sender else same("")
    return Text("{sender}{scope}", "{scope}{sender}").fill(
        sender=sender.fill(v=match.sender), scope=scope
    )


def _ordinal(number: int) -> str:
    if 1 <= number <= 10:
        return _ORDINALS.split()[number - 1]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 // 10 != 1 else 0, "th")
    return f"{number}{ending}"


def noun(match: Match) -> Text:
    """Say what frames a match is about, whoever sends them: singular, without an article."""
    en, zh = _name(match).en, _name(match).zh
    for before, phrase in _conditions(match):
        en = f"{phrase.en} {en}" if before else f"{en} {phrase.en}"
        zh = phrase.zh + zh
    return Text(en, zh)


def _name(match: Match) -> Text:
    if match.kind is Kind.SEGMENT and match.flags:
        return same(_flags(match.flags))
    if match.kind is Kind.ARP and match.type in {1, 2}:
        return Text("ARP request", "ARP 请求") if match.type == 1 else Text("ARP reply", "ARP 应答")
    return _NOUNS[match.kind]


def _flags(flags: int) -> str:
    return ",".join(name for flag, name in _FLAGS.items() if flags & flag)


def _conditions(match: Match) -> Iterator[tuple[bool, Text]]:
    """The conditions of a match, in the order in which English adds them.

    With each: whether English puts it before the noun; Chinese always does.
    """
    if match.repeated is not None:
        yield True, Text("retransmitted", "重传的") if match.repeated else Text("new", "首次发送的")
    if match.flags | match.without == _ALL:
        yield False, Text("without any other flag", "不带其他标志的")
    elif unset := match.without & ~ACK if match.flags & SYN else match.without:
        yield False, Text("without {f}", "不带 {f} 的").fill(f=_flags(unset))
    if match.kind is Kind.ICMP and match.type is not None:
        code = "" if match.code is None else f" code {match.code}"
        yield False, Text("of type {t}{c}", "类型 {t}{c} 的").fill(t=match.type, c=code)
    if match.offset is not None:
        yield False, Text("at offset {o}", "偏移 {o} 的").fill(o=match.offset)
    if (length := _length(match.at_least, match.at_most)) is not None:
        yield False, length
    for words, value in (
        (Text("from port {v}", "来自端口 {v} 的"), match.source_port),
        (Text("to port {v}", "发往端口 {v} 的"), match.destination_port),
        (Text("from {v}", "来自 {v} 的"), match.source or None),
        (Text("to {v}", "发往 {v} 的"), match.destination or None),
    ):
        if value is not None:
            yield False, words.fill(v=value)


def _length(least: int | None, most: int | None) -> Text | None:
    if least is not None and most is not None:
        words = Text("of {least} to {most} octets", "长 {least} 到 {most} 字节的")
    elif least is not None:
        words = Text("of at least {least} octet[|s]", "至少 {least} 字节的")
    elif most is not None:
        words = Text("of at most {most} octet[|s]", "至多 {most} 字节的")
    else:
        return None
    return words.fill(least=least, most=most)


# ------------------------------------------------------------------------------ what, and when


def _done(action: Action) -> Text:
    match action:
        case Drop():
            return Text("is dropped", "被丢弃")
        case Strip():
            words = Text("arrives without its {name} option", "到达时已被去掉 {name} 选项")
            return words.fill(name=_OPTIONS.get(action.option, action.option))
        case Clamp():
            words = Text("arrives with an MSS of at most {mss}", "到达时 MSS 被压低到至多 {mss}")
            return words.fill(mss=action.mss)
        case Corrupt():
            return Text("arrives with a bit turned over", "到达时有 1 位翻转")
        case Duplicate():
            return _duplicated(action)
        case Reorder():
            return _overtaken(action)
        case Rate():
            return _slowed(action)
        case Delay():
            return _delayed(action)


def _duplicated(action: Duplicate) -> Text:
    if action.copies == 1:
        return Text("arrives twice", "到达两次")
    return Text("arrives {n} times", "到达 {n} 次").fill(n=action.copies + 1)


def _overtaken(action: Reorder) -> Text:
    if action.behind == 1:
        return Text("is overtaken by the next", "让后面 1 个先到")
    return Text("is overtaken by the next {n}", "让后面 {n} 个先到").fill(n=action.behind)


def _slowed(action: Rate) -> Text:
    limits = [
        words.fill(n=most)
        for words, most in (
            (Text("{n} frame[|s]", "{n} 帧"), action.queue),
            (Text("{n} octet[|s]", "{n} 字节"), action.queue_octets),
        )
        if most is not None
    ]
    queue = same("")
    if limits:
        longest = Text(
            " and ".join(limit.en for limit in limits), "、".join(limit.zh for limit in limits)
        )
        queue = Text(" with a queue of {l}", "，队列长 {l}").fill(l=longest)
    return Text("passes a link of {rate}{queue}", "经过 {rate} 的链路{queue}").fill(
        rate=_bits(action.bits_per_second), queue=queue
    )


def _bits(rate: int) -> str:
    for unit, size in (("Gbit/s", 10**9), ("Mbit/s", 10**6), ("kbit/s", 1000)):
        if rate >= size:
            return f"{rate / size:g} {unit}"
    return f"{rate} bit/s"


def _delayed(action: Delay) -> Text:
    jitter = f" ± {short_span(action.jitter)}" if action.jitter else ""
    return Text("arrives {span}{jitter} later", "晚 {span}{jitter} 到达").fill(
        span=short_span(action.span), jitter=jitter
    )


def _when(moment: Moment | None) -> Text:
    if moment is None:
        return same("")
    words = (
        Text(", from {frame} on", "从{frame}起，")
        if moment.included
        else Text(", after {frame}", "在{frame}之后，")
    )
    frame = _counted(Count(moment.nth, moment.nth), moment.match)
    lasting = same("")
    if moment.lasting:
        lasting = Text(", for {s}", "持续 {s}，").fill(s=short_span(moment.lasting))
    return Text("{begin}{lasting}", "{begin}{lasting}").fill(
        begin=words.fill(frame=frame), lasting=lasting
    )
