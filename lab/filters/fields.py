"""What an expression can ask of an exchange: its fields, and what each of them means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from lab.filters.talks import Talk, protocol
from lab.filters.values import ADDRESSES, COUNTS, DATES, LETTERS, TIMES, WORDS, Kind, canonical
from lab.tcp.model import Analysis, Connection
from lab.text import Text

if TYPE_CHECKING:  # the fields are listed in a help text, which has to come at once
    import numpy as np
    from numpy.typing import NDArray

    from lab.findings.base import Finding


class Scene(Struct, frozen=True):
    """What the fields of an exchange are read from, besides itself."""

    time: NDArray[np.int64]  # of every frame of the capture, ns since 1970-01-01 UTC
    begin: int  # the earliest of them
    found: Mapping[tuple[str, int | None], tuple[Finding, ...]]  # by protocol and stream


class Field(Struct, frozen=True):
    """One field: its names, how a value to compare it with is written, and where its values are.

    ``read`` gives its values, none if the exchange has no such thing; an array stands for several.
    """

    names: tuple[str, ...]
    kind: Kind
    read: Callable[[Scene, Talk], Iterable[Any]]
    meaning: Text


def _of_tcp(read: Callable[[Connection], Iterable[Any]]) -> Callable[[Scene, Talk], Iterable[Any]]:
    """A field that only a TCP connection has."""
    return lambda _, talk: read(talk) if isinstance(talk, Connection) else ()


def _span(scene: Scene, talk: Talk) -> tuple[int]:
    time = scene.time[talk.rows]
    return (int(time.max() - time.min()),)


def _found(scene: Scene, talk: Talk) -> tuple[Finding, ...]:
    return scene.found.get((protocol(talk), talk.stream), ())


FIELDS = (
    Field(
        ("host", "net", "addr", "ip.addr", "ipv6.addr"),
        ADDRESSES,
        lambda _, talk: (talk.client.address, talk.server.address),
        Text("address of either end", "任一端的地址"),
    ),
    Field(
        ("client",),
        ADDRESSES,
        lambda _, talk: (talk.client.address,),
        Text("address of the end that began", "发起端的地址"),
    ),
    Field(
        ("server",),
        ADDRESSES,
        lambda _, talk: (talk.server.address,),
        Text("address of the other end", "另一端的地址"),
    ),
    Field(
        ("port",),
        COUNTS,
        lambda _, talk: (talk.client.port, talk.server.port),
        Text("port of either end", "任一端的端口"),
    ),
    Field(
        ("client.port",),
        COUNTS,
        lambda _, talk: (talk.client.port,),
        Text("port of the end that began", "发起端的端口"),
    ),
    Field(
        ("server.port",),
        COUNTS,
        lambda _, talk: (talk.server.port,),
        Text("port of the other end", "另一端的端口"),
    ),
    Field(
        ("stream",),
        COUNTS,
        lambda _, talk: (talk.stream,),
        Text("its number, from 0, as in Wireshark", "流编号，从 0 起，与 Wireshark 相同"),
    ),
    Field(
        ("frame", "frame.number"),
        COUNTS,
        lambda _, talk: (talk.rows + 1,),
        Text("number of one of its frames", "其中某一帧的编号"),
    ),
    Field(
        ("time", "frame.time_relative"),
        TIMES,
        lambda scene, talk: (scene.time[talk.rows] - scene.begin,),
        Text("time of one of its frames since the file's first", "其中某一帧距文件首帧的时间"),
    ),
    Field(
        ("date", "frame.time"),
        DATES,
        lambda scene, talk: (scene.time[talk.rows],),
        Text("date and time of one of its frames", "其中某一帧的日期时间"),
    ),
    Field(
        ("duration",),
        TIMES,
        _span,
        Text("from its first frame to its last", "从首帧到末帧的时长"),
    ),
    Field(
        ("frames",),
        COUNTS,
        lambda _, talk: (len(talk.rows),),
        Text("how many frames", "帧数"),
    ),
    Field(
        ("octets", "bytes"),
        COUNTS,
        lambda _, talk: (sum(talk.octets),),
        Text("payload of both directions", "两个方向的载荷字节数"),
    ),
    Field(
        ("rtt",),
        TIMES,
        _of_tcp(lambda talk: () if talk.rtt is None else (talk.rtt,)),
        Text("from the SYN to the third segment", "从 SYN 到第三个报文段的时间"),
    ),
    Field(
        ("handshake",),
        WORDS,
        _of_tcp(lambda talk: (canonical(talk.handshake),)),
        Text(
            "three-way, simultaneous-open, refused, unanswered, unfinished, not-seen",
            "三次握手等：three-way、simultaneous-open、refused、unanswered、unfinished、not-seen",
        ),
    ),
    Field(
        ("teardown",),
        WORDS,
        _of_tcp(lambda talk: (canonical(talk.teardown),)),
        Text(
            "four-segments, three-segments, simultaneous-close, reset, unfinished, not-seen",
            "挥手等：four-segments、three-segments、simultaneous-close、reset、unfinished、not-seen",
        ),
    ),
    Field(
        ("state",),
        WORDS,
        _of_tcp(lambda talk: [canonical(state) for state in talk.states]),
        Text("final state of either end, as CLOSE-WAIT", "任一端的最终状态，如 CLOSE-WAIT"),
    ),
    Field(
        ("conn_state",),
        WORDS,
        lambda _, talk: (canonical(talk.conn_state),),
        Text("Zeek's verdict: SF, S0, REJ, RSTO …", "Zeek 的判定：SF、S0、REJ、RSTO ……"),
    ),
    Field(
        ("history",),
        LETTERS,
        _of_tcp(lambda talk: (talk.history,)),
        Text(
            "Zeek's letters, as ShADadFf (try 'contains')",
            "Zeek 的字母序列，如 ShADadFf（可用 contains）",
        ),
    ),
    Field(
        ("finding",),
        WORDS,
        lambda scene, talk: [canonical(one.id) for one in _found(scene, talk)],
        Text("name of a finding about it, as reset", "与它有关的发现之名，如 reset"),
    ),
    Field(
        ("severity",),
        WORDS,
        lambda scene, talk: [str(one.severity) for one in _found(scene, talk)],
        Text(
            "error, warning or note: of a finding about it",
            "与它有关的发现的级别：error、warning 或 note",
        ),
    ),
)

BY_NAME = {name: field for field in FIELDS for name in field.names}
FLAGS = {canonical(str(flag.name)): flag for flag in Analysis}
"""Wireshark's flags as bare words; each is true if one of the frames carries it."""


def carries(talk: Talk, flag: Analysis) -> bool:
    """Whether a frame of an exchange carries an analysis flag."""
    return isinstance(talk, Connection) and any(flag & each for each in talk.flags.values())
