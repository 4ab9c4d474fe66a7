"""One end said that it is done, and the other went on sending: a half-close (RFC 9293 section 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lab.evidence.glance import table
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, counted, name_of, of_talk
from lab.packets.distinct import grouped
from lab.tcp.columns import Ints, Mask, Segments
from lab.tcp.segments import ACK, FIN, RST
from lab.tcp.table import Part
from lab.text import Text

WORDS = Text(
    "{closer} closed its direction and {other} then sent {octets}: a half-close, as shutdown() makes it.",
    "{closer} 关闭了自己的发送方向，{other} 此后又发送了 {octets}：半关闭，由 shutdown() 产生。",
)
SEVERAL = Text(
    "In {count} one end closed its direction and the other went on sending: half-closes, as shutdown() "
    "makes them.",
    "{count}中，一端关闭了发送方向而另一端继续发送：半关闭，由 shutdown() 产生。",
)
NEXT = Text(
    "Nothing is wrong if the first end still reads. Had its program called close() instead, its kernel "
    "would answer such data with a RST.",
    "只要先关闭的一端仍在读取，就没有问题。若其程序调用的是 close()，内核会以 RST 回应这些数据。",
)
ONE_BY_ONE = 10
"""Connections told one by one; more are told together."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a connection, or one for many."""
    view = evidence.view
    every = [one for part in table(view).parts() for one in _closes(part)]
    if len(every) > ONE_BY_ONE:
        rows = sorted(row for one in every for row in one.rows[:2])
        words = SEVERAL.fill(count=counted(len(every), "connection", "个连接"))
        frames = tuple(row + 1 for row in rows)
        yield Finding("half_close", Severity.NOTE, words, frames, next=NEXT)
        return
    for closed in every:
        one = view.connections[closed.stream]
        by_client = bool(one.from_client[np.searchsorted(one.rows, closed.rows[0])])
        closer, other = (one.client, one.server) if by_client else (one.server, one.client)
        words = WORDS.fill(
            closer=name_of(evidence, closer),
            other=name_of(evidence, other),
            octets=counted(closed.octets, "octet", "字节"),
        )
        shown = dict.fromkeys(row + 1 for row in closed.rows)
        yield of_talk(one, "half_close", Severity.NOTE, words, shown, NEXT)


class Closed(NamedTuple):
    """A connection that one end closed while the other went on sending."""

    stream: int
    rows: tuple[int, int, int]  # of the FIN, of the first and the last segment with data after it
    octets: int  # of that data


def _closes(part: Part) -> Iterator[Closed]:
    """The half-closes of some connections."""
    s = part.segments
    fin, late = _late_data(s)
    if not len(late):
        return
    streams, begin, _ = grouped(np.searchsorted(s.first, late, side="right") - 1)
    for stream, some in zip(streams.tolist(), np.split(late, begin[1:]), strict=True):
        rows = s.row[np.array([fin[stream], some[0], some[-1]])].tolist()
        yield Closed(part.begin + stream, tuple(rows), int(s.length[some].sum()))


def _late_data(s: Segments) -> tuple[Ints, Ints]:
    """Each stream's first FIN (or -1), and the data that acknowledges it; RSTs leave none of it."""
    fin = np.full(len(s.first), -1)
    every = np.flatnonzero((s.flags & FIN) != 0)[::-1]
    streams = s.streams()
    fin[streams[every]] = every
    at = np.flatnonzero((s.length > 0) & ((s.flags & (ACK | RST)) == ACK))
    stream = streams[at]
    after = (fin[stream] >= 0) & (at > fin[stream])
    at, stream = at[after], stream[after]
    closed = fin[stream]
    end = (s.sequence[closed] + s.length[closed].astype(np.uint32)) + np.uint32(1)
    told: Mask = (s.acknowledgment[at] - end).view(np.int32) >= 0
    other = s.second[at] != s.second[closed]
    reset = np.zeros(len(s.first), np.bool_)
    reset[streams[(s.flags & RST) != 0]] = True
    return fin, at[told & other & ~reset[stream]]
