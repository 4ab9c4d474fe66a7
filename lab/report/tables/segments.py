"""The table of segments: a row a TCP segment or UDP datagram, in order of the frames.

Relative numbers, windows and octets in flight are those of `lab.tcp.numbers`, computed for the
segments of all connections together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.run import View
from lab.filters.talks import Talk
from lab.packets.frames import Flags, Frames
from lab.report.tables.base import (
    FILE,
    HOST,
    PROTOCOL,
    STREAM,
    Cells,
    Column,
    Sort,
    Table,
    coded,
    repeated,
)
from lab.tcp.model import Analysis, Connection
from lab.tcp.segments import MODULUS
from lab.text import Text

COLUMNS = (
    FILE,
    HOST,
    Column("frame", Sort.INTEGER, Text("frame number, as in Wireshark", "帧编号，与 Wireshark 相同")),
    Column("time", Sort.TIME, Text("when it was captured", "抓取的时间")),
    PROTOCOL,
    STREAM,
    Column("from_client", Sort.BOOLEAN, Text("sent by the end that began", "由发起端发送")),
    Column("source", Sort.TEXT, Text("address of the sender", "发送方的地址")),
    Column("source_port", Sort.INTEGER, Text("its port", "发送方的端口")),
    Column("destination", Sort.TEXT, Text("address of the receiver", "接收方的地址")),
    Column("destination_port", Sort.INTEGER, Text("its port", "接收方的端口")),
    Column("length", Sort.INTEGER, Text("octets of the frame on the wire", "帧在线路上的字节数")),
    Column("payload", Sort.INTEGER, Text("octets of payload", "载荷字节数")),
    Column("flags", Sort.TEXT, Text("TCP control bits, as SYN,ACK; empty for UDP", "TCP 控制位，如 SYN,ACK；UDP 为空")),
    Column("sequence", Sort.INTEGER, Text("sequence number as on the wire", "线路上的序列号")),
    Column("relative_sequence", Sort.INTEGER, Text("counted from the ISN", "从 ISN 起算的序列号")),
    Column("acknowledgment", Sort.INTEGER, Text("as on the wire; empty without ACK", "线路上的确认号；没有 ACK 时为空")),
    Column("relative_acknowledgment", Sort.INTEGER, Text("counted from the ISN", "从 ISN 起算的确认号")),
    Column("window_field", Sort.INTEGER, Text("window as on the wire", "线路上的窗口字段")),
    Column("window", Sort.INTEGER, Text("window in octets; empty where its scale is unknown", "以字节计的窗口；扩大因子未知时为空")),
    Column("in_flight", Sort.INTEGER, Text("octets that its sender had unacknowledged after it", "此后发送方尚未被确认的字节数")),
    Column("analysis", Sort.TEXT, Text("Wireshark's flags, joined by commas", "Wireshark 的标志，以逗号连接")),
    Column("duplicate_ack", Sort.INTEGER, Text("which duplicate ACK it is, from 1", "第几个重复 ACK，从 1 起")),
)  # fmt: skip

APART = 1 << 34
"""More than any relative number: keeps the running maxima of connections apart."""

SYN, FIN, ACK = int(Flags.SYN), int(Flags.FIN), int(Flags.ACK)


class _Rows(Struct, frozen=True):
    """The frames of all exchanges, one exchange after another; arrays have one entry a row."""

    frames: Frames
    talks: Sequence[Talk]
    rows: NDArray[np.int64]
    owner: NDArray[np.int64]  # index into talks
    from_client: NDArray[np.bool_]
    tcp: NDArray[np.bool_]

    def per_talk(self, values: Sequence[int]) -> NDArray[np.int64]:
        """Spread one value a talk to its rows."""
        return np.array(values, np.int64)[self.owner]

    def per_sender(self, pairs: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
        """Spread one value an end of each talk to the rows that this end sent."""
        table = np.array(pairs, np.int64).reshape(-1, 2)
        return table[self.owner, np.where(self.from_client, 0, 1)]


def segments(view: View, talks: Sequence[Talk]) -> Table:
    """Make the table of the frames of these exchanges of a view."""
    rows = _gather(view.capture.frames, talks)
    order = np.argsort(rows.rows, kind="stable")
    made = {**_plain(rows), **_tcp(rows), **_analysis(rows)}
    cells = {name: _ordered(one, order) for name, one in made.items()}
    cells["file"] = repeated(view.file, len(order))
    cells["host"] = repeated(view.host, len(order))
    return Table("segments", COLUMNS, cells)


def _gather(frames: Frames, talks: Sequence[Talk]) -> _Rows:
    sizes = [len(talk.rows) for talk in talks]
    owner = np.repeat(np.arange(len(talks)), sizes)
    nothing: NDArray[np.int64] = np.zeros(0, np.int64)
    is_tcp = np.array([isinstance(talk, Connection) for talk in talks], np.bool_)
    return _Rows(
        frames=frames,
        talks=talks,
        rows=np.concatenate([nothing, *(talk.rows for talk in talks)]),
        owner=owner,
        from_client=np.concatenate([nothing, *(talk.from_client for talk in talks)]).astype(bool),
        tcp=is_tcp[owner],
    )


def _ordered(cells: Cells, order: NDArray[np.int64]) -> Cells:
    assert isinstance(cells.values, np.ndarray)
    valid = None if cells.valid is None else cells.valid[order]
    return Cells(cells.values[order], valid, cells.words)


def _plain(rows: _Rows) -> dict[str, Cells]:
    """What TCP and UDP both have."""
    frames, at = rows.frames, rows.rows
    places: dict[str, int] = {}
    ends = [
        tuple(places.setdefault(end.address, len(places)) for end in (talk.client, talk.server))
        for talk in rows.talks
    ]
    address: NDArray[np.int64] = np.array(ends, np.int64).reshape(-1, 2)[rows.owner]
    sender = np.where(rows.from_client, 0, 1)
    each, words = np.arange(len(at)), tuple(places)
    return {
        "frame": Cells(at + 1),
        "time": Cells(frames.time[at]),
        "protocol": coded(np.where(rows.tcp, 0, 1), ("tcp", "udp")),
        "stream": Cells(rows.per_talk([talk.stream for talk in rows.talks])),
        "from_client": Cells(rows.from_client),
        "source": coded(address[each, sender], words),
        "source_port": Cells(frames.source_port[at].astype(np.int64)),
        "destination": coded(address[each, 1 - sender], words),
        "destination_port": Cells(frames.destination_port[at].astype(np.int64)),
        "length": Cells(frames.length[at].astype(np.int64)),
        "payload": Cells(frames.payload_length[at].astype(np.int64)),
    }


def _tcp(rows: _Rows) -> dict[str, Cells]:
    """The numbers of TCP headers, as sent and as people read them."""
    frames, at = rows.frames, rows.rows
    flags = frames.flags[at].astype(np.int64)
    sequence = frames.sequence[at].astype(np.int64)
    acknowledgment = frames.acknowledgment[at].astype(np.int64)
    acks = rows.tcp & ((flags & ACK) != 0)
    own, other = _bases(rows, sequence, acknowledgment, acks)
    relative = (sequence - own) % MODULUS
    relative_ack = np.where(acks, (acknowledgment - other) % MODULUS, 0)
    window, scaled = _windows(rows, flags)
    consumed = ((flags & SYN) != 0).astype(np.int64) + ((flags & FIN) != 0)
    end = relative + frames.payload_length[at] + consumed
    return {
        "flags": _flag_words(rows, flags),
        "sequence": Cells(sequence, rows.tcp),
        "relative_sequence": Cells(relative, rows.tcp),
        "acknowledgment": Cells(acknowledgment, acks),
        "relative_acknowledgment": Cells(relative_ack, acks),
        "window_field": Cells(frames.window[at].astype(np.int64), rows.tcp),
        "window": Cells(window, scaled),
        "in_flight": Cells(_flight(rows, end, relative_ack, acks), rows.tcp),
    }


def _bases(
    rows: _Rows,
    sequence: NDArray[np.int64],
    acknowledgment: NDArray[np.int64],
    acks: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What each row's sequence and acknowledgment numbers count from.

    That is the ISN, else the number before the first one seen, as Wireshark takes it.
    """
    base = np.zeros((len(rows.talks), 2), np.int64)
    for side in (0, 1):
        mine = rows.from_client == (side == 0)
        for values, seen in ((acknowledgment, ~mine & acks), (sequence, mine)):
            owners, first = np.unique(rows.owner[seen], return_index=True)
            base[owners, side] = (values[seen][first] - 1) % MODULUS
        for i, talk in enumerate(rows.talks):
            if isinstance(talk, Connection) and (isn := talk.isn[side]) is not None:
                base[i, side] = isn
    sender = np.where(rows.from_client, 0, 1)
    return base[rows.owner, sender], base[rows.owner, 1 - sender]


def _windows(rows: _Rows, flags: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Windows in octets, and where they are known; that of a SYN is never scaled."""
    pairs = [
        tuple(-1 if shift is None else shift for shift in talk.scale)
        if isinstance(talk, Connection)
        else (-1, -1)
        for talk in rows.talks
    ]
    shift = rows.per_sender(pairs)  # type: ignore[arg-type]
    shift[(flags & SYN) != 0] = 0
    field = rows.frames.window[rows.rows].astype(np.int64)
    return field << np.maximum(shift, 0), (shift >= 0) & rows.tcp


def _flight(
    rows: _Rows,
    end: NDArray[np.int64],
    acknowledgment: NDArray[np.int64],
    acks: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """SND.NXT - SND.UNA of each row's sender after it."""
    flight: NDArray[np.int64] = np.zeros(len(end), np.int64)
    apart = rows.owner * APART
    for mine in (rows.from_client, ~rows.from_client):
        sent = np.maximum.accumulate(np.where(mine, end, 0) + apart) - apart
        acked = np.maximum.accumulate(np.where(~mine & acks, acknowledgment, 0) + apart) - apart
        flight[mine] = np.maximum(sent - np.maximum(acked, 1), 0)[mine]
    return flight


def _flag_words(rows: _Rows, flags: NDArray[np.int64]) -> Cells:
    distinct, codes = np.unique(flags, return_inverse=True)
    words = [
        ",".join(str(flag.name) for flag in Flags if flag & value) for value in distinct.tolist()
    ]
    return coded(np.where(rows.tcp, codes, -1), words)


def _analysis(rows: _Rows) -> dict[str, Cells]:
    """What was said of single segments; most have nothing."""
    count = len(rows.frames)
    marks, duplicate = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for talk in rows.talks:
        if isinstance(talk, Connection) and talk.flags:
            numbers = np.fromiter(talk.flags, np.int64, len(talk.flags))
            marks[numbers - 1] = [int(flag) for flag in talk.flags.values()]
            for number, nth in talk.duplicate_acks.items():
                duplicate[number - 1] = nth
    distinct, codes = np.unique(marks[rows.rows], return_inverse=True)
    words = [
        ",".join(str(flag.name).lower() for flag in Analysis if flag & value)
        for value in distinct.tolist()
    ]
    which = duplicate[rows.rows]
    return {
        "analysis": coded(np.where(marks[rows.rows] != 0, codes, -1), words),
        "duplicate_ack": Cells(which, which > 0),
    }
