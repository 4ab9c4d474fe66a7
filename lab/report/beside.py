"""Expected and seen side by side: the scenario's script against the segments of the run.

    = C>S SYN,ACK  seq 0  ack 1              #4   S>C SYN,ACK  seq 0  ack 1     0.000065

"=" as promised, "~" but at another time, "!" not as promised.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.report.glyphs import pad
from lab.report.terminal import Paint, plain
from lab.scenarios.base import Scenario
from lab.scenarios.script import Row, Segment
from lab.scenarios.seen import side_by_side
from lab.text import Language, Text
from lab.units import seconds

TITLE = Text("Expected and seen, connection {n}", "预期与所见，连接 {n}")
ABSENT = Text("that connection was not seen", "没有看到该连接")
EXPECTED = 44  # columns
STYLES = {"=": "good", "~": "warning", "!": "bad"}


def beside(
    scenario: Scenario, evidence: Evidence, language: Language, paint: Paint = plain
) -> Iterator[str]:
    """Yield the lines for each script of a scenario, an empty line before each."""
    for stream, script in enumerate(scenario.scripts):
        yield ""
        yield paint(TITLE.fill(n=stream).say(language), "title")
        if stream >= len(evidence.view.connections):
            yield paint(ABSENT.say(language), "bad")
            continue
        rows = side_by_side(evidence, script, stream)
        start = next((row.seen.time for row in rows if row.seen), 0)
        yield from (_line(row, start, paint) for row in rows)


def _line(row: Row, start: int, paint: Paint) -> str:
    expected = " ".join(row.expected.text.split()) if row.expected else ""
    seen = _words(row, row.seen, start) if row.seen else ""
    return f"{paint(row.mark, STYLES[row.mark])} {pad(expected, EXPECTED)}  {seen}".rstrip()


def _words(row: Row, segment: Segment, start: int) -> str:
    number = f"#{segment.number}" if segment.number else "✗"
    other = "S" if segment.sender == "C" else "C"
    size = f" +{segment.length}" if segment.length else ""
    acks = f"  ack {segment.acknowledgment}" if "ACK" in segment.flags else ""
    lost = "  lost" if segment.lost else ""
    flags = ",".join(_order(segment.flags))
    fields = f"seq {segment.sequence}{size}{acks}{_more(row, segment)}{lost}"
    return f"{number:<4} {segment.sender}>{other} {flags:<8} {pad(fields, 24)} {seconds(segment.time - start)}"


def _more(row: Row, segment: Segment) -> str:
    """The window and the first SACK block, where the script speaks of them."""
    window = f"  win {segment.window}" if row.expected and row.expected.window else ""
    block = segment.sack[:1] if row.expected and row.expected.sack else ()
    return window + "".join(f"  sack {left}:{right}" for left, right in block)


def _order(flags: frozenset[str]) -> list[str]:
    """ACK last, as people say them."""
    return sorted(flags, key=lambda flag: (flag == "ACK", flag))
