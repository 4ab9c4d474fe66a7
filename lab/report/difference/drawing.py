"""Two runs side by side in a terminal, the first difference marked.

     ! 0.011790 #11 S>C ACK seq 5 ack 6

"=" the same, "~" at another time, "·" left open by the scenario, "!" different; "►" the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, zip_longest

from lab.report.difference.model import RUNS, Difference, Mark, Pair, Row, Told
from lab.report.difference.steps import Step
from lab.report.glyphs import fold, pad, safe
from lab.report.terminal import Paint, plain
from lab.text import Language, Text
from lab.units import seconds

FIRST = Text("First difference, in {pair}: {words}.", "第一处差异，在 {pair}：{words}。")
ALIKE = Text("The two are alike: {count} step[|s].", "两者相同：共 {count} 步。")
DIFFER = Text(
    "The two differ: in {steps} step[|s]; in {others} outcome[|s], call[|s] or counter[|s].",
    "两者不同：{steps} 步不同；结果、调用或计数器有 {others} 处不同。",
)
SAME = Text("alike, {count} step[|s]", "相同，共 {count} 步")
APART = Text("Apart from single exchanges", "不属于任何一次交换")
MORE = Text("… {n} more …", "…… 另有 {n} 项 ……")
LEGEND = Text(
    "= same, ~ at another time, · left open by the scenario, ! different, ► the first difference; "
    "seconds from each run's first step",
    "= 相同，~ 时间不同，· 场景未作规定，! 不同，► 第一处差异；时间以秒计，从各自的第一步算起",
)
STYLES = {Mark.SAME: "faint", Mark.OPEN: "faint", Mark.TIME: "warning", Mark.OTHER: "bad"}
ARROW = "►"

EDGE = 3
"""Rows shown at each end of a long stretch that is alike."""
MOST_TOLD, MOST_PAIRS = 12, 20
"""Sentences of one exchange, and exchanges that differ, that are shown."""


def draw_difference(
    found: Difference,
    names: Sequence[str],
    language: Language,
    columns: int,
    paint: Paint = plain,
) -> Iterator[str]:
    """Yield all lines. ``names``: what the two runs are called elsewhere."""
    yield from (
        f"{paint(run, 'title')}  {safe(name)}" for run, name in zip(RUNS, names, strict=True)
    )
    yield from (paint(line, "faint") for line in fold([LEGEND.say(language)], columns))
    if found.first:
        title = found.pairs[found.first.pair].title
        words = FIRST.fill(pair=title, words=found.first.words).say(language)
        yield ""
        yield from (paint(line, "bad") for line in fold([safe(words)], columns))
    differing = [(place, pair) for place, pair in enumerate(found.pairs) if not pair.alike]
    for place, pair in differing[:MOST_PAIRS]:
        mark = found.first.row if found.first and found.first.pair == place else None
        yield ""
        yield from _pair(pair, mark, language, columns, paint)
    if len(differing) > MOST_PAIRS:
        yield MORE.fill(n=len(differing) - MOST_PAIRS).say(language)
    yield from _alike(found, language)
    if found.told:
        yield ""
        yield paint(APART.say(language), "title")
        yield from _told(found.told, language, columns)
    yield ""
    yield _conclusion(found, language, paint)


def _pair(
    pair: Pair, first: int | None, language: Language, columns: int, paint: Paint
) -> Iterator[str]:
    yield paint(safe(pair.title.say(language)), "title")
    half = (columns - 6) // 2
    yield f"   {pad(RUNS[0], half)} {paint('│', 'faint')} {RUNS[1]}"
    starts = _start(row.left for row in pair.rows), _start(row.right for row in pair.rows)
    for index, row in _folded(pair.rows, first):
        if row is None:
            yield paint(f"   {MORE.fill(n=index).say(language)}", "faint")
        else:
            yield from _row(row, starts, half, paint, is_first=index == first)
    yield from _told(pair.told, language, columns)


def _start(steps: Iterable[Step | None]) -> int:
    """The time of the first step that there is, ns."""
    return next((step.time for step in steps if step), 0)


def _folded(rows: Sequence[Row], first: int | None) -> Iterator[tuple[int, Row | None]]:
    """Rows with their places; in place of a long stretch that is alike, how many are left out."""
    for is_alike, run in groupby(
        enumerate(rows), key=lambda one: one[1].mark in (Mark.SAME, Mark.OPEN)
    ):
        group = list(run)
        if is_alike and len(group) > 2 * EDGE + 1:
            yield from group[:EDGE]
            yield len(group) - 2 * EDGE, None
            group = group[-EDGE:]
        yield from group


def _row(
    row: Row, starts: tuple[int, int], half: int, paint: Paint, *, is_first: bool
) -> Iterator[str]:
    cells = (
        _cell(step, start, half) for step, start in zip((row.left, row.right), starts, strict=True)
    )
    head = f"{ARROW if is_first else ' '}{row.mark}"
    for ours, theirs in zip_longest(*cells, fillvalue=""):
        line = f"{pad(ours, half)} │ {theirs}".rstrip()
        yield f"{paint(head, STYLES[row.mark])} {line}"
        head = "  "


def _cell(step: Step | None, start: int, columns: int) -> list[str]:
    """``0.011790 #11 S>C ACK seq 5 ack 6``, on as many lines as it needs."""
    if step is None:
        return []
    head = f"{seconds(step.time - start)} #{step.frame} "
    lines = fold([safe(step.words)], columns - len(head))
    return [head + lines[0], *(" " * len(head) + line for line in lines[1:])]


def _told(told: Sequence[Told], language: Language, columns: int) -> Iterator[str]:
    for one in told[:MOST_TOLD]:
        first, *others = fold([safe(one.words.say(language))], columns - 4)
        yield f"  - {first}"
        yield from (f"    {line}" for line in others)
    if len(told) > MOST_TOLD:
        yield f"    {MORE.fill(n=len(told) - MOST_TOLD).say(language)}"


def _alike(found: Difference, language: Language) -> Iterator[str]:
    """A line for each exchange that is alike."""
    alike = [pair for pair in found.pairs if pair.alike]
    if alike:
        yield ""
    for pair in alike[:MOST_PAIRS]:
        count = SAME.fill(count=len(pair.rows))
        yield f"= {safe(pair.title.say(language))}  {count.say(language)}"
    if len(alike) > MOST_PAIRS:
        yield MORE.fill(n=len(alike) - MOST_PAIRS).say(language)


def _conclusion(found: Difference, language: Language, paint: Paint) -> str:
    rows = [row for pair in found.pairs for row in pair.rows]
    if found.alike:
        return paint(ALIKE.fill(count=len(rows)).say(language), "good")
    steps = sum(row.mark in (Mark.OTHER, Mark.TIME) for row in rows)
    others = len(found.told) + sum(len(pair.told) for pair in found.pairs)
    return paint(DIFFER.fill(steps=steps, others=others).say(language), "bad")
