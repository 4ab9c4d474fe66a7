"""The page of a comparison: two runs, a ladder each, side by side, the first difference marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, zip_longest

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.run import Evidence
from lab.page.below import heading
from lab.page.build import scene
from lab.page.calls import call_rows
from lab.page.geometry import Arrow
from lab.page.glossary import Marker
from lab.page.lines import Line, Member, lines, time_of
from lab.page.render import asset, policy, template
from lab.page.scene import Act, Bar, CallRow, FrameRow, frames_of
from lab.page.twofold import CALL, LAST_CALL, ROW, Common, Half, common
from lab.page.words import CONTRAST
from lab.report.difference.drawing import ALIKE, DIFFER, FIRST, LEGEND, MOST_PAIRS
from lab.report.difference.model import RUNS, About, Difference, First, Mark, Pair, Row, Told
from lab.report.difference.steps import Step
from lab.report.events import FrameEvent
from lab.report.people import CLIENT, SERVER, people
from lab.text import Language, Text, same
from lab.units import seconds

WHOLE, NEAR, MOST = 150, 3, 400
"""Rows of an exchange up to which all are drawn; else how far from one that differs; and at most."""

ABOUT = {
    About.OPENING: Text("How it opens", "如何建立"),
    About.CLOSING: Text("How it ends", "如何结束"),
    About.STATE: Text("States", "状态"),
    About.CALLS: Text("Calls", "调用"),
    About.COUNTERS: Text("Counters", "计数器"),
}
"""What a difference is about."""

LOOKS = {Mark.SAME: "same", Mark.OPEN: "same", Mark.TIME: "late", Mark.OTHER: "not"}
SWITCHES = (("e", "scale"), ("l", "language"), ("d", "theme"), ("P", "print"))
NOWHERE = 0.0, 0.0

Grouped = tuple[tuple[Text, tuple[Text, ...]], ...]
"""Sentences by what they are about."""


class Cell(Struct, frozen=True):
    """The step of one run, or its call; ``fields``: what the comparison went by, where the two
    differ; ``ties``: of a call, the keys of its frames on this page, and their labels."""

    row: FrameRow | CallRow
    fields: str = ""
    ties: tuple[tuple[str, str], ...] = ()


class Both(Struct, frozen=True):
    """A row of the comparison, or calls between two."""

    key: str
    top: float  # px, even
    mark: str  # "=", "~", "·", "!"; "": calls
    look: str  # of the mark
    cells: tuple[Cell | None, ...]  # by run
    skipped: int  # rows alike before this one that are not drawn
    is_first: bool


class Side(Struct, frozen=True):
    """What stands beside one run's arrows."""

    hosts: tuple[Text, Text]
    states: tuple[Bar, ...] = ()
    calls: tuple[Bar, ...] = ()


class Drawn(Struct, frozen=True):
    """One exchange of both runs."""

    title: Text
    common: Common
    sides: tuple[Side, ...]  # by run
    rows: tuple[Both, ...]
    left_out: int  # rows after the last one
    told: Grouped


def contrast(
    names: Sequence[str],
    runs: Sequence[Evidence],
    found: Difference,
    language: Language = Language.EN,
) -> str:
    """The whole page of a comparison.

    Args:
        names: what the two are called.
        runs: both, as they were compared.
        found: what `lab.report.difference.compare.difference` says of them.
        language: in which it opens; the other is a key away.
    """
    script, style = asset("contrast.js"), asset("style.css") + asset("contrast.css")
    differing = [place for place, pair in enumerate(found.pairs) if not pair.alike]
    acts = [{act.key: act for act in scene(run).acts} for run in runs]
    filled = {
        "language": language,
        "names": tuple(zip(RUNS, names, map(heading, runs), strict=True)),
        "found": found,
        "first": _first(found),
        "legend": LEGEND,
        "conclusion": _conclusion(found),
        "pairs": [_drawn(found, place, acts) for place in differing[:MOST_PAIRS]],
        "left_out": max(0, len(differing) - MOST_PAIRS),
        "alike": [(pair.title, len(pair.rows)) for pair in found.pairs if pair.alike][:MOST_PAIRS],
        "apart": _grouped(found.told),
        "switches": [(key, CONTRAST[name]) for key, name in SWITCHES],
        "C": CONTRAST,
        "marker": Marker(),
        "policy": policy(script, style),
        "script": Markup(script),  # noqa: S704 - our own file
        "style": Markup(style),  # noqa: S704 - our own file
    }
    return template("contrast.html").render(filled)


def _key(pair: int, row: int) -> str:
    return f"p{pair}r{row}"


def _first(found: Difference) -> tuple[str, Text] | None:
    """Where the first difference stands, and a sentence."""
    if (first := found.first) is None:
        return None
    title = found.pairs[first.pair].title
    return _key(first.pair, first.row), FIRST.fill(pair=title, words=first.words)


def _conclusion(found: Difference) -> Text:
    marks = [row.mark for pair in found.pairs for row in pair.rows]
    if found.alike:
        return ALIKE.fill(count=len(marks))
    steps = sum(LOOKS[mark] != "same" for mark in marks)
    others = len(found.told) + sum(len(pair.told) for pair in found.pairs)
    return DIFFER.fill(steps=steps, others=others)


def _grouped(told: Sequence[Told]) -> Grouped:
    order = list(About)
    ranked = sorted(told, key=lambda one: order.index(one.about))
    return tuple(
        (ABOUT[about], tuple(one.words for one in group))
        for about, group in groupby(ranked, key=lambda one: one.about)
    )


# ---------------------------------------------------------------- one exchange


def _drawn(found: Difference, place: int, acts: Sequence[Mapping[str, Act]]) -> Drawn:
    pair = found.pairs[place]
    own = [_act(pair, acts[side], side) for side in (0, 1)]
    kept = _kept(pair.rows)
    told = list(lines(pair.rows, kept, [list(call_rows(act.rows)) if act else [] for act in own]))
    times = list(zip(*(line.times for line in told), strict=True)) or [(), ()]
    starts = [_start(pair.rows, side) for side in (0, 1)]
    sizes = [_size(line, following) for line, following in zip_longest(told, told[1:])]
    placed = common(times, sizes, starts)
    ladders = [
        _Ladder(own[side], placed, side, [line.members[side] for line in told]) for side in (0, 1)
    ]
    for ladder in ladders:
        ladder.name_frames(place, told)
    return Drawn(
        title=pair.title,
        common=placed,
        sides=tuple(ladder.side for ladder in ladders),
        rows=tuple(_both(pair, place, told, ladders, found.first)),
        left_out=len(pair.rows) - 1 - kept[-1] if kept else 0,
        told=_grouped(pair.told),
    )


def _size(line: Line, following: Line | None) -> float:
    """px that a line takes, even."""
    if line.row is not None:
        return ROW
    return CALL if following is None or following.row is None else LAST_CALL


def _start(rows: Sequence[Row], side: int) -> int | None:
    """When one run's first step was, ns."""
    return next((step.time for row in rows if (step := (row.left, row.right)[side])), None)


def _kept(rows: Sequence[Row]) -> list[int]:
    """The rows that are drawn."""
    if len(rows) <= WHOLE:
        return list(range(len(rows)))
    near = {0, len(rows) - 1} | {n for n, row in enumerate(rows) if LOOKS[row.mark] != "same"}
    kept = {at + by for at in near for by in range(-NEAR, NEAR + 1)}
    return sorted(kept & set(range(len(rows))))[:MOST]


def _act(pair: Pair, acts: Mapping[str, Act], side: int) -> Act | None:
    """The run's own ladder of its exchange; None if it has none, or none was drawn."""
    seen = (pair.left, pair.right)[side]
    return acts.get(people(seen.evidence.manifest).key(seen)) if seen else None


def _both(
    pair: Pair, place: int, told: Sequence[Line], ladders: Sequence[_Ladder], first: First | None
) -> Iterator[Both]:
    before = -1
    for line, one in enumerate(told):
        key = _key(place, one.row) if one.row is not None else f"p{place}c{line}"
        top = ladders[0].common.even[line]
        if one.row is None:
            cells = tuple(ladder.cell(line, key, differ=False) for ladder in ladders)
            yield Both(key, top, "", "", cells, 0, is_first=False)
            continue
        row = pair.rows[one.row]
        differ = row.mark is Mark.OTHER and row.left is not None and row.right is not None
        yield Both(
            key=key,
            top=top,
            mark=row.mark.value,
            look=LOOKS[row.mark],
            cells=tuple(ladder.cell(line, key, differ=differ) for ladder in ladders),
            skipped=one.row - before - 1,
            is_first=first is not None and (first.pair, first.row) == (place, one.row),
        )
        before = one.row


class _Ladder:
    """One run's part of an exchange."""

    def __init__(
        self, act: Act | None, common: Common, side: int, members: Sequence[Member]
    ) -> None:
        self.common = common
        self._place, self._members = side, members
        times = [time_of(member) for member in members]
        self._half = Half(act.axis, common, side, times) if act and any(times) else None
        rows = frames_of(act.rows) if act else []
        home = act.elsewhere if act else ""
        self._known = {(row.event.elsewhere != home, row.event.number): row for row in rows}
        steps = [one for one in members if isinstance(one, Step)]
        self._ours = next((step.host for step in steps), "")
        self._start = next((step.time for step in steps), 0)
        self._named: dict[str, tuple[str, str]] = {}
        hosts = act.hosts if act else (CLIENT, SERVER)
        drawn = (act.states, act.calls) if act and self._half else ((), ())
        self.side = Side(hosts, *(self._half.bars(bars) if self._half else () for bars in drawn))

    def name_frames(self, place: int, told: Sequence[Line]) -> None:
        """Learn what the frames of this run are called on the page: calls are tied to them."""
        for line, step in zip(told, self._members, strict=True):
            if isinstance(step, Step) and line.row is not None and (known := self._row(step)):
                name = f"{_key(place, line.row)}{RUNS[self._place]}"
                self._named[known.key] = name, known.event.label

    def _row(self, step: Step) -> FrameRow | None:
        return self._known.get((step.host != self._ours, step.frame))

    def cell(self, line: int, key: str, *, differ: bool) -> Cell | None:
        """The step or the call of a line, drawn as the run's own page draws it."""
        if (member := self._members[line]) is None:
            return None
        key, top = f"{key}{RUNS[self._place]}", self.common.top(self._place, line)
        if isinstance(member, CallRow):
            ties = (self._named[frame] for frame in member.frames if frame in self._named)
            return Cell(replace(member, top=top, key=key), ties=tuple(ties))
        known = self._row(member)
        if known is None or self._half is None:
            row = _plain(member, self._start, top, key)
        else:
            row = self._half.row(known, top, key)
        return Cell(row, member.fields if differ else "")


def _plain(step: Step, start: int, top: tuple[float, float], key: str) -> FrameRow:
    """A step that the run's own ladder leaves out."""
    target = "C" if step.sender == "S" else "S"
    event = FrameEvent(
        step.time, step.frame, step.sender, target, step.name, words=(same(step.fields),)
    )
    ends = (0, 100) if step.sender == "C" else (100, 0)
    clock = seconds(step.time - start)
    return FrameRow(key, top, (clock,) * 4, event, Arrow(*ends, NOWHERE, NOWHERE), "ack")
