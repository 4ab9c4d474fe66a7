"""What the wire does to which frames: the rules that a scenario writes.

    drop(segment(SYN, ACK), nth=1)
    drop(data(sender="server"), nth=span(3, 5), each_connection=True)
    drop(packets(), after=seen(keep_alive(sender="client"), nth=2))
    strip(segment(SYN), option=MULTIPATH)
    delay(frames(sender="client"), ms=50, jitter_ms=10, seed=7)
    rate(frames(), bits_per_second=20_000_000, queue=40)

A rule looks at each frame as its sender sent it, whatever other rules do to it, so "the third data
segment" is the third that was sent. In whatever order rules are written, a frame first meets the
losses, then whoever rewrites its options, then corruption, duplication and reordering, then rate
and queue, and last the delay.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypedDict, Unpack

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from lab.errors import RuleImpossible
from lab.text import Text
from lab.wire.matches import (
    Kind,
    Match,
    arp,
    data,
    datagram,
    fragment,
    frames,
    icmp,
    keep_alive,
    packets,
    pure_ack,
    segment,
)
from lab.wire.options import FAST_OPEN, MULTIPATH, SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE
from lab.wire.sight import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG

__all__ = [
    "ACK",
    "CWR",
    "ECE",
    "FAST_OPEN",
    "FIN",
    "MULTIPATH",
    "PSH",
    "RST",
    "SACK_PERMITTED",
    "SYN",
    "TIMESTAMPS",
    "URG",
    "WINDOW_SCALE",
    "Kind",
    "Match",
    "Rule",
    "arp",
    "clamp",
    "corrupt",
    "data",
    "datagram",
    "decode_rules",
    "delay",
    "drop",
    "duplicate",
    "encode_rules",
    "every",
    "fragment",
    "frames",
    "icmp",
    "keep_alive",
    "onwards",
    "packets",
    "pure_ack",
    "rate",
    "reorder",
    "seen",
    "segment",
    "span",
    "strip",
]

MILLISECOND: Final = 1_000_000  # ns
ANY_SYN: Final = Match(kind=Kind.SEGMENT, flags=SYN)  # SYN,ACK too


def _require(condition: bool, en: str, zh: str) -> None:
    if not condition:
        raise RuleImpossible(detail=Text(en, zh))


class Count(Struct, frozen=True, omit_defaults=True):
    """Which of the frames that match, counted from 1; all of them unless it says otherwise."""

    first: int = 1
    last: int | None = None  # None: without end
    step: int = 1

    def __post_init__(self) -> None:
        """Raise RuleImpossible for a count of no frame."""
        _require(self.first >= 1 and self.step >= 1, "frames count from 1", "帧从 1 开始计数")
        _require(self.last is None or self.last >= self.first, "the range is empty", "范围为空")

    def holds(self, number: int) -> bool:
        """Whether the frame of this number is one of them."""
        if number < self.first or (self.last is not None and number > self.last):
            return False
        return (number - self.first) % self.step == 0


class Moment(Struct, frozen=True, omit_defaults=True):
    """From when on a rule holds: a frame that was seen, and for how long."""

    match: Match
    nth: int = 1
    included: bool = False  # whether the rule already holds for that frame itself
    lasting: int = 0  # ns; 0: until the end

    def __post_init__(self) -> None:
        """Raise RuleImpossible for a moment that never comes."""
        _require(self.nth >= 1, "frames count from 1", "帧从 1 开始计数")
        _require(self.lasting >= 0, "a time is never negative", "时间不能为负")


class Drop(Struct, frozen=True, tag="drop"):
    """The frame ends here."""


class Strip(Struct, frozen=True, tag="strip"):
    """A TCP option is taken out; NOPs fill its place, and the checksum is right again."""

    option: int  # its kind

    def __post_init__(self) -> None:
        """Raise RuleImpossible unless it is an option that can be missed."""
        _require(
            2 <= self.option <= 0xFF,  # END and NOP stand for nothing
            "an option's kind lies between 2 and 255",
            "选项的类型须在 2 到 255 之间",
        )


class Clamp(Struct, frozen=True, tag="clamp"):
    """The MSS that a SYN announces is lowered; the checksum is right again."""

    mss: int  # octets

    def __post_init__(self) -> None:
        """Raise RuleImpossible for what the option cannot say."""
        _require(
            0 < self.mss <= 0xFFFF, "an MSS lies between 1 and 65535", "MSS 须在 1 到 65535 之间"
        )


class Corrupt(Struct, frozen=True, tag="corrupt", omit_defaults=True):
    """One bit of the payload is turned over; the checksum stays as it was."""

    octet: int = 0  # of the TCP, UDP or ICMP payload; negative: from its end
    bit: int = 0  # 0: the least significant

    def __post_init__(self) -> None:
        """Raise RuleImpossible unless there is such a bit."""
        _require(0 <= self.bit <= 7, "an octet has the bits 0 to 7", "一个字节只有第 0 到第 7 位")


class Duplicate(Struct, frozen=True, tag="duplicate", omit_defaults=True):
    """It arrives more than once."""

    copies: int = 1  # besides the frame itself
    after: int = 0  # ns from one to the next

    def __post_init__(self) -> None:
        """Raise RuleImpossible unless something is copied."""
        _require(self.copies >= 1, "there is no copy to make", "没有要复制的副本")
        _require(self.after >= 0, "a time is never negative", "时间不能为负")


class Reorder(Struct, frozen=True, tag="reorder", omit_defaults=True):
    """It is held until later frames that match, from the same host, have gone ahead of it."""

    behind: int = 1  # how many
    at_most: int = 200 * MILLISECOND  # ns: held no longer, or nothing would ever follow

    def __post_init__(self) -> None:
        """Raise RuleImpossible unless it can be overtaken."""
        _require(self.behind >= 1, "a frame is reordered behind at least one", "至少排到一帧之后")
        _require(self.at_most > 0, "it must be held for some time", "必须扣留一段时间")


class Rate(Struct, frozen=True, tag="rate", omit_defaults=True):
    """A slow link, one for each sender: octets leave one after another, the rest wait or are lost.

    A frame counts from its Ethernet header to its last octet, without preamble and FCS.
    """

    bits_per_second: int
    queue: int | None = None  # frames that may wait behind the one that is being sent
    queue_octets: int | None = None

    def __post_init__(self) -> None:
        """Raise RuleImpossible unless something gets through."""
        _require(self.bits_per_second > 0, "nothing fits through 0 bit/s", "0 bit/s 无法传送")
        for most in (self.queue, self.queue_octets):
            _require(most is None or most >= 0, "a queue is never negative", "队列长度不能为负")


class Delay(Struct, frozen=True, tag="delay", omit_defaults=True):
    """It arrives later: each time by the same span, give or take the jitter."""

    span: int  # ns
    jitter: int = 0  # ns: each delay is drawn evenly from span - jitter to span + jitter
    in_order: bool = True  # a frame waits for the one before it; False: jitter reorders

    def __post_init__(self) -> None:
        """Raise RuleImpossible for a frame that would arrive before it is sent."""
        _require(0 <= self.jitter <= self.span, "no delay is negative", "时延不能为负")


Action = Drop | Strip | Clamp | Corrupt | Duplicate | Reorder | Rate | Delay

STAGES: Final = (Drop, Strip, Clamp, Corrupt, Duplicate, Reorder, Rate, Delay)
"""The order in which a frame meets them."""


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that the wire does."""

    action: Action
    match: Match
    count: Count = Count()
    each_connection: bool = False  # count anew in each connection or exchange
    moment: Moment | None = None  # None: from the beginning
    percent: float = 100.0  # of the frames that the rest of the rule names
    seed: int = 0  # of all that is drawn: which of the percent, how much jitter

    def __post_init__(self) -> None:
        """Raise RuleImpossible for a chance that is none."""
        _require(
            0 < self.percent <= 100, "a chance lies between 0 and 100 %", "概率须在 0 到 100 % 之间"
        )

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that it speaks of."""
        matches = [self.match] + ([self.moment.match] if self.moment else [])
        return frozenset(match.sender for match in matches if match.sender)


# ------------------------------------------------------------------------------ which, since when


def span(first: int, last: int) -> Count:
    """From one to another, both included."""
    return Count(first, last)


def onwards(first: int) -> Count:
    """This one and all after it."""
    return Count(first)


def every(step: int) -> Count:
    """One in so many: the tenth, the twentieth, …"""
    return Count(step, None, step)


def seen(match: Match, nth: int = 1, *, for_ms: float = 0) -> Moment:
    """When the nth frame that matches has been seen; the rule then holds for so long (0: for ever)."""
    return Moment(match, nth, lasting=_nanoseconds(for_ms))


class Which(TypedDict, total=False):
    """What every verb takes besides the frames it is about."""

    nth: int | Count  # which of them, from 1: a number, `span`, `onwards`, `every`; else all
    after: Match | Moment  # only once this frame was seen: the first that matches, or a `seen`
    since: Match | Moment  # the same, that frame included
    each_connection: bool  # count anew in each connection
    percent: float  # only so many of them, drawn by the seed
    seed: int


def _rule(action: Action, match: Match, which: Which) -> Rule:
    nth, after, since = which.get("nth", Count()), which.get("after"), which.get("since")
    _require(
        after is None or since is None,
        "a rule holds after a frame or since it, not both",
        "after 与 since 不能并用",
    )
    return Rule(
        action=action,
        match=match,
        count=Count(nth, nth) if isinstance(nth, int) else nth,
        each_connection=which.get("each_connection", False),
        moment=_moment(after, included=False) or _moment(since, included=True),
        percent=which.get("percent", 100.0),
        seed=which.get("seed", 0),
    )


def _moment(when: Match | Moment | None, *, included: bool) -> Moment | None:
    if when is None:
        return None
    moment = when if isinstance(when, Moment) else Moment(when)
    return replace(moment, included=included)


def _nanoseconds(milliseconds: float) -> int:
    return round(milliseconds * MILLISECOND)


# ------------------------------------------------------------------------------ verbs


def drop(match: Match, **which: Unpack[Which]) -> Rule:
    """Lose frames."""
    return _rule(Drop(), match, which)


def strip(match: Match, *, option: int, **which: Unpack[Which]) -> Rule:
    """Take a TCP option out, by its kind: ``MULTIPATH``, ``TIMESTAMPS``, …

    A segment that does not carry it is left as it is.
    """
    return _rule(Strip(option), match, which)


def clamp(match: Match = ANY_SYN, *, mss: int, **which: Unpack[Which]) -> Rule:
    """Lower the MSS that SYN and SYN,ACK announce to ``mss`` octets, where it is higher."""
    return _rule(Clamp(mss), match, which)


def corrupt(match: Match, *, octet: int = 0, bit: int = 0, **which: Unpack[Which]) -> Rule:
    """Turn over one bit of the payload; ``octet`` counts from 0, or from its end if negative.

    A frame whose payload has no such octet is left as it is.
    """
    return _rule(Corrupt(octet, bit), match, which)


def duplicate(
    match: Match, *, copies: int = 1, after_ms: float = 0, **which: Unpack[Which]
) -> Rule:
    """Deliver copies as well, each ``after_ms`` behind the one before."""
    return _rule(Duplicate(copies, _nanoseconds(after_ms)), match, which)


def reorder(
    match: Match, *, behind: int = 1, at_most_ms: float = 200, **which: Unpack[Which]
) -> Rule:
    """Let so many later frames that match go ahead, but wait for them no longer than that."""
    return _rule(Reorder(behind, _nanoseconds(at_most_ms)), match, which)


def delay(
    match: Match,
    *,
    ms: float,
    jitter_ms: float = 0,
    in_order: bool = True,
    **which: Unpack[Which],
) -> Rule:
    """Deliver later, by ``ms`` ± ``jitter_ms``; unless ``in_order``, jitter may reorder."""
    return _rule(Delay(_nanoseconds(ms), _nanoseconds(jitter_ms), in_order), match, which)


def rate(
    match: Match,
    *,
    bits_per_second: int,
    queue: int | None = None,
    queue_octets: int | None = None,
    **which: Unpack[Which],
) -> Rule:
    """Send no faster; frames wait in a queue (endless unless a length is given), or are lost."""
    return _rule(Rate(bits_per_second, queue, queue_octets), match, which)


# ------------------------------------------------------------------------------ JSON


def encode_rules(rules: Iterable[Rule]) -> bytes:
    """Rules as JSON, for the relay."""
    return msgspec.json.encode(tuple(rules))


def decode_rules(octets: bytes) -> tuple[Rule, ...]:
    """Read them back; raises `msgspec.MsgspecError`, or RuleImpossible for a rule that cannot be."""
    return msgspec.json.decode(octets, type=tuple[Rule, ...])
