"""The ladder alone as one standalone SVG, for slides."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import atan2, degrees

from lab.page.scene import Act, Bar, CallRow, FrameRow, GapRow, Scene
from lab.report.glyphs import clip, safe
from lab.text import Language

WIDTH = 1200.0
LEFT, RIGHT = 400.0, 800.0
"""Where the two hosts' lines stand."""

COLOURS = {
    "syn": "#1d4fc4",
    "fin": "#6d2bc4",
    "rst": "#b3201b",
    "data": "#176b36",
    "udp": "#0b6660",
    "icmp": "#8a4709",
    "arp": "#8a4709",
    "ack": "#55606b",
}
AGAIN = "#a04800"
INK, SOFT = "#1c1b19", "#5f5b53"
TITLE = 64.0  # px above each ladder
CALLS = 30  # columns of a call's words
STEEPEST = 8.0
"""Degrees to which words follow a slope."""

Point = tuple[float, float]
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def svg(drawn: Scene, language: Language) -> str:
    """All exchanges of a run, one beneath the other."""
    body, top = [], 0.0
    for act in drawn.acts:
        if act.key != "rest":
            body += [f'<g transform="translate(0 {top:.1f})">', *_act(act, language), "</g>"]
            top += TITLE + act.axis.heights[0]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {max(top, 60):.0f}" '
        f'font-family="{FONT}" font-size="12" fill="{INK}">'
    )
    paper = '<rect width="100%" height="100%" fill="#fffdf9"/>'
    return "\n".join([head, paper, *body, "</svg>", ""])


def _act(act: Act, language: Language) -> Iterator[str]:
    yield _text(20, 24, act.title.say(language), size=16, weight="bold")
    bottom = TITLE + act.axis.heights[0] - 20
    for x, host in ((LEFT, act.hosts[0]), (RIGHT, act.hosts[1])):
        yield _text(x, 50, host.say(language), anchor="middle", weight="bold", size=14)
        yield _line(x, TITLE - 6, x, bottom, INK)
    yield from (part for bar in act.states for part in _state(bar))
    for row in act.rows:
        y = TITLE + row.top[0]
        yield _text(78, y + 4, row.clocks[0], anchor="end", colour=SOFT, size=11)
        if isinstance(row, FrameRow):
            yield from _frame(row, y, language)
        elif isinstance(row, CallRow):
            yield _call(row, y)
        elif isinstance(row, GapRow):
            middle = (LEFT + RIGHT) / 2
            yield _text(middle, y + 4, row.words.say(language), anchor="middle", colour=SOFT)


def _state(bar: Bar) -> Iterator[str]:
    x = LEFT - 8 if bar.side == "left" else RIGHT + 8
    y, height = TITLE + bar.span.top[0], max(bar.span.height[0], 2.0)
    yield _line(x, y + 1, x, y + height - 1, SOFT, width=4)
    anchor, at = ("end", x - 8) if bar.side == "left" else ("start", x + 8)
    yield _text(at, y + 12, bar.name, anchor=anchor, size=11, weight="bold", colour=SOFT)


def _call(row: CallRow, y: float) -> str:
    words = clip(safe(row.event.words), CALLS)
    if row.side == "left":
        return _text(92, y + 4, words, size=11)
    return _text(RIGHT + 150, y + 4, words, size=11)


def _frame(row: FrameRow, y: float, language: Language) -> Iterator[str]:
    arrow = row.arrow
    across = RIGHT - LEFT
    x1, x2 = (LEFT + across * end / 100 for end in (arrow.begin, arrow.end))
    y1 = y + arrow.lift[0]
    y2 = y1 + arrow.fall[0]
    colour = AGAIN if "again" in row.look else COLOURS[row.look.split(" ")[0]]
    yield _line(x1, y1, x2, y2, colour, dashed=arrow.width < 100 and not arrow.lost)
    for copy in arrow.forked:
        yield _line(x1, y1, x2, y1 + copy[0], colour, dashed=True)
    yield from _words(row, (x1, y1), (x2, y2), colour, language)


def _words(
    row: FrameRow, begin: Point, end: Point, colour: str, language: Language
) -> Iterator[str]:
    """The arrow's head, and its words along it."""
    tilt = degrees(atan2(end[1] - begin[1], abs(end[0] - begin[0])))
    tilt = tilt if end[0] > begin[0] else -tilt
    if row.arrow.lost:
        yield _text(end[0], end[1] + 6, "✗", anchor="middle", colour=COLOURS["rst"], size=18)
    else:
        back = -9 if end[0] > begin[0] else 9
        place = f"translate({end[0]:.1f} {end[1]:.1f}) rotate({tilt:.2f})"
        yield f'<polygon transform="{place}" points="0,0 {back},-4 {back},4" fill="{colour}"/>'
    middle = f"translate({(LEFT + RIGHT) / 2:.0f} {(begin[1] + end[1]) / 2:.1f})"
    yield f'<g transform="{middle} rotate({max(-STEEPEST, min(tilt, STEEPEST)):.2f})">'
    yield _text(0, -6, _label(row), anchor="middle", colour=colour, weight="bold")
    words = "; ".join(word.say(language) for word in row.event.words[:1])
    yield _text(0, 15, clip(safe(words), 62), anchor="middle", size=11, colour=SOFT)
    yield "</g>"


def _label(row: FrameRow) -> str:
    event = row.event
    parts = [event.label, event.flags]
    if event.sequence is not None:
        parts.append(f"seq {event.sequence}" + (f" +{event.octets}" if event.octets else ""))
    if event.acknowledgment is not None:
        parts.append(f"ack {event.acknowledgment}")
    return "  ".join(parts)


def _line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    colour: str,
    *,
    width: float = 1.5,
    dashed: bool = False,
) -> str:
    dash = ' stroke-dasharray="6 5"' if dashed else ""
    places = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {places} stroke="{colour}" stroke-width="{width}"{dash}/>'


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 12,
    weight: str = "normal",
    colour: str = INK,
) -> str:
    style = f'text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(safe(words))}</text>'
