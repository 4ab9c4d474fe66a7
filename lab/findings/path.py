"""What happened to frames between two vantage points, proved by what each of them saw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.account import Way, account
from lab.evidence.run import Evidence, View
from lab.findings.base import Finding, Severity, counted
from lab.text import Text, same
from lab.units import short_span

LOST = Text(
    "Lost between the ports of {near} and {far}: {count}, of {sent} sent that way.",
    "{near} 发往 {far} 的 {sent} 帧中，有 {count}在两个端口之间丢失。",
)
DOUBLED = Text(
    "{count} from {near} to {far} arrived more than once: doubled on the way.",
    "{near} 发往 {far} 的帧中有 {count}重复到达：在途中被复制。",
)
INJECTED = Text(
    "{count} reached {far} in {near}'s name that {near}'s port never saw: forged or put in on the way.",
    "有 {count}以 {near} 的名义到达 {far}，而 {near} 的端口从未见过它们：伪造的，或在途中被插入。",
)
OVERTAKEN = Text(
    "On the way from {near} to {far}, later frames overtook {count}.",
    "{near} 发往 {far} 的帧中有 {count}在途中被后发的帧超越。",
)
LATE = Text(
    "Frames from {near} to {far} take {median} (median), but 1 in 100 takes {p99} and the slowest {most}.",
    "{near} 发往 {far} 的帧单程耗时 {median}（中位数），但每百帧有一帧达 {p99}，最慢 {most}。",
)
CLOCKS = Text(
    "The clocks of the two captures differ by about {offset}; one-way times are corrected by that, taking "
    "the path to be as long both ways.",
    "两份抓包的时钟相差约 {offset}；单程时延已据此校正，前提是往返路径等长。",
)
NEXT = {
    "lost_between": Text(
        "The path lost them, not an end. Halve the path: capture at a point between, and see on which side "
        "of it the loss lies.",
        "是路径丢弃了它们，而不是某一端。用二分法排查：在中间一点抓包，看丢失发生在哪一侧。",
    ),
    "doubled_between": Text(
        "Look for a layer-2 loop or a link that sends again by itself (radio, some tunnels).",
        "检查二层环路，或会自行重发的链路（无线、某些隧道）。",
    ),
    "injected": Text(
        "See the source link address and the TTL of these frames: they tell where they came from.",
        "查看这些帧的源链路地址与 TTL：可知它们来自何处。",
    ),
    "reordered": Text(
        "Look for links in parallel (ECMP, bonding) that do not keep a flow together, or queues by class.",
        "检查是否有并行链路（ECMP、链路聚合）没有保持同一流的顺序，或按类别排队的队列。",
    ),
    "delayed": Text(
        "Compare with the load at that time: delay that comes and goes is a queue.",
        "与当时的负载对照：时有时无的时延意味着排队。",
    ),
    "clocks_differ": Text(
        "Synchronise both hosts (PTP, NTP) if one-way times matter.",
        "若关心单程时延，请同步两台主机的时钟（PTP、NTP）。",
    ),
}
SLOW = 10_000_000  # ns: what a person, or a timer, notices
FAR_OUT = 5  # times the median
ENOUGH = 100  # frames, for one in a hundred to mean something


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a direction and kind; the numbers are of the first view, where it has them."""
    if (told := account(evidence)) is None:
        return
    first, second = evidence.views[:2]
    yield from _way(evidence, told.forth, first, second)
    yield from _way(evidence, told.back, second, first)
    if told.offset:
        words = CLOCKS.fill(offset=short_span(abs(told.offset)))
        yield Finding("clocks_differ", Severity.NOTE, words, next=NEXT["clocks_differ"])


def _way(evidence: Evidence, way: Way, near: View, far: View) -> Iterator[Finding]:
    names = {"near": same(near.host or near.file), "far": same(far.host or far.file)}
    for kind, severity, words, rows, view in (
        ("lost_between", Severity.WARNING, LOST, way.lost, near),
        ("doubled_between", Severity.WARNING, DOUBLED, way.doubled, far),
        ("injected", Severity.ERROR, INJECTED, way.injected, far),
        ("reordered", Severity.WARNING, OVERTAKEN, way.overtaken, far),
    ):
        if len(rows):
            told = words.fill(
                count=counted(len(rows), "frame", "帧"), sent=f"{way.sent:,}", **names
            )
            yield Finding(kind, severity, told, _shown(evidence, view, rows), next=NEXT[kind])
    delay = way.delay
    if delay and way.arrived >= ENOUGH and delay.p99 >= max(SLOW, FAR_OUT * delay.median):
        told = LATE.fill(
            median=short_span(delay.median),
            p99=short_span(delay.p99),
            most=short_span(delay.most),
            **names,
        )
        yield Finding("delayed", Severity.NOTE, told, next=NEXT["delayed"])


def _shown(evidence: Evidence, view: View, rows: NDArray[np.int64]) -> tuple[int, ...]:
    """Numbers in the first view."""
    match = evidence.match
    if view is evidence.view or match is None:
        return tuple((rows + 1).tolist())
    order = np.argsort(match.second)
    at = np.minimum(np.searchsorted(match.second[order], rows), len(order) - 1)
    found = order[at[match.second[order][at] == rows]] if len(order) else order
    return tuple(sorted((match.first[found] + 1).tolist()))
