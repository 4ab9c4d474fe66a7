"""The page of a comparison: two runs, a ladder each, side by side, the first difference marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup
from msgspec import Struct

from lab.evidence.run import Evidence
from lab.page.below import heading
from lab.page.build import scene
from lab.page.geometry import Arrow
from lab.page.glossary import Marker
from lab.page.render import asset, policy, template
from lab.page.scene import Act, Bar, FrameRow, frames_of
from lab.page.twofold import Common, Half, common
from lab.page.words import ABOUT, CONTRAST
from lab.report.difference.drawing import ALIKE, DIFFER, FIRST, LEGEND, MOST_PAIRS
from lab.report.difference.model import RUNS, About, Difference, First, Mark, Pair, Row, Told
from lab.report.difference.steps import Step
from lab.report.events import FrameEvent
from lab.report.people import CLIENT, SERVER
from lab.tcp.model import Connection
from lab.text import Text, same
from lab.units import seconds

WHOLE, NEAR, MOST = 150, 3, 400
"""Rows of an exchange up to which all are drawn; else how far from one that differs; and at most."""

LOOKS = {Mark.SAME: "same", Mark.OPEN: "same", Mark.TIME: "late", Mark.OTHER: "not"}
SWITCHES = (("e", "scale"), ("l", "language"), ("d", "theme"), ("P", "print"))
NOWHERE = 0.0, 0.0

Grouped = tuple[tuple[Text, tuple[Text, ...]], ...]
"""Sentences by what they are about."""


class Cell(Struct, frozen=True):
    """The step of one run; ``fields``: what the comparison went by, where the two differ."""

    row: FrameRow
    fields: str = ""


class Both(Struct, frozen=True):
    """A row of the comparison."""

    key: str
    top: float  # px, even
    mark: str  # "=", "~", "·", "!"
    look: str  # of the mark
    cells: tuple[Cell | None, ...]  # by run
    skipped: int  # rows alike before this one that are not drawn
    is_first: bool


class Side(Struct, frozen=True):
    """What stands beside one run's arrows."""

    hosts: tuple[Text, Text]
    states: tuple[Bar, ...] = ()


class Drawn(Struct, frozen=True):
    """One exchange of both runs."""

    title: Text
    common: Common
    sides: tuple[Side, ...]  # by run
    rows: tuple[Both, ...]
    left_out: int  # rows after the last one
    told: Grouped


def contrast(names: Sequence[str], runs: Sequence[Evidence], found: Difference) -> str:
    """The whole page of a comparison.

    Args:
        names: what the two are called.
        runs: both, as they were compared.
        found: what `lab.report.difference.compare.difference` says of them.
    """
    script, style = asset("contrast.js"), asset("style.css") + asset("contrast.css")
    differing = [place for place, pair in enumerate(found.pairs) if not pair.alike]
    acts = [{act.key: act for act in scene(run).acts} for run in runs]
    filled = {
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
    kept = _kept(pair.rows)
    steps = [[_steps(pair.rows[index])[side] for index in kept] for side in (0, 1)]
    placed = common([[step.time if step else None for step in one] for one in steps])
    ladders = [_Ladder(_act(pair, acts[side], side), placed, side, steps[side]) for side in (0, 1)]
    return Drawn(
        title=pair.title,
        common=placed,
        sides=tuple(ladder.side for ladder in ladders),
        rows=tuple(_both(pair, place, kept, ladders, found.first)),
        left_out=len(pair.rows) - 1 - kept[-1] if kept else 0,
        told=_grouped(pair.told),
    )


def _steps(row: Row) -> tuple[Step | None, Step | None]:
    return row.left, row.right


def _kept(rows: Sequence[Row]) -> list[int]:
    """The rows that are drawn."""
    if len(rows) <= WHOLE:
        return list(range(len(rows)))
    near = {0, len(rows) - 1} | {n for n, row in enumerate(rows) if LOOKS[row.mark] != "same"}
    kept = {at + by for at in near for by in range(-NEAR, NEAR + 1)}
    return sorted(kept & set(range(len(rows))))[:MOST]


def _act(pair: Pair, acts: Mapping[str, Act], side: int) -> Act | None:
    """The run's own ladder of its exchange; None if it has none, or none was drawn."""
    talk = (pair.left, pair.right)[side]
    if talk is None:
        return None
    return acts.get(f"{'tcp' if isinstance(talk, Connection) else 'udp'}{talk.stream}")


def _both(
    pair: Pair, place: int, kept: Sequence[int], ladders: Sequence[_Ladder], first: First | None
) -> Iterator[Both]:
    before = -1
    for line, index in enumerate(kept):
        row = pair.rows[index]
        differ = row.mark is Mark.OTHER and row.left is not None and row.right is not None
        yield Both(
            key=_key(place, index),
            top=ladders[0].common.even[line],
            mark=row.mark.value,
            look=LOOKS[row.mark],
            cells=tuple(one.cell(line, _key(place, index), differ=differ) for one in ladders),
            skipped=index - before - 1,
            is_first=first is not None and (first.pair, first.row) == (place, index),
        )
        before = index


class _Ladder:
    """One run's part of an exchange."""

    def __init__(
        self, act: Act | None, common: Common, side: int, steps: Sequence[Step | None]
    ) -> None:
        self.common = common
        self._place, self._steps = side, steps
        times = [step.time if step else None for step in steps]
        self._half = Half(act.axis, common, side, times) if act and any(times) else None
        rows = frames_of(act.rows) if act else []
        self._known = {(bool(row.event.elsewhere), row.event.number): row for row in rows}
        self._ours = next((step.host for step in steps if step), "")
        self._start = next((step.time for step in steps if step), 0)
        hosts = act.hosts if act else (CLIENT, SERVER)
        self.side = Side(hosts, self._half.bars(act.states) if act and self._half else ())

    def cell(self, line: int, key: str, *, differ: bool) -> Cell | None:
        """The step of a line, drawn as the run's own page draws it."""
        if (step := self._steps[line]) is None:
            return None
        key, top = f"{key}{RUNS[self._place]}", self.common.top(self._place, line)
        known = self._known.get((step.host != self._ours, step.frame))
        if known is None or self._half is None:
            row = _plain(step, self._start, top, key)
        else:
            row = self._half.row(known, top, key)
        return Cell(row, step.fields if differ else "")


def _plain(step: Step, start: int, top: tuple[float, float], key: str) -> FrameRow:
    """A step that the run's own ladder leaves out."""
    target = "C" if step.sender == "S" else "S"
    event = FrameEvent(
        step.time, step.frame, step.sender, target, step.name, words=(same(step.fields),)
    )
    ends = (0, 100) if step.sender == "C" else (100, 0)
    clock = seconds(step.time - start)
    return FrameRow(key, top, (clock,) * 4, event, Arrow(*ends, NOWHERE, NOWHERE), "ack")
