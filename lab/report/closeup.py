"""One connection or exchange in full: what came of it, its figures, what was found, its ladder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence, View
from lab.filters.chosen import just
from lab.filters.talks import Talk
from lab.findings.base import Finding, flagged
from lab.report.choice import ladder_of
from lab.report.explanation import about, finding_lines, found_heading, paragraph
from lab.report.glyphs import fold, pad, width
from lab.report.people import people
from lab.report.terminal import Paint, draw, plain
from lab.tcp.model import Analysis, Connection
from lab.tcp.numbers import numbers
from lab.text import Language, Text
from lab.units import short_span

Row = tuple[Text, str, str]
"""What is counted, the client's figure, the server's."""

RESENT = Analysis.RETRANSMISSION | Analysis.FAST_RETRANSMISSION | Analysis.SPURIOUS_RETRANSMISSION

SENT_BY = Text("sent by", "发送方")
CLIENT, SERVER = Text("client", "客户端"), Text("server", "服务器")
FRAMES = Text("frames", "帧数")
WITH_DATA = Text("with data", "其中带数据的")
PAYLOAD = Text("payload, octets", "载荷（字节）")
LARGEST = Text("largest payload, octets", "最大载荷（字节）")
SENT_AGAIN = Text("sent again, frames", "重传的帧数")
FLIGHT = Text("most in flight, octets", "在途数据峰值（字节）")
WINDOW = Text("window announced, octets", "通告窗口（字节）")
RATE = Text("payload a second, octets", "每秒载荷（字节）")
PAUSE = Text("longest silence", "最长静默")


def closeup(
    evidence: Evidence,
    talk: Talk,
    found: Sequence[Finding],
    language: Language,
    columns: int,
    paint: Paint = plain,
    *,
    everything: bool = False,
) -> Iterator[str]:
    """Yield the lines that tell all about one exchange of the first view.

    ``found``: the findings of the whole file; ``everything``: each frame, however many.
    """
    yield from paragraph(talk, evidence.view, people(evidence.manifest), language, columns, paint)
    yield ""
    yield from table(rows(evidence.view, talk), language, columns)
    if own := about(found, just(evidence.view, [talk])):
        yield ""
        yield from found_heading(own, language, columns, paint)
        yield from finding_lines(own, language, columns, paint, limit=len(own))
    yield ""
    yield from draw(ladder_of(evidence, talk, everything=everything), language, columns, paint)


def rows(view: View, talk: Talk) -> Iterator[Row]:
    """The figures of an exchange, for each direction."""
    frames, sides = view.capture.frames, (talk.from_client, ~talk.from_client)
    length = frames.payload_length[talk.rows]
    time = frames.time[talk.rows]
    yield _row(FRAMES, [int(side.sum()) for side in sides])
    yield _row(WITH_DATA, [int(np.count_nonzero(length[side])) for side in sides])
    yield _row(PAYLOAD, talk.octets)
    yield _row(LARGEST, [int(length[side].max(initial=0)) for side in sides])
    if isinstance(talk, Connection):
        yield from _of_tcp(view, talk, sides)
    if span := int(time.max() - time.min()):
        yield _row(RATE, [octets * 1_000_000_000 // span for octets in talk.octets])
    one, other = (short_span(_longest(time[side])) for side in sides)
    yield PAUSE, one, other


def _row(what: Text, pair: Sequence[int]) -> Row:
    return what, f"{pair[0]:,}", f"{pair[1]:,}"


def _of_tcp(
    view: View, connection: Connection, sides: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> Iterator[Row]:
    known = numbers(view.capture.frames, connection)
    resent = np.isin(connection.rows + 1, flagged(connection, RESENT))
    yield _row(SENT_AGAIN, [int((resent & side).sum()) for side in sides])
    yield _row(FLIGHT, [int(known.flight[side].max(initial=0)) for side in sides])
    one, other = (_windows(known.window, side) for side in sides)
    yield WINDOW, one, other


def _windows(window: Sequence[int | None], side: NDArray[np.bool_]) -> str:
    """Smallest and largest window that one side announced; "?" where its scale is not known."""
    announced = [window[i] for i in np.flatnonzero(side).tolist()]
    sizes = [size for size in announced if size is not None]
    if len(sizes) < len(announced) or not sizes:
        return "?" if announced else "-"
    low, high = f"{min(sizes):,}", f"{max(sizes):,}"
    return low if low == high else f"{low} … {high}"


def _longest(time: NDArray[np.int64]) -> int:
    return int(np.diff(time).max(initial=0))


def table(figures: Iterator[Row], language: Language, columns: int) -> Iterator[str]:
    """Lay figures out in three columns, figures to the right."""
    heading = SENT_BY, CLIENT.say(language), SERVER.say(language)
    lines = [(what.say(language), one, other) for what, one, other in (heading, *figures)]
    first, second, third = (max(width(line[i]) for line in lines) for i in range(3))
    for what, one, other in lines:
        gaps = " " * (second - width(one) + 2), " " * (third - width(other) + 2)
        yield from fold([f"  {pad(what, first)}{gaps[0]}{one}{gaps[1]}{other}"], columns)
