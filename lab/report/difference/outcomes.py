"""How two exchanges differ in what came of them: openings, endings, states, socket calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lab.evidence.sightings import Talk
from lab.report.difference.acts import NOBODY, Act
from lab.report.difference.align import align
from lab.report.difference.model import RUNS, About, Told
from lab.report.difference.side import Side
from lab.report.summaries import HANDSHAKES, TEARDOWNS
from lab.tcp.model import Connection
from lab.text import Text

HANDSHAKE = Text("it opens otherwise: A {left}, B {right}", "建立方式不同：A：{left}；B：{right}")
TEARDOWN = Text("it ends otherwise: A {left}, B {right}", "结束方式不同：A：{left}；B：{right}")
STATE = Text(
    "the {side} ends in another state: A {left}, B {right}",
    "{side}的最终状态不同：A 为 {left}，B 为 {right}",
)
SIDES = (Text("client", "客户端"), Text("server", "服务器"))
CALLED = Text("{host}: only {run} has {call}", "{host}：只有 {run} 有 {call}")
ANSWERED = Text(
    "{host}: {call} comes to {left} in A, to {right} in B",
    "{host}：{call} 的结果在 A 中是 {left}，在 B 中是 {right}",
)


def outcomes(left: Talk, right: Talk) -> Iterator[Told]:
    """How two connections opened, how they ended, in which states."""
    if not (isinstance(left, Connection) and isinstance(right, Connection)):
        return
    if left.handshake != right.handshake:
        kinds = {"left": HANDSHAKES[left.handshake], "right": HANDSHAKES[right.handshake]}
        yield Told(About.OPENING, HANDSHAKE.fill(**kinds))
    if left.teardown != right.teardown:
        kinds = {"left": TEARDOWNS[left.teardown], "right": TEARDOWNS[right.teardown]}
        yield Told(About.CLOSING, TEARDOWN.fill(**kinds))
    for side, one, other in zip(SIDES, left.states, right.states, strict=True):
        if one != other:
            yield Told(About.STATE, STATE.fill(side=side, left=one, right=other))


Places = tuple[int | None, int | None]
"""Of an exchange in each run; NOBODY in both for the calls of none."""


def calls(left: Side, right: Side, places: Iterable[Places]) -> Mapping[Places, tuple[Told, ...]]:
    """Calls that only one run's programs made, or that came to something else, by exchange.

    A call that one run has elsewhere is no difference: the order of processes, and who is served
    first, are chance. Hosts whose calls were recorded in one run only are left out.
    """
    every = (*places, (NOBODY, NOBODY))
    found = {place: list(_between(left, right, place)) for place in every}
    moved = _moved([pair for pairs in found.values() for pair in pairs])
    return {place: tuple(_told(pairs, moved)) for place, pairs in found.items()}


def _between(left: Side, right: Side, place: Places) -> Iterator[tuple[Act | None, Act | None]]:
    """The calls about one exchange that differ; None: only the other run has it."""
    i, j = place
    if i is None or j is None:
        return
    for host in sorted(left.evidence.calls.keys() & right.evidence.calls.keys()):
        ours, theirs = left.acts.get((i, host), ()), right.acts.get((j, host), ())
        for a, b in align(ours, theirs):
            one, other = ours[a] if a is not None else None, theirs[b] if b is not None else None
            if one != other:
                yield one, other


def _moved(pairs: Sequence[tuple[Act | None, Act | None]]) -> Counter[Act]:
    """The calls that both runs have as often, each where the other does not."""
    ours = Counter(one for one, other in pairs if one and not other)
    theirs = Counter(other for one, other in pairs if other and not one)
    return ours & theirs


def _told(pairs: Iterable[tuple[Act | None, Act | None]], moved: Counter[Act]) -> Iterator[Told]:
    for one, other in pairs:
        act = one or other
        if act and not (one and other) and act in moved:
            continue
        if words := _sentence(one, other):
            yield Told(About.CALLS, words)


def _sentence(one: Act | None, other: Act | None) -> Text | None:
    if one and other:
        both = {"left": one.outcome, "right": other.outcome}
        return ANSWERED.fill(host=one.host, call=one.asked, **both)
    if act := one or other:
        return CALLED.fill(host=act.host, run=RUNS[0] if one else RUNS[1], call=act.words)
    return None
