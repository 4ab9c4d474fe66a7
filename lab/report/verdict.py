"""Was what happened what the scenario promises? A row a promise, and the frames that show it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from lab.errors import NotAvailable, PromiseBroken
from lab.evidence.run import Evidence
from lab.report.always import ALWAYS, WIRE_WORKED
from lab.report.glyphs import fold, pad, safe, width
from lab.report.terminal import Paint, plain
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.seen import script_promises
from lab.text import Language, Text

NOT_THERE = Text("what it is about is not in the evidence", "证据中没有它所涉及的内容")
ALL_KEPT = Text("All {total} promises were kept.", "全部 {total} 项承诺均已兑现。")
SOME_BROKEN = Text(
    "{broken} of {total} promises were not kept.", "{total} 项承诺中有 {broken} 项未兑现。"
)
DROPPED = Text(
    "THE RECORDING LACKS {dropped} FRAME[|S]: the kernel dropped [it|them]. Nothing below proves an absence.",
    "录制缺少 {dropped} 帧：被内核丢弃。以下内容不能证明某帧不存在。",
)
FRAMES = Text("frames", "帧")


class Row(Struct, frozen=True):
    """One promise and what became of it."""

    id: str
    kept: bool
    promise: Text
    seen: Text
    frames: tuple[int, ...]  # numbers in the originator's capture
    late: bool = False  # see `Seen`


class Verdict(Struct, frozen=True):
    """All promises of a run: the scenario's own first, then those that every run makes.

    A run that found out that what it needs is not there has no rows: nothing was proved.
    """

    scenario: str
    rows: tuple[Row, ...]
    dropped: int
    unavailable: Text | None = None  # what is not there, and why

    @property
    def kept(self) -> bool:
        return self.unavailable is None and all(row.kept for row in self.rows)

    @property
    def exit_code(self) -> int:
        """0 all promises kept, 1 not, 77 not available."""
        if self.unavailable:
            return NotAvailable.exit_code
        return 0 if self.kept else PromiseBroken.exit_code

    @property
    def broken(self) -> int:
        return sum(not row.kept for row in self.rows)

    @property
    def late(self) -> bool:
        """Whether nothing speaks against the scenario but that the machine was busy."""
        return bool(self.broken) and all(row.kept or row.late for row in self.rows)


def verdict(scenario: Scenario, evidence: Evidence) -> Verdict:
    """Check every promise of a scenario, and those that every run makes, on a run."""
    if lacking := evidence.manifest.unavailable:
        details = {"capability": lacking.capability, "reason": lacking.reason}
        words = NotAvailable.what.fill(**details)
        return Verdict(scenario.id, (), evidence.manifest.dropped, words)
    own = (*script_promises(scenario), *scenario.promises)
    taken = {promise.id for promise in own}
    if scenario.rules:
        taken.add("views_agree")  # the wire came between
        own = own if WIRE_WORKED.id in taken else (*own, WIRE_WORKED)
    promises = (*own, *(one for one in ALWAYS if one.id not in taken))
    rows = tuple(_row(promise, evidence) for promise in promises)
    return Verdict(scenario.id, rows, evidence.manifest.dropped)


def _row(promise: Promise, evidence: Evidence) -> Row:
    """A check that does not find what it looks for (a run cut short) is a promise not kept."""
    try:
        seen = promise.check(evidence)
    except (LookupError, ValueError, StopIteration):
        seen = Seen(False, NOT_THERE)
    return Row(promise.id, seen.kept, promise.words, seen.words, seen.frames, seen.late)


def draw_verdict(
    verdict: Verdict, language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """Yield the lines of a verdict: PASS or FAIL, the promise, what was seen, the frames."""
    if verdict.unavailable:
        for words in (verdict.unavailable, NotAvailable.remedy):
            yield from fold([safe(words.say(language))], columns)
        return
    if verdict.dropped:
        yield from (
            paint(line, "bad")
            for line in fold([DROPPED.fill(dropped=f"{verdict.dropped:,}").say(language)], columns)
        )
    promised = min(
        max((width(row.promise.say(language)) for row in verdict.rows), default=0), columns // 2
    )
    for row in verdict.rows:
        yield from _draw(row, language, columns, promised, paint)
    yield conclusion(verdict, language, paint)


def conclusion(verdict: Verdict, language: Language, paint: Paint = plain) -> str:
    """How many promises were kept, in one sentence."""
    total, broken = len(verdict.rows), verdict.broken
    words = (SOME_BROKEN if broken else ALL_KEPT).fill(total=total, broken=broken)
    return paint(words.say(language), "bad" if broken else "good")


def _draw(row: Row, language: Language, columns: int, promised: int, paint: Paint) -> Iterator[str]:
    mark = paint("PASS", "good") if row.kept else paint("FAIL", "bad")
    proof = [safe(row.seen.say(language))]
    if row.frames:
        proof.append(frame_list(row.frames))
    left = fold([row.promise.say(language)], promised)
    right = fold(proof, max(columns - promised - 8, 20), "  ")
    for number in range(max(len(left), len(right))):
        words = left[number] if number < len(left) else ""
        seen = right[number] if number < len(right) else ""
        yield f"{mark if number == 0 else '    '}  {pad(words, promised)}  {seen}".rstrip()


def frame_list(frames: tuple[int, ...]) -> str:
    """``#4-6, #9``: frame numbers with runs of neighbours drawn together."""
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(frames)) if b != a + 1), len(frames)]
    runs = [frames[a:b] for a, b in pairwise(cuts) if b > a]
    return ", ".join(f"#{run[0]}" if len(run) == 1 else f"#{run[0]}-{run[-1]}" for run in runs)
