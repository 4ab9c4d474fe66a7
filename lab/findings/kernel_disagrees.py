"""A host's kernel that was in another state than the segments at its own port suggest.

States are inferred as RFC 9293 has an implementation act on each segment. One that it did not take
(a wrong checksum, a full queue, a RST that has to prove itself, RFC 5961) leaves it where it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.evidence.states import Disagreement, disagreements
from lab.evidence.witnesses import End, Witnesses
from lab.findings.base import Finding, Severity, of_talk
from lab.tcp.model import State
from lab.text import Text
from lab.units import short_span

WORDS = Text(
    "By the segments at its port {host} would be in {inferred}; its kernel was in {state} for {span}.",
    "按其端口上的报文段推断，{host} 应处于 {inferred}；其内核却有 {span} 处于 {state}。",
)
NEXT = Text(
    "Look at the last segments before: {host} may have refused one (wrong checksum, out of window, full "
    "queue). Its counters (`nstat`) name the reason.",
    "查看此前最后几个报文段：{host} 可能拒收了其中之一（校验和错误、超出窗口、队列已满）。其计数器（`nstat`）会指出原因。",
)
MARGIN = 100_000_000
"""ns that a busy machine may need from a segment to its consequence, or from a cause to its segment."""

CLOSING = frozenset({State.FIN_WAIT_1, State.LAST_ACK})
"""Entered when the program closes: the FIN may have to wait behind data for long."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding an end, for the first state in which both differ for long enough."""
    witnesses = Witnesses(evidence)
    if witnesses.silent:
        return
    for connection in evidence.view.connections:
        for end in witnesses.ends(connection):
            if found := _first(witnesses, end):
                words = WORDS.fill(
                    host=end.view.host,
                    inferred=found.inferred,
                    state=found.stay.state,
                    span=short_span(found.until - found.since),
                )
                frames = _frames(witnesses, end, found)
                then = NEXT.fill(host=end.view.host)
                yield of_talk(connection, "kernel_disagrees", Severity.WARNING, words, frames, then)


def _first(witnesses: Witnesses, end: End) -> Disagreement | None:
    """The first difference. A socket that is given up shows in no segment: the last state inferred
    says nothing of what came after."""
    inferred = end.inferred()
    last = inferred[-1][0] if inferred else 0
    found = [one for told in witnesses.stays(end) for one in disagreements(told, inferred, MARGIN)]
    seen = (one for one in found if one.stay.state not in CLOSING)
    fit = (one for one in seen if one.stay.state != State.CLOSED or one.until < last)
    return min(fit, key=lambda one: one.since, default=None)


def _frames(witnesses: Witnesses, end: End, found: Disagreement) -> tuple[int, ...]:
    """The segment from which the state was inferred."""
    led = [time for time, state in end.inferred() if state == found.inferred]
    time = max((time for time in led if time <= found.since), default=0)
    numbers = (one.frame for one in end.segments if one.time == time)
    shown = (witnesses.first_number(end.view, number) for number in numbers)
    return tuple(number for number in shown if number)
