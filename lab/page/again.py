"""Segments sent again: which copy was the first, and what made the next one come."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from lab.evidence.resent import AGAIN, Again, Why
from lab.evidence.run import Evidence
from lab.evidence.talk import Case, Talk
from lab.page.scene import FrameRow, Resent, Row
from lab.tcp.model import Connection
from lab.text import Text
from lab.units import short_span

FIRST = Text(
    "It was first sent as #{first}, {span} before", "它首次发送是 #{first}，在 {span} 之前"
)
AFTER_ACK = Text(
    "; the duplicate ACK #{trigger} asked for it.", "；由重复 ACK #{trigger} 触发重传。"
)
CAUSES = {
    Why.SYN: Text("; no answer came in time.", "；未及时得到应答。"),
    Why.SYN_ACK: Text("; no answer came in time.", "；未及时得到应答。"),
    Why.TIMEOUT: Text("; its retransmission timer went off.", "；其重传定时器超时。"),
    Why.PROBE: Text("; a tail loss probe asks for an ACK.", "；这是尾部丢失探测，用来引出 ACK。"),
    Why.TOO_BIG: Text("; it had been too big for the path.", "；之前的报文段超过了路径 MTU。"),
    Why.SPURIOUS: Text("; it had been acknowledged already.", "；它其实已被确认。"),
    Why.COPY: Text("; it is a copy made on the way.", "；它是途中产生的副本。"),
}
END = Text(".", "。")


def with_causes(
    rows: Sequence[Row], evidence: Evidence, connection: Connection, elsewhere: str
) -> list[Row]:
    """The rows of a connection, those sent again with what they repeat and why.

    ``evidence``: with the view first whose frames the connection has; ``elsewhere``: see
    `lab.report.events.Section`.
    """
    if not any(flags & AGAIN for flags in connection.flags.values()):
        return list(rows)
    talk = Talk(Case(evidence), connection)
    found = {int(talk.numbers[i]): again for i, again in talk.resent.items()}
    first = {
        number: int(talk.numbers[again.original])
        for number, again in found.items()
        if again.original is not None
    }
    return [
        replace(row, resent=_told(row, found[row.event.number], first, connection, elsewhere))
        if isinstance(row, FrameRow)
        and row.event.elsewhere == elsewhere
        and row.event.number in first
        else row
        for row in rows
    ]


def _told(
    row: FrameRow,
    again: Again,
    first: Mapping[int, int],
    connection: Connection,
    elsewhere: str,
) -> Resent:
    earliest = first[row.event.number]
    while earliest in first:
        earliest = first[earliest]
    asked = _asked(connection, row.event.number) if again.why is Why.RECOVERY else 0
    cause = AFTER_ACK if asked else END if again.told else CAUSES.get(again.why, END)
    both = Text(FIRST.en + cause.en, FIRST.zh + cause.zh)
    words = both.fill(
        first=f"{earliest}{elsewhere}",
        trigger=f"{asked}{elsewhere}",
        span=short_span(again.wait),
    )
    return Resent(f"f{earliest}{elsewhere}", f"f{asked}{elsewhere}" if asked else "", words)


def _asked(connection: Connection, number: int) -> int:
    """The last duplicate ACK before a frame; 0: none."""
    every = sorted(connection.duplicate_acks)
    at = bisect_left(every, number)
    return every[at - 1] if at else 0
