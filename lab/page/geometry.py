"""Where everything on the ladder stands: computed here, so that a browser has only to choose.

Time runs down the page, in two modes. *Even*: a row an event. *True scale*: proportional to time,
as far as that can be read; what is too close is stretched to a line's height, what is quiet for
long is drawn together, and the axis shows which is which. Between two events either mode is linear
in time, so that the moment at which a frame arrives has its place too.

Every place is a pair, (even, true scale), in CSS pixels from the top of its section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from math import log10

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Pair = tuple[float, float]

HEAD = 34.0  # px above the first event
FOOT = 46.0  # px below the last one
LONGEST = 300.0
"""px: a step that would be longer is a quiet period, and drawn as a zig-zag."""

TENFOLD = 26.0
"""px by which a zig-zag grows for each power of ten: longer silences still look longer."""

LEFT, WIRE, RIGHT = 0, 50, 100
"""Across the ladder, per cent: the two ends, and the cable between them."""


class Pace(StrEnum):
    """How a step of the true scale was drawn."""

    SCALE = "scale"  # as long as it took
    STRETCHED = "stretched"  # longer: nobody could read it
    QUIET = "quiet"  # shorter, drawn as a zig-zag


class Step(Struct, frozen=True, gc=False):
    """What lies between two events in true scale."""

    top: float  # px
    height: float  # px
    span: int  # ns
    pace: Pace


class Axis(Struct, frozen=True):
    """The events of one section, placed in both modes."""

    start: int  # ns since 1970-01-01 UTC: times are kept as floats from here on
    times: NDArray[np.float64]  # ns since then, ascending, one entry an event
    tops: tuple[NDArray[np.float64], NDArray[np.float64]]  # px, by mode
    heights: Pair  # of the whole section
    steps: tuple[Step, ...] = ()  # of the true scale
    scale: float = 0.0  # px a ns of the true scale; 0: no step is drawn to scale

    def top(self, index: int) -> Pair:
        """Where an event stands."""
        return float(self.tops[0][index]), float(self.tops[1][index])

    def at(self, time: int) -> Pair:
        """Where a moment (ns since 1970) stands; before the first event and after the last one, at
        the edge."""
        since = float(time - self.start)
        even, true = (float(np.interp(since, self.times, tops)) for tops in self.tops)
        return even, true


def axis(times: Sequence[int], even: Sequence[float], least: Sequence[float]) -> Axis:
    """Place events.

    Args:
        times: ns, ascending.
        even: px that each takes with a row an event.
        least: px that each takes at least in true scale.
    """
    if not len(times):
        nowhere = np.empty(0)
        return Axis(0, nowhere, (nowhere, nowhere), (HEAD + FOOT, HEAD + FOOT))
    since = np.maximum.accumulate(np.array([time - times[0] for time in times], np.float64))
    spans, floor = np.diff(since), np.array(least[1:], np.float64)
    scale = best_scale(spans, floor)
    drawn = np.array([_height(*one, scale) for one in zip(spans, floor, strict=True)])
    evenly = HEAD + np.r_[0.0, np.cumsum(np.array(even[1:], np.float64))]
    truly = HEAD + np.r_[0.0, np.cumsum(drawn)]
    steps = tuple(
        Step(float(top), float(height), int(span), _pace(span, low, scale))
        for top, height, span, low in zip(truly[:-1], drawn, spans, floor, strict=True)
    )
    heights = float(evenly[-1]) + FOOT, float(truly[-1]) + FOOT
    return Axis(int(times[0]), since, (evenly, truly), heights, _joined(steps), scale)


def best_scale(spans: NDArray[np.float64], least: NDArray[np.float64]) -> float:
    """px a ns, so that as many steps as can be are drawn as long as they took; of several such
    scales the coarsest, which shows the longest steps."""
    lasting = spans > 0
    if not lasting.any():
        return 0.0
    finest, coarsest = least[lasting] / spans[lasting], LONGEST / spans[lasting]
    begins, ends = np.sort(finest), np.sort(coarsest)
    fits = np.searchsorted(begins, begins, "right") - np.searchsorted(ends, begins, "left")
    return float(begins[int(np.argmax(fits))])


def _height(span: float, least: float, scale: float) -> float:
    wanted = span * scale
    if wanted > LONGEST:
        return LONGEST / 2 + TENFOLD * log10(wanted / LONGEST)
    return max(wanted, least)


def _pace(span: float, least: float, scale: float) -> Pace:
    if span * scale > LONGEST:
        return Pace.QUIET
    return Pace.SCALE if span * scale >= least * 0.999 else Pace.STRETCHED


def _joined(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Neighbours of one pace as one step; each quiet one stays alone, for its duration is told."""
    found: list[Step] = []
    for one in steps:
        if found and found[-1].pace is one.pace is not Pace.QUIET:
            last = found[-1]
            found[-1] = Step(last.top, last.height + one.height, last.span + one.span, one.pace)
        else:
            found.append(one)
    return tuple(found)


# ---------------------------------------------------------------- room

APART = 56.0
"""px between the middles of two arrows, so that the words of both can be read."""

CROSSING = 14.0
"""px more between arrows of which one falls to the left and one to the right: their words near each
other at one end."""

MEETING = 30.0
"""px more between two steep arrows that meet at the port: the words of both stand there."""

MOST = 130.0
"""px that a step takes at most to that end, with a row an event."""


def even_heights(
    times: Sequence[int], usual: Sequence[float], journeys: Mapping[int, Journey]
) -> list[float]:
    """px that each row takes with a row an event: more where two arrows would come too close.

    Args:
        times: ns, ascending.
        usual: px of a row of its kind.
        journeys: of the frames, by index.
    """
    heights = list(usual)
    for before, after in pairwise(sorted(journeys)):
        span = times[after] - times[before]
        if span <= 0:
            continue
        step = sum(usual[before + 1 : after + 1])
        late, early = journeys[before].offset(times[before]), journeys[after].offset(times[after])
        kept = 1 - max(0.0, min(late / span, 1.0) - max(early / span, -1.0)) / 2
        turned = journeys[before].rightward != journeys[after].rightward
        wanted = (APART + CROSSING * turned * bool(late)) / max(kept, 0.01)
        heights[after] += max(0.0, min(wanted, MOST) - step)
        if _comes_from_far(times, before, late) and _goes_far(times, after, early):
            heights[after] += MEETING
    return heights


def _comes_from_far(times: Sequence[int], index: int, offset: int) -> bool:
    """Whether a frame was sent before the event above its own."""
    return index > 0 and -offset > times[index] - times[index - 1]


def _goes_far(times: Sequence[int], index: int, offset: int) -> bool:
    """Whether a frame arrives after the event below its own."""
    return index + 1 < len(times) and offset > times[index + 1] - times[index]


# ---------------------------------------------------------------- arrows


class Arrow(Struct, frozen=True, gc=False):
    """How a frame goes across: from where to where, and how it falls meanwhile."""

    begin: int  # LEFT, WIRE or RIGHT
    end: int
    lift: Pair  # px from the row's own place to where the arrow begins
    fall: Pair  # px from there to its end
    lost: bool = False  # it ends in a cross on the wire
    forked: tuple[Pair, ...] = ()  # px from its beginning to where copies of it arrive

    @property
    def rightward(self) -> bool:
        return self.end > self.begin

    @property
    def left(self) -> int:
        return min(self.begin, self.end)

    @property
    def width(self) -> int:
        return abs(self.end - self.begin)


class Journey(Struct, frozen=True, gc=False):
    """When a frame passed the ports of its two ends (ns); None: it never did, or nobody looked."""

    rightward: bool
    sent: int | None
    arrived: int | None
    lost: bool = False
    forged: bool = False  # it began on the wire, whoever it claims to be from
    copies: tuple[int, ...] = ()  # when further copies arrived
    astray: bool = False  # it went to somebody else

    def offset(self, seen: int) -> int:
        """ns from when it was seen to when it passed the other port; negative: it did so before."""
        if self.sent is None or self.arrived is None:
            return 0
        return self.arrived - seen if seen == self.sent else self.sent - seen


def arrow(axis: Axis, index: int, journey: Journey) -> Arrow:
    """Draw the frame of one event: it is anchored where its own capture saw it."""
    here = axis.top(index)
    sent = here if journey.sent is None else _place(axis, index, journey.sent)
    arrived = here if journey.arrived is None else _place(axis, index, journey.arrived)
    if journey.arrived is None:
        arrived = sent
    if journey.sent is None:
        sent = arrived
    source, target = (LEFT, RIGHT) if journey.rightward else (RIGHT, LEFT)
    return Arrow(
        begin=WIRE if journey.forged else source,
        end=WIRE if (journey.lost or journey.astray) and not journey.forged else target,
        lift=_minus(sent, here),
        fall=tuple(max(0.0, one) for one in _minus(arrived, sent)),  # type: ignore[arg-type]
        lost=journey.lost,
        forked=tuple(_minus(axis.at(copy), sent) for copy in journey.copies),
    )


def _place(axis: Axis, index: int, time: int) -> Pair:
    """Where a moment stands; that of the event itself at its own row, not at that of a twin."""
    return axis.top(index) if time - axis.start == axis.times[index] else axis.at(time)


def _minus(one: Pair, other: Pair) -> Pair:
    return one[0] - other[0], one[1] - other[1]


# ---------------------------------------------------------------- brackets and bars


class Span(Struct, frozen=True):
    """A stretch of a lane."""

    top: Pair
    height: Pair


def span(axis: Axis, since: int, until: int | None) -> Span:
    """From one moment to another; None: to the end of the section."""
    begin = axis.at(since)
    end = axis.heights if until is None else axis.at(until)
    return Span(begin, (max(0.0, end[0] - begin[0]), max(0.0, end[1] - begin[1])))


def depths(spans: Sequence[tuple[int, int]]) -> list[int]:
    """How far each of several stretches of time is moved aside, so that none covers another.

    ``spans``: (since, until) in order of their beginning.
    """
    busy: list[int] = []  # until when, by depth
    found = []
    for since, until in spans:
        free = next((depth for depth, end in enumerate(busy) if end <= since), len(busy))
        busy[free:] = [until, *busy[free + 1 :]]
        found.append(free)
    return found


def rows_of(count: int, size: int) -> list[tuple[int, int]]:
    """Cut a number of rows into chunks: [begin, end)."""
    return list(pairwise([*range(0, count, size), count])) if count else []
