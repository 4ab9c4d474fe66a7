"""Explain any capture in words: the file as a whole, what was found, each exchange, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence, View
from lab.filters.talks import Talk
from lab.findings.base import Finding, Severity, findings
from lab.packets.each import Each, one_by_one
from lab.packets.scratch import scratch_of
from lab.report.background import background
from lab.report.file_line import file_line
from lab.report.glyphs import COMMAS, fold, safe, width
from lab.report.ladder import taken
from lab.report.paragraphs import sentences, some
from lab.report.people import People, people
from lab.report.ranking import Ranking, ranking
from lab.report.summaries import HANDSHAKES, title
from lab.report.terminal import BACKGROUND, Paint, plain
from lab.tcp.connections import Connections
from lab.tcp.model import Handshake
from lab.text import Language, Text, same

if TYPE_CHECKING:  # who asks for no filter does without
    from lab.filters.chosen import Chosen

IN_FULL = 20
"""Exchanges and findings explained in full; the rest is counted."""

OF_A_KIND = 3
"""Findings of one kind that are told where there are more than can be."""


FOUND = Text("Found, worst first: {counts}", "发现（由重到轻）：{counts}")
COUNTS = {
    Severity.ERROR: (Text("1 error", "1 个错误"), Text("{count} errors", "{count} 个错误")),
    Severity.WARNING: (Text("1 warning", "1 个警告"), Text("{count} warnings", "{count} 个警告")),
    Severity.NOTE: (Text("1 note", "1 条提示"), Text("{count} notes", "{count} 条提示")),
}
MORE_FOUND = Text(
    "… and {count} more: {kinds}. 'lab explain --all' lists them.",
    "…… 另有 {count} 项：{kinds}。'lab explain --all' 全部列出。",
)
WORST = Text(
    "The {shown} worst of {count} exchanges (--all shows every one):",
    "共 {count} 次交换，以下是最值得注意的 {shown} 次（--all 显示全部）：",
)
REST = Text(
    "… and {count} more, less remarkable: {kinds}.", "…… 另有 {count} 次，较为平常：{kinds}。"
)
CHOSEN = Text(
    "The filter holds for {count} of {total} exchange[|s].",
    "{total} 次交换中有 {count} 次符合过滤条件。",
)
IN_PARTS = Text(
    "Analysed in {count} parts: as a whole it does not fit into the memory that may be taken.",
    "分 {count} 部分完成分析：作为整体，它放不进可用的内存。",
)
ON_DISK = Text(
    "Analysed with temporary files: as a whole it does not fit into the memory that may be taken.",
    "借助临时文件完成分析：作为整体，它放不进可用的内存。",
)
NOTHING = Text("Nothing remarkable was found.", "没有发现异常。")
NOTHING_ABOUT = Text("Nothing remarkable was found about them.", "其中没有发现异常。")
SEVERITIES = {
    Severity.ERROR: Text("error", "错误"),
    Severity.WARNING: Text("warning", "警告"),
    Severity.NOTE: Text("note", "提示"),
}
INDENT = 9
"""Columns before the words of a finding: the longest of those, and a space."""
STYLE = {Severity.ERROR: "bad", Severity.WARNING: "warning", Severity.NOTE: "faint"}


def explain(
    evidence: Evidence,
    language: Language,
    columns: int,
    paint: Paint = plain,
    *,
    found: Sequence[Finding] | None = None,
    chosen: Chosen | None = None,
    everything: bool = False,
    each: Each = one_by_one,
) -> Iterator[str]:
    """Yield the lines that explain a capture file, or the first view of a run.

    ``found``: its findings, worst first, if they are known already; ``chosen``: the exchanges to
    tell of (all); ``everything``: however many there are; ``each``: see `lab.packets.each`.
    """
    view = evidence.view
    found = findings(evidence) if found is None else found
    yield from summary_and_findings(
        evidence,
        language,
        columns,
        paint,
        found=found,
        chosen=chosen,
        everything=everything,
        each=each,
    )
    worst = ranking(view, found, chosen)
    limit = len(worst) if everything else IN_FULL
    yield from _paragraphs(evidence, worst, limit, language, columns, paint)
    if chosen is None and (counts := background(view.capture.frames, _told(view))):
        words = COMMAS[language].join(f"{count:,} {name}" for name, count in counts.items())
        yield from ("", *fold([BACKGROUND.fill(counts=words).say(language)], columns))


def _told(view: View) -> Iterator[NDArray[np.int64]]:
    """The rows of all exchanges, with the ICMP errors that answer them."""
    if isinstance(view.connections, Connections):
        yield view.connections.table.segments.row
    else:
        yield from taken(view.connections)
    yield from taken(view.exchanges)


def summary_and_findings(
    evidence: Evidence,
    language: Language,
    columns: int,
    paint: Paint = plain,
    *,
    found: Sequence[Finding],
    chosen: Chosen | None = None,
    everything: bool = False,
    each: Each = one_by_one,
) -> Iterator[str]:
    """The first part of `explain`: the file as a whole, how many were chosen, what was found."""
    view = evidence.view
    yield from summary_lines(evidence, language, columns, paint, each)
    if chosen is not None:
        found = about(found, chosen)
        total = len(view.connections) + len(view.exchanges)
        counts = CHOSEN.fill(count=f"{len(chosen):,}", total=f"{total:,}")
        yield from ("", *fold([counts.say(language)], columns))
    yield ""
    if found:
        yield from found_heading(found, language, columns, paint)
        limit = len(found) if everything else IN_FULL
        yield from finding_lines(found, language, columns, paint, limit=limit)
    else:
        none = NOTHING if chosen is None else NOTHING_ABOUT
        yield paint(none.say(language), "good")


def summary_lines(
    evidence: Evidence,
    language: Language,
    columns: int,
    paint: Paint = plain,
    each: Each = one_by_one,
) -> Iterator[str]:
    """Each file as a whole, and what lay between two vantage points."""
    from lab.report import between, overview  # what has one file to name only does without them

    for view in evidence.views:
        heading = fold([file_line(view).say(language)], columns)
        yield from (paint(line, "title") for line in heading)
        for sentence in overview.sentences(overview.overview(view, each)):
            yield from ("  " + line for line in fold([sentence.say(language)], columns - 2))
        if scratch := scratch_of(view.capture.frames.octets):
            told = (IN_PARTS if scratch.parts > 1 else ON_DISK).fill(count=scratch.parts)
            yield from ("  " + line for line in fold([told.say(language)], columns - 2))
    for sentence in between.sentences(evidence):
        yield from fold([sentence.say(language)], columns)


def _paragraphs(
    evidence: Evidence, worst: Ranking, limit: int, language: Language, columns: int, paint: Paint
) -> Iterator[str]:
    """The worst exchanges, one after another; how many others there are, and of which kinds."""
    who = people(evidence.manifest)
    if len(worst) > limit:
        heading = WORST.fill(shown=limit, count=f"{len(worst):,}").say(language)
        yield from ("", *(paint(line, "title") for line in fold([heading], columns)))
    for talk in worst.first(limit):
        yield ""
        yield from paragraph(talk, evidence.view, who, language, columns, paint)
    if rest := worst.after(limit):
        yield from ("", *fold([_rest(rest).say(language)], columns))


def paragraph(
    talk: Talk, view: View, who: People, language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """One exchange: its title and its sentences."""
    for line in fold([title(talk, who).say(language)], columns):
        yield paint(line, "title")
    for sentence in sentences(talk, view):
        yield from ("  " + line for line in fold([sentence.say(language)], columns - 2))


def _rest(kinds: Counter[Handshake | None]) -> Text:
    """How many exchanges are left out, by how they opened."""
    each = [
        (f"{count:,}", same("UDP") if kind is None else HANDSHAKES[kind])
        for kind, count in kinds.most_common()
    ]
    words = Text(
        ", ".join(f"{count} {kind.en}" for count, kind in each),
        "、".join(f"{kind.zh} {count}" for count, kind in each),
    )
    return REST.fill(count=f"{kinds.total():,}", kinds=words)


def about(found: Sequence[Finding], told: Chosen) -> list[Finding]:
    """The findings that concern these exchanges; what makes the whole recording doubtful does."""
    theirs = told.frames()

    def concerns(one: Finding) -> bool:
        if one.stream is not None:
            return told.has(one.protocol, one.stream)
        return not one.frames or bool(theirs[np.array(one.frames) - 1].any())

    return [one for one in found if concerns(one)]


def found_heading(
    found: Sequence[Finding], language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """How many errors, warnings and notes there are."""
    counts = Counter(one.severity for one in found)
    each = [
        COUNTS[severity][counts[severity] > 1].fill(count=f"{counts[severity]:,}").say(language)
        for severity in reversed(Severity)
        if counts[severity]
    ]
    line = FOUND.fill(counts=COMMAS[language].join(each)).say(language)
    yield from (paint(part, "title") for part in fold([line], columns))


def finding_lines(
    found: Sequence[Finding],
    language: Language,
    columns: int,
    paint: Paint = plain,
    *,
    limit: int = IN_FULL,
) -> Iterator[str]:
    """Each finding: how much it matters, what it is, which frames show it; the rest is counted.

    Of more than ``limit``, a few of each kind are told. Advice that is the same for several is
    given once.
    """
    told, rest = _selected(found, limit)
    advised: set[Text] = set()
    for one in told:
        mark = SEVERITIES[one.severity].say(language)
        where = f"[{one.protocol} {one.stream}]" if one.stream is not None else ""
        words = [safe(one.words.say(language)), where, some(one.frames)]
        lines = fold([" ".join(word for word in words if word)], columns - INDENT)
        yield paint(mark, STYLE[one.severity]) + " " * (INDENT - width(mark)) + lines[0]
        if one.next and one.next not in advised:
            advised.add(one.next)
            lines += fold(["→ " + safe(one.next.say(language))], columns - INDENT)
        yield from (" " * INDENT + line for line in lines[1:])
    if rest:
        kinds = Counter(one.id for one in rest).most_common()
        each = COMMAS[language].join(f"{count:,} {name}" for name, count in kinds)
        more = MORE_FOUND.fill(count=f"{len(rest):,}", kinds=each)
        yield from fold([more.say(language)], columns)


def _selected(found: Sequence[Finding], limit: int) -> tuple[list[Finding], list[Finding]]:
    """What is told and what is only counted: thousands of one kind do not hide another."""
    if len(found) <= limit:
        return [*found], []
    told: list[Finding] = []
    rest: list[Finding] = []
    kinds: Counter[str] = Counter()
    for one in found:
        kinds[one.id] += 1
        (told if kinds[one.id] <= OF_A_KIND and len(told) < limit else rest).append(one)
    return told, rest
