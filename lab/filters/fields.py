"""What an expression can ask of an exchange: its fields, and what each of them means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from lab.filters.values import ADDRESSES, COUNTS, DATES, LETTERS, TIMES, WORDS, Kind, canonical
from lab.tcp.model import Analysis
from lab.text import Text

if TYPE_CHECKING:  # the fields are listed in a help text, which has to come at once
    from lab.filters.sheet import Sheet, Values

CLIENT, SERVER = 0, 1


class Field(Struct, frozen=True):
    """One field: its names, how a value to compare it with is written, and where its values are.

    ``read`` gives those of all exchanges of a protocol; one that has no such thing has no value.
    """

    names: tuple[str, ...]
    kind: Kind
    read: Callable[[Sheet], Values]
    meaning: Text
    of_findings: bool = False


FIELDS = (
    Field(
        ("host", "net", "addr", "ip.addr", "ipv6.addr"),
        ADDRESSES,
        lambda sheet: sheet.addresses(CLIENT, SERVER),
        Text("address of either end", "任一端的地址"),
    ),
    Field(
        ("client",),
        ADDRESSES,
        lambda sheet: sheet.addresses(CLIENT),
        Text("address of the end that began", "发起端的地址"),
    ),
    Field(
        ("server",),
        ADDRESSES,
        lambda sheet: sheet.addresses(SERVER),
        Text("address of the other end", "另一端的地址"),
    ),
    Field(
        ("port",),
        COUNTS,
        lambda sheet: sheet.ports(CLIENT, SERVER),
        Text("port of either end", "任一端的端口"),
    ),
    Field(
        ("client.port",),
        COUNTS,
        lambda sheet: sheet.ports(CLIENT),
        Text("port of the end that began", "发起端的端口"),
    ),
    Field(
        ("server.port",),
        COUNTS,
        lambda sheet: sheet.ports(SERVER),
        Text("port of the other end", "另一端的端口"),
    ),
    Field(
        ("stream",),
        COUNTS,
        lambda sheet: sheet.streams(),
        Text("its number, from 0, as in Wireshark", "流编号，从 0 起，与 Wireshark 相同"),
    ),
    Field(
        ("frame", "frame.number"),
        COUNTS,
        lambda sheet: sheet.of_frames(sheet.rows + 1),
        Text("number of one of its frames", "其中某一帧的编号"),
    ),
    Field(
        ("time", "frame.time_relative"),
        TIMES,
        lambda sheet: sheet.of_frames(sheet.times() - sheet.begin()),
        Text("time of one of its frames since the file's first", "其中某一帧距文件首帧的时间"),
    ),
    Field(
        ("date", "frame.time"),
        DATES,
        lambda sheet: sheet.of_frames(sheet.times()),
        Text("date and time of one of its frames", "其中某一帧的日期时间"),
    ),
    Field(
        ("duration",),
        TIMES,
        lambda sheet: sheet.numbers(sheet.spans()),
        Text("from its first frame to its last", "从首帧到末帧的时长"),
    ),
    Field(
        ("frames",),
        COUNTS,
        lambda sheet: sheet.numbers(sheet.counts()),
        Text("how many frames", "帧数"),
    ),
    Field(
        ("octets", "bytes"),
        COUNTS,
        lambda sheet: sheet.numbers(sheet.octets),
        Text("payload of both directions", "两个方向的载荷字节数"),
    ),
    Field(
        ("rtt",),
        TIMES,
        lambda sheet: sheet.rtt(),
        Text("from the SYN to the first ACK after it", "从 SYN 到其后第一个 ACK 的时间"),
    ),
    Field(
        ("handshake",),
        WORDS,
        lambda sheet: sheet.outcomes(lambda one: canonical(one.handshake)),
        Text(
            "three-way, simultaneous-open, refused, unanswered, unfinished, not-seen",
            "三次握手等：three-way、simultaneous-open、refused、unanswered、unfinished、not-seen",
        ),
    ),
    Field(
        ("teardown",),
        WORDS,
        lambda sheet: sheet.outcomes(lambda one: canonical(one.teardown)),
        Text(
            "four-segments, three-segments, simultaneous-close, reset, unfinished, not-seen",
            "挥手等：four-segments、three-segments、simultaneous-close、reset、unfinished、not-seen",
        ),
    ),
    Field(
        ("state",),
        WORDS,
        lambda sheet: sheet.outcomes(
            lambda one: canonical(one.states[CLIENT]), lambda one: canonical(one.states[SERVER])
        ),
        Text("final state of either end, as CLOSE-WAIT", "任一端的最终状态，如 CLOSE-WAIT"),
    ),
    Field(
        ("conn_state",),
        WORDS,
        lambda sheet: sheet.conn_state(),
        Text("Zeek's verdict: SF, S0, REJ, RSTO …", "Zeek 的判定：SF、S0、REJ、RSTO ……"),
    ),
    Field(
        ("history",),
        LETTERS,
        lambda sheet: sheet.outcomes(lambda one: one.history),
        Text(
            "Zeek's letters, as ShADadFf (try 'contains')",
            "Zeek 的字母序列，如 ShADadFf（可用 contains）",
        ),
    ),
    Field(
        ("finding",),
        WORDS,
        lambda sheet: sheet.findings(lambda one: canonical(one.id)),
        Text("name of a finding about it, as reset", "与它有关的发现之名，如 reset"),
        of_findings=True,
    ),
    Field(
        ("severity",),
        WORDS,
        lambda sheet: sheet.findings(lambda one: str(one.severity)),
        Text(
            "error, warning or note: of a finding about it",
            "与它有关的发现的级别：error、warning 或 note",
        ),
        of_findings=True,
    ),
)

BY_NAME = {name: field for field in FIELDS for name in field.names}
FLAGS = {canonical(str(flag.name)): flag for flag in Analysis}
"""Wireshark's flags as bare words; each is true if one of the frames carries it."""
