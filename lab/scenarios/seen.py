"""A connection as both ports saw it together, for comparison with a scenario's script."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.evidence.run import Evidence, View
from lab.packets.frames import Flags
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.script import Line, Row, Segment, compare, parse
from lab.tcp.model import Connection
from lab.tcp.numbers import numbers
from lab.tcp.segments import MODULUS
from lab.tcp.segments import segments as tcp_segments
from lab.text import Text

NONE: NDArray[np.int64] = np.empty(0, np.int64)


def segments(evidence: Evidence, connection: Connection) -> tuple[Segment, ...]:
    """All segments of one of the first view's connections, in order of time.

    A segment that its sender's port saw and the other port did not is lost. One that never reached
    the first port has number 0.
    """
    match = evidence.match
    alone = match.only_first if match else NONE
    seen = list(_segments(evidence.view, connection, alone, by_client=True))
    if match and (twin := _twin(evidence, connection)):
        found = _segments(evidence.views[1], twin, match.only_second, by_client=False)
        seen += [replace(one, number=0) for one in found if one.lost]
    return tuple(sorted(seen, key=lambda one: one.time))


def _twin(evidence: Evidence, connection: Connection) -> Connection | None:
    """The same connection in the second view."""
    ends = (connection.client, connection.server)
    same = [one for one in evidence.view.connections if (one.client, one.server) == ends]
    twins = [one for one in evidence.views[1].connections if (one.client, one.server) == ends]
    position = same.index(connection)
    return twins[position] if position < len(twins) else None


def _segments(
    view: View, connection: Connection, alone: NDArray[np.int64], *, by_client: bool
) -> Iterator[Segment]:
    """What one view saw; lost are the frames that its own side sent and the other never saw."""
    frames, told = view.capture.frames, numbers(view.capture.frames, connection)
    lonely = np.isin(connection.rows, alone) & (connection.from_client == by_client)
    sent = tcp_segments(frames, connection.rows, connection.from_client)
    for i, one in enumerate(sent):
        base = one.acknowledgment - int(told.acknowledgment[i])  # the other side's ISN
        yield Segment(
            number=one.frame,
            time=one.time,
            sender="C" if connection.from_client[i] else "S",
            flags=_names(one.flags),
            sequence=int(told.sequence[i]),
            length=int(told.length[i]),
            acknowledgment=int(told.acknowledgment[i]),
            lost=bool(lonely[i]),
            window=one.window,
            sack=tuple(((a - base) % MODULUS, (b - base) % MODULUS) for a, b in one.sack),
        )


def _names(flags: int) -> frozenset[str]:
    return frozenset(str(flag.name) for flag in Flags if flags & flag)


def script_promises(scenario: Scenario) -> tuple[Promise, ...]:
    """One promise a script: each segment as written, in order, in time, and nothing else."""
    return tuple(_promise(script, stream) for stream, script in enumerate(scenario.scripts))


def _promise(script: str, stream: int) -> Promise:
    words = Text("connection {n}: the segments of the script", "连接 {n}：与脚本一致的报文段")

    def check(evidence: Evidence) -> Seen:
        rows = side_by_side(evidence, script, stream)
        wrong = [row for row in rows if row.mark != "="]
        frames = tuple(row.seen.number for row in wrong or rows if row.seen and row.seen.number)
        if not wrong:
            told = Text("{n} segments as promised", "{n} 个报文段与承诺一致")
            return Seen(True, told.fill(n=len(rows)), frames)
        return Seen(False, _difference(wrong[0]), frames)

    return Promise(f"script_{stream}", words.fill(n=stream), check)


def _difference(row: Row) -> Text:
    """The first line that differs, in words."""
    if row.expected is None:
        flags = ",".join(sorted(row.seen.flags)) if row.seen else "?"
        return Text("not promised: {what}", "承诺之外：{what}").fill(what=flags)
    if row.seen is None:
        return Text("not seen: {what}", "未出现：{what}").fill(what=row.expected.text)
    return Text("at another time: {what}", "时间不符：{what}").fill(what=row.expected.text)


def side_by_side(evidence: Evidence, script: str, stream: int) -> tuple[Row, ...]:
    """Expected and seen of the connection with this stream number; IndexError if there is none."""
    lines: tuple[Line, ...] = parse(script)
    return compare(lines, segments(evidence, evidence.view.connections[stream]))
