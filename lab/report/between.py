"""What lay between two vantage points, in a sentence for each direction."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.account import Way, account
from lab.evidence.run import Evidence, View
from lab.report.glyphs import safe
from lab.text import Text
from lab.units import short_span

ARRIVED = Text(
    "From {near} to {far}: {arrived} of {sent} frame[|s] arrived, in {least} to {most}, median {median}.",
    "从 {near} 到 {far}：{sent} 帧中有 {arrived} 帧到达，单程 {least} 至 {most}，中位数 {median}。",
)
NOTHING = Text(
    "From {near} to {far}: none of {sent} frame[|s] arrived.",
    "从 {near} 到 {far}：{sent} 帧无一到达。",
)


def sentences(evidence: Evidence) -> Iterator[Text]:
    """Tell both directions between the first two views; nothing if there is only one."""
    if told := account(evidence):
        first, second = evidence.views[:2]
        yield from _way(told.forth, first, second)
        yield from _way(told.back, second, first)


def _way(way: Way, near: View, far: View) -> Iterator[Text]:
    names = {"near": _name(near), "far": _name(far)}
    counts = {"arrived": f"{way.arrived:,}", "sent": f"{way.sent:,}"}
    if way.delay:
        times = {
            "least": short_span(way.delay.least),
            "most": short_span(way.delay.most),
            "median": short_span(way.delay.median),
        }
        yield ARRIVED.fill(**names, **counts, **times)
    elif way.sent:
        yield NOTHING.fill(**names, **counts)


def _name(view: View) -> str:
    return view.host or safe(view.file)
