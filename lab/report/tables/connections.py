"""The table of connections: a row a TCP connection or UDP exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from lab.evidence.run import View
from lab.filters.talks import Talk, protocol
from lab.report.tables.base import (
    FILE,
    HOST,
    PROTOCOL,
    STREAM,
    Cells,
    Column,
    Sort,
    Table,
    integers,
    reals,
    repeated,
    texts,
)
from lab.tcp.model import Analysis, Connection
from lab.text import Text
from lab.udp.model import Exchange

FLAGS = tuple(str(flag.name).lower() for flag in Analysis)


def _both(name: str, sort: Sort, en: str, zh: str) -> tuple[Column, Column]:
    """A column for the client and one for the server."""
    return (
        Column(f"client_{name}", sort, Text(f"client's {en}", f"客户端{zh}")),
        Column(f"server_{name}", sort, Text(f"server's {en}", f"服务器{zh}")),
    )


COLUMNS = (
    FILE,
    HOST,
    PROTOCOL,
    STREAM,
    Column("client", Sort.TEXT, Text("address of the end that began", "发起端的地址")),
    Column("client_port", Sort.INTEGER, Text("its port", "发起端的端口")),
    Column("server", Sort.TEXT, Text("address of the other end", "另一端的地址")),
    Column("server_port", Sort.INTEGER, Text("its port", "另一端的端口")),
    Column("begin", Sort.TIME, Text("time of its first frame", "首帧的时间")),
    Column("duration", Sort.REAL, Text("seconds to its last frame", "到末帧的秒数")),
    Column("first_frame", Sort.INTEGER, Text("number of its first frame", "首帧的编号")),
    Column("last_frame", Sort.INTEGER, Text("number of its last frame", "末帧的编号")),
    *_both("frames", Sort.INTEGER, "frames", "发送的帧数"),
    *_both("octets", Sort.INTEGER, "payload, each octet once", "发送的载荷字节数，重复的只计一次"),
    Column(
        "handshake",
        Sort.TEXT,
        Text("how a TCP connection opened", "TCP 连接如何建立"),
    ),
    Column("teardown", Sort.TEXT, Text("how a TCP connection ended", "TCP 连接如何结束")),
    *_both("state", Sort.TEXT, "final state (RFC 9293)", "的最终状态（RFC 9293）"),
    Column("conn_state", Sort.TEXT, Text("Zeek's verdict", "Zeek 的 conn_state")),
    Column("history", Sort.TEXT, Text("Zeek's letters; empty for UDP", "Zeek 的 history；UDP 为空")),
    Column("completeness", Sort.INTEGER, Text("Wireshark's tcp.completeness", "Wireshark 的 tcp.completeness")),
    *_both("isn", Sort.INTEGER, "initial sequence number, if its SYN was seen", "的初始序列号（看到其 SYN 时）"),
    *_both("mss", Sort.INTEGER, "MSS, as announced in its SYN", " SYN 中通告的 MSS"),
    *_both("scale", Sort.INTEGER, "window shift in force; 0: none; empty: unknown", "生效的窗口扩大因子；0：无；空：未知"),
    Column(
        "rtt",
        Sort.REAL,
        Text("seconds from the SYN to the first ACK after it", "从 SYN 到其后第一个 ACK 的秒数"),
    ),
    Column("icmp_errors", Sort.INTEGER, Text("ICMP errors that answered a UDP exchange", "应答 UDP 交换的 ICMP 差错报文数")),
    *(
        Column(
            flag,
            Sort.INTEGER,
            Text(f"segments with Wireshark's flag {flag.replace('_', ' ')}", f"带 Wireshark 标志 {flag.replace('_', ' ')} 的报文段数"),
        )
        for flag in FLAGS
    ),
)  # fmt: skip


def connections(view: View, talks: Sequence[Talk]) -> Table:
    """Make the table of these exchanges of a view."""
    time = view.capture.frames.time
    first = np.array([talk.rows[0] for talk in talks], np.int64)
    last = np.array([talk.rows[-1] for talk in talks], np.int64)
    forward = [int(talk.from_client.sum()) for talk in talks]
    counts = [talk.flag_counts() if isinstance(talk, Connection) else {} for talk in talks]
    cells = {
        "file": repeated(view.file, len(talks)),
        "host": repeated(view.host, len(talks)),
        "protocol": texts(protocol(talk) for talk in talks),
        "stream": integers(talk.stream for talk in talks),
        "client": texts(talk.client.address for talk in talks),
        "client_port": integers(talk.client.port for talk in talks),
        "server": texts(talk.server.address for talk in talks),
        "server_port": integers(talk.server.port for talk in talks),
        "begin": Cells(time[first]),
        "duration": Cells((time[last] - time[first]) / 1e9),
        "first_frame": Cells(first + 1),
        "last_frame": Cells(last + 1),
        "client_frames": integers(forward),
        "server_frames": integers(
            len(talk.rows) - own for talk, own in zip(talks, forward, strict=True)
        ),
        "client_octets": integers(talk.octets[0] for talk in talks),
        "server_octets": integers(talk.octets[1] for talk in talks),
        "conn_state": texts(talk.conn_state for talk in talks),
        "icmp_errors": integers(
            len(talk.errors) if isinstance(talk, Exchange) else None for talk in talks
        ),
        **{name: make(talks) for name, make in _TCP.items()},
        **{flag: _flags(talks, counts, flag) for flag in FLAGS},
    }
    return Table("connections", COLUMNS, cells)


def _flags(talks: Sequence[Talk], counts: Sequence[dict[str, int]], flag: str) -> Cells:
    return integers(
        own.get(flag, 0) if isinstance(talk, Connection) else None
        for talk, own in zip(talks, counts, strict=True)
    )


def _tcp(
    cells: Callable[[Iterable[Any]], Cells], read: Callable[[Connection], Any]
) -> Callable[[Sequence[Talk]], Cells]:
    """A column that a UDP exchange has no value for."""
    return lambda talks: cells(
        read(talk) if isinstance(talk, Connection) else None for talk in talks
    )


_TCP = {
    "handshake": _tcp(texts, lambda one: str(one.handshake)),
    "teardown": _tcp(texts, lambda one: str(one.teardown)),
    "client_state": _tcp(texts, lambda one: str(one.states[0])),
    "server_state": _tcp(texts, lambda one: str(one.states[1])),
    "history": _tcp(texts, lambda one: one.history),
    "completeness": _tcp(integers, lambda one: one.completeness),
    "client_isn": _tcp(integers, lambda one: one.isn[0]),
    "server_isn": _tcp(integers, lambda one: one.isn[1]),
    "client_mss": _tcp(integers, lambda one: one.mss[0]),
    "server_mss": _tcp(integers, lambda one: one.mss[1]),
    "client_scale": _tcp(integers, lambda one: one.scale[0]),
    "server_scale": _tcp(integers, lambda one: one.scale[1]),
    "rtt": _tcp(reals, lambda one: None if one.rtt is None else one.rtt / 1e9),
}
