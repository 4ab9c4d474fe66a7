"""Two ladders on one page: the steps of two runs side by side, on a scale that both share.

Even: a row of the comparison a row. True scale: both clocks begin at their run's first step, and
what took as long is as long on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.page.geometry import FOOT, HEAD, Axis, Pair, Span, axis
from lab.page.geometry import Step as Stretch
from lab.page.scene import Bar, FrameRow

ROW, CALL, LAST_CALL = 66.0, 24.0, 36.0
"""px of a row, of a line of calls, and of the last one above a row, even."""

LEAST = 26.0
"""px between two moments at least, in true scale."""

BEYOND = 30.0
"""px that something after the last step can stand below it."""

Times = Sequence[int | None]
"""ns of a run's steps, row by row; None: the run has none there."""


class Common(Struct, frozen=True):
    """Where the rows of both runs stand; None: no step there."""

    heights: Pair
    even: tuple[float, ...]  # px, by row
    true: tuple[tuple[float | None, ...], tuple[float | None, ...]]  # px, by run and row
    stretches: tuple[Stretch, ...]  # of the true scale

    def top(self, side: int, row: int) -> Pair:
        """Where the step of one run stands in a row."""
        true = self.true[side][row]
        return self.even[row], self.even[row] if true is None else true


def common(
    times: Sequence[Times], sizes: Sequence[float] = (), starts: Sequence[int | None] = (None, None)
) -> Common:
    """Place the rows of two runs; every time is counted from its own run's first step.

    ``sizes``: px of each row, even; ``starts``: the first steps' times, where calls come before.
    """
    since = tuple(_since(one, start) for one, start in zip(times, starts, strict=True))
    high = list(sizes) or [ROW] * len(times[0])
    moments = sorted({time for one in since for time in one if time is not None})
    shared = axis(moments, [ROW] * len(moments), [LEAST] * len(moments))
    tops = {moment: shared.top(index)[1] for index, moment in enumerate(moments)}
    steps = ((one + other) / 2 for one, other in pairwise(high))
    even = tuple(accumulate(steps, initial=HEAD))[: len(high)]
    ours, theirs = (tuple(tops[t] if t is not None else None for t in one) for one in since)
    height = (even[-1] if even else HEAD) + FOOT
    return Common((height, shared.heights[1]), even, (ours, theirs), shared.steps)


def _since(times: Times, start: int | None) -> list[int | None]:
    if start is None:
        start = next((time for time in times if time is not None), 0)
    return [None if time is None else time - start for time in times]


class Half:
    """One run's ladder, moved from its own rows to those of a comparison."""

    def __init__(self, own: Axis, common: Common, side: int, times: Times) -> None:
        """``own``: of the run's ladder; ``times``: of its steps, by row of the comparison."""
        rows = [row for row, time in enumerate(times) if time is not None]
        moments = [time for time in times if time is not None]
        places = [common.top(side, row) for row in rows]
        self._own = own
        self._since: NDArray[np.float64] = np.array([t - own.start for t in moments], float)
        self._tops = tuple(np.array(one, float) for one in zip(*places, strict=True))
        self._heights = common.heights

    def place(self, own: float) -> Pair:
        """Where stands what the run's own ladder has at this place (px, even)."""
        tops, times = self._own.tops[0], self._own.times
        time = float(np.interp(own, tops, times))
        if own >= self._own.heights[0] - 1:
            return self._heights
        if time < self._since[0]:
            return 0.0, 0.0
        last = float(np.interp(self._since[-1], times, tops))
        more = min(max(0.0, own - last), BEYOND) if time >= self._since[-1] else 0.0
        even, true = (float(np.interp(time, self._since, one)) + more for one in self._tops)
        return even, true

    def row(self, row: FrameRow, top: Pair, key: str) -> FrameRow:
        """A frame at its new place; ``key``: its name on the page."""
        arrow, here = row.arrow, row.top[0]
        begin = here + arrow.lift[0]
        moved = replace(
            arrow,
            lift=self._between(here, begin),
            fall=self._between(begin, begin + arrow.fall[0]),
            forked=tuple(self._between(begin, begin + copy[0]) for copy in arrow.forked),
        )
        return replace(row, top=top, key=key, arrow=moved)

    def _between(self, here: float, there: float) -> Pair:
        if here == there:
            return 0.0, 0.0
        (even, true), (at_even, at_true) = self.place(here), self.place(there)
        return at_even - even, at_true - true

    def bars(self, bars: Iterable[Bar]) -> tuple[Bar, ...]:
        """States at their new places."""
        return tuple(
            replace(bar, span=self._span(bar.span), sure=tuple(map(self._span, bar.sure)))
            for bar in bars
        )

    def _span(self, span: Span) -> Span:
        top = span.top[0]
        return Span(self.place(top), self._between(top, top + span.height[0]))
