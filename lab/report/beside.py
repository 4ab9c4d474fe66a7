"""Expected and seen side by side: the scenario's script against the segments of the run.

    = C>S SYN,ACK  seq 0  ack 1              #4   S>C SYN,ACK  seq 0  ack 1     0.000065

"=" as promised, "~" but at another time, "!" not as promised; "+" sent only because the wire was
late. "✗" for a number: it never passed this port.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from lab.evidence.run import Evidence
from lab.report.glyphs import fold, pad, width
from lab.report.terminal import Paint, plain
from lab.scenarios.base import Scenario
from lab.scenarios.script import Row, Segment, in_order
from lab.scenarios.seen import side_by_side
from lab.text import Language, Text
from lab.units import seconds

TITLE = Text("Expected and seen, connection {n}", "预期与所见，连接 {n}")
ABSENT = Text("that connection was not seen", "没有看到该连接")
MORE = Text("… {n} more …", "…… 另有 {n} 个 ……")
LATE = Text("(the wire was late)", "（链路延误）")
STYLES = {"=": "good", "+": "good", "~": "warning", "!": "bad"}

EDGE = 3
"""Segments shown at each end of a long run for which the script only says ``...``."""

AS_WIDE_AS_NEEDED = 1000  # columns
CELLS = 5  # of a segment that was seen
NARROWEST = 24  # columns of what was expected, however narrow the terminal


def beside(
    scenario: Scenario,
    evidence: Evidence,
    language: Language,
    paint: Paint = plain,
    columns: int = AS_WIDE_AS_NEEDED,
) -> Iterator[str]:
    """Yield the lines for each script of a scenario, an empty line before each."""
    for stream, script in enumerate(scenario.scripts):
        yield ""
        yield paint(TITLE.fill(n=stream).say(language), "title")
        if stream >= len(evidence.view.connections):
            yield paint(ABSENT.say(language), "bad")
            continue
        yield from _table(side_by_side(evidence, script, stream), language, columns, paint)


class _Line(Struct, frozen=True):
    """One line before it is known how wide its columns are."""

    mark: str
    expected: str
    seen: tuple[str, ...]  # number, way, flags, fields, time; or a remark; or nothing


def _table(rows: Sequence[Row], language: Language, columns: int, paint: Paint) -> Iterator[str]:
    start = next((row.seen.time for row in rows if row.seen), 0)
    lines = list(_lines(rows, start, language))
    cells = [line.seen for line in lines if len(line.seen) == CELLS]
    widths = [max((width(cell[i]) for cell in cells), default=0) for i in range(CELLS)]
    needed = max((width(line.expected) for line in lines), default=0)
    left = min(needed, max(columns - sum(widths) - 2 * CELLS - 2, NARROWEST))
    for line in lines:
        first, *others = fold([line.expected], left) or [""]
        seen = [pad(cell, size) for cell, size in zip(line.seen, widths, strict=False)]
        yield f"{paint(line.mark, STYLES[line.mark])} {pad(first, left)}  {'  '.join(seen)}".rstrip()
        yield from (f"    {other}" for other in others)


def _lines(rows: Sequence[Row], start: int, language: Language) -> Iterator[_Line]:
    """All rows, but of a long run that the script leaves open only the two ends."""
    for is_gap, run in groupby(rows, key=lambda row: bool(row.expected and row.expected.is_gap)):
        group = list(run)
        if is_gap and len(group) > 2 * EDGE + 1:
            yield from (_line(row, start, language) for row in group[:EDGE])
            more = MORE.fill(n=len(group) - 2 * EDGE).say(language)
            yield _Line("=", "...", (more,))
            group = group[-EDGE:]
        yield from (_line(row, start, language) for row in group)


def _line(row: Row, start: int, language: Language) -> _Line:
    late = LATE.say(language) if row.mark == "+" else ""
    expected = _expected(row.expected.text) if row.expected else late
    return _Line(row.mark, expected, _cells(row, row.seen, start) if row.seen else ())


def _expected(text: str) -> str:
    """A line of the script, its fields beneath those of the others."""
    way, flags, *fields = *text.split(), ""
    return f"{way} {flags:<8} {' '.join(fields)}".rstrip()


def _cells(row: Row, segment: Segment, start: int) -> tuple[str, ...]:
    number = f"#{segment.number}" if segment.number else "✗"
    other = "S" if segment.sender == "C" else "C"
    size = f" +{segment.length}" if segment.length else ""
    acks = f"  ack {segment.acknowledgment}" if "ACK" in segment.flags else ""
    fate = "  lost" if segment.lost else "  forged" if segment.forged else ""
    fields = f"seq {segment.sequence}{size}{acks}{_more(row, segment)}{fate}"
    way = f"{segment.sender}>{other}"
    return number, way, in_order(segment.flags), fields, seconds(segment.time - start)


def _more(row: Row, segment: Segment) -> str:
    """The window and the first SACK block, where the script speaks of them."""
    window = f"  win {segment.window}" if row.expected and row.expected.window else ""
    block = segment.sack[:1] if row.expected and row.expected.sack else ()
    return window + "".join(f"  sack {left}:{right}" for left, right in block)
