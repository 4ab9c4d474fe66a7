"""What a question is: what is asked, how a run proves the answer, what a learner hands in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from lab.text import Text

if TYPE_CHECKING:
    from lab.questions.runs import Runs

Value: TypeAlias = int | str | tuple[str, ...]
"""What an answer is compared as: a number, a name, or names in an order."""


NO_SUCH = Text("run {run} has no {what}", "运行 {run} 中没有 {what}")


class Missing(LookupError):
    """A run does not hold what a proof looks for, or a learner's value cannot be computed."""

    def __init__(self, words: Text) -> None:
        """``words``: what was looked for, where."""
        super().__init__(words.en)
        self.words = words


class Kind(StrEnum):
    """What a question asks of the learner."""

    LOCATE = "locate"  # find the frame
    COMPUTE = "compute"
    EXPLAIN = "explain"
    COMPARE = "compare"  # two runs
    PREDICT = "predict"  # answer before the run
    ORDER = "order"  # put in order
    DIAGNOSE = "diagnose"  # a run that went wrong
    DEBUNK = "debunk"  # a statement that is often read: true here?


class Source(StrEnum):
    """Where a piece of evidence is written down; in brackets what ``Cite.where`` holds."""

    FRAME = "frame"  # (its number in the capture of the host's port)
    CAPTURE = "capture"  # () the whole capture of the host's port: what is not in it
    CALL = "call"  # (its index in the host's call log)
    SOCKET = "socket"  # (the kernel's cookie, the index of the sample among the socket's)
    COUNTER = "counter"  # (its name)
    SYSCTL = "sysctl"  # (its name)


class Cite(Struct, frozen=True):
    """One piece of evidence, so that a reader finds it and a program can light it."""

    run: str  # the scenario that was played: "third_ack_lost:data"
    source: Source
    host: str
    where: tuple[int | str, ...]
    words: str  # the piece itself in a line, of names and numbers: "S>C SYN,ACK seq 0 ack 1"


class Claim(Struct, frozen=True):
    """One thing that a proof says of the runs, with this run's numbers, and what shows it."""

    holds: bool
    words: Text
    cites: tuple[Cite, ...]


class Slip(StrEnum):
    """A known way to a wrong value; the words for each are in `lab.quiz.slips`."""

    SYN_COUNTS_ONE = "syn counts one"  # or FIN does
    CHARACTERS = "characters, not octets"
    OTHER_CAPTURE = "frame number of the other capture"
    UNSCALED = "unscaled window"
    RETRANSMISSION = "the retransmission, not the original"
    ORIGINAL = "the original, not the retransmission"
    OTHER_END = "the other end's"
    OTHER_RUN = "another run's"
    HEADERS = "headers counted in"
    RELATIVE = "relative, not absolute"
    OFF_BY_ONE = "off by one"


class Right(Struct, frozen=True):
    """What is right for one asked value in these runs. Made by `lab.questions.rights`."""

    accepted: tuple[Value, ...]  # the first is the one that is shown
    cites: tuple[Cite, ...]
    tolerance: int = 0  # a number may differ so much from the first accepted one
    slips: tuple[tuple[Slip, Value], ...] = ()
    relative: int | None = None  # a sequence number, counted from the ISN: as good as absolute


class Proof(Struct, frozen=True):
    """What a run shows: the claims that make the answer, and what a learner may hand in."""

    claims: tuple[Claim, ...]
    key: Mapping[str, Right] = {}  # by the id of what is asked

    @property
    def holds(self) -> bool:
        return bool(self.claims) and all(claim.holds for claim in self.claims)


class Unit(StrEnum):
    """What an asked value is, and with it how its spelling is read (`lab.quiz.values`)."""

    FRAME = "frame"  # a number in the capture that the words name, else the originator's
    SEQUENCE = "sequence"  # absolute or relative
    COUNT = "count"
    OCTETS = "octets"
    SPAN = "span"  # kept in ns; "42.7 ms", "0.2 s"; a bare number counts as milliseconds
    STATE = "state"
    ERROR = "error"  # ECONNRESET, 104, "Connection reset by peer"; "ok" for none
    NAME = "name"  # a host, a call, a flag list, an address: compared without case and spaces
    HEX = "hex"
    ORDER = "order"  # the ``choices`` by their ids, in order
    CHOICE = "choice"  # one of the ``choices``


class Ask(Struct, frozen=True):
    """One typed value that a learner hands in."""

    id: str
    words: Text
    unit: Unit
    choices: tuple[tuple[str, Text], ...] = ()  # (id, words), for ORDER and CHOICE


class Guess(Struct, frozen=True):
    """What is predicted before the run; making it counts, being right does not."""

    words: Text
    options: tuple[Text, ...]
    right: int  # index of what happens


class Idea(Struct, frozen=True):
    """One thing that an explanation in a learner's own words should say, or must not say.

    ``patterns`` are regular expressions of either language, matched without case in the
    normalised text (`lab.quiz.rubric`); any of them will do. ``words`` match them in both languages.
    """

    words: Text
    patterns: tuple[str, ...]


class Question(Struct, frozen=True, kw_only=True):
    """One question with its proof. ``prove`` raises `Missing` for runs that lack what it needs."""

    id: str  # HS01; E8 for a statement of the seeds, Q… and D… for their questions and differences
    asks: Text
    answer: Text
    kind: Kind
    level: int  # 1 name it, 2 explain it with evidence, 3 predict or diagnose
    interview: str = "low"  # how often it is asked: high, medium, low
    core: bool = False
    runs: tuple[str, ...] = ()  # the scenarios that prove it; (): no experiment can
    instead: str = ""  # a scenario that shows the same, where there is no run of its only one
    prove: Callable[[Runs], Proof] | None = None
    values: tuple[Ask, ...] = ()
    ideas: tuple[Idea, ...] = ()  # two to five
    wrong: tuple[Idea, ...] = ()  # statements that contradict the answer
    guess: Guess | None = None
    hints: tuple[Text, ...] = ()  # where to look; what to compare (the third is a worked example)
    claim: Text | None = None  # what lists usually say
    truth: Text | None = None  # what the run shows instead
    seen_in: tuple[str, ...] = ()  # of a seed's statement: which seeds
    then: tuple[str, ...] = ()  # what an interviewer asks next
    sources: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """A key of GROUPS: the letters of its id."""
        return self.id.rstrip("0123456789")


GROUPS: Mapping[str, Text] = {
    "HS": Text("Handshake", "三次握手"),
    "TD": Text("Teardown and states", "四次挥手与状态"),
    "SQ": Text("Sequence and acknowledgment numbers", "序列号与确认号"),
    "OP": Text("Options", "TCP 选项"),
    "FC": Text("Flow control and small packets", "流量控制与小包"),
    "CC": Text("Congestion control", "拥塞控制"),
    "RT": Text("Loss and retransmission", "丢包与重传"),
    "UD": Text("UDP", "UDP"),
    "SK": Text("Sockets API and options", "套接字接口与选项"),
    "SV": Text("Servers and concurrency", "服务器与并发"),
    "BS": Text("Byte stream and framing", "字节流与定界"),
    "EN": Text("Encodings", "字符编码"),
    "ER": Text("Errors, resets, liveness", "错误、复位与保活"),
    "SE": Text("Security", "安全"),
    "TL": Text("TLS", "TLS"),
    "NW": Text("IP, ARP, ICMP, MTU", "网络层与链路层"),
    "OB": Text("Observability", "可观测性"),
    "MX": Text("Other mechanisms", "其他机制"),
    "Q": Text("The seeds' own questions", "原文中的面试题"),
    "D": Text("TCP against UDP, as the seeds list it", "原文列出的 TCP 与 UDP 之差异"),
    "E": Text("Statements to set right", "需要更正的说法"),
}
"""The groups of questions, in the order in which they are listed."""
