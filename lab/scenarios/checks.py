"""What many scenarios' promises rest on: frames, how calls ended, what a kernel counted, its states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lab.evidence.calls import Call
from lab.evidence.run import Evidence, View
from lab.evidence.states import Moment
from lab.packets.rows import Frame, frame
from lab.scenarios.base import Promise, Seen
from lab.scenarios.script import Segment, in_order
from lab.text import Text, same
from lab.units import short_span

OK = "ok"
MILLISECOND = 1_000_000  # ns
TICKS = 100  # ms by which a timer may seem to go off early or late
LASTED = Text("{state} for {span}", "{state} 持续 {span}")
GOES_OFF = Text(
    "{timer} timer: {least} to {most} ms after the {flags}",
    "{timer} 定时器：{flags} 之后 {least} 至 {most} 毫秒",
)
NEVER_SAMPLED = Text("no socket was sampled", "没有采样到任何套接字")


def frames(view: View) -> list[Frame]:
    """Every frame of a capture, layer by layer: of few."""
    return [frame(view.capture, row) for row in range(len(view.capture.frames))]


def is_unasked(one: Frame) -> bool:
    """Whether it may be IPv6's own: a kernel looks for routers and neighbours and tells its groups
    whatever programs do, and a busy one late (RFC 4861, RFC 3810). The hosts' programs talk IPv4
    unless their scenario says otherwise."""
    return one.ip is not None and one.ip.version == 6


def called(evidence: Evidence, host: str, *functions: str) -> tuple[Call, ...]:
    """The calls that a host's programs made, in order of time; all, or those of some functions."""
    calls = evidence.calls.get(host, ())
    return tuple(call for call in calls if not functions or call.function in functions)


def outcome(call: Call) -> str:
    """``OK``, or the name of the error: "ECONNREFUSED"."""
    return call.error or OK


def returned(name: str, words: Text, host: str, function: str, *outcomes: str) -> Promise:
    """Promise that the calls of a function ended so, all of them, in that order."""

    def check(evidence: Evidence) -> Seen:
        seen = [outcome(call) for call in called(evidence, host, function)]
        return Seen(seen == list(outcomes), same(f"{function}: {', '.join(seen) or '-'}"))

    return Promise(name, words, check)


def sampled(name: str, words: Text, host: str, *states: str) -> Promise:
    """Promise that a host's kernel had a socket that went through these states, in this order.

    Others may lie between them. Only states that last are worth a promise: a sample is taken every
    few milliseconds.
    """

    def check(evidence: Evidence) -> Seen:
        kernel = evidence.kernel[host]
        paths = {tuple(stay.state for stay in kernel.stays(life)) for life in kernel.lives}
        fit = [path for path in paths if _passes(path, states)]
        shown = " · ".join(" → ".join(path) for path in sorted(fit or paths))
        return Seen(bool(fit), same(shown) if shown else NEVER_SAMPLED)

    return Promise(name, words, check)


def counted(
    name: str, words: Text, host: str, counter: str, at_least: int = 1, at_most: int | None = None
) -> Promise:
    """Promise by how much a counter of a host's kernel grew (/proc/net/snmp, netstat).

    ``counter`` is "Udp.RcvbufErrors"; one that this kernel does not have has not grown.
    """

    def check(evidence: Evidence) -> Seen:
        grew = evidence.kernel[host].counters.get(counter, 0)
        kept = at_least <= grew and (at_most is None or grew <= at_most)
        return Seen(kept, same(f"{counter} +{grew:,}"))

    return Promise(name, words, check)


def lasted(name: str, words: Text, host: str, state: str, at_least: int) -> Promise:
    """Promise that a socket of a host was in a state for so long (ns) without a break.

    What counts is the time for which that is certain: between two samples.
    """

    def check(evidence: Evidence) -> Seen:
        kernel = evidence.kernel[host]
        stays = (stay for life in kernel.lives for stay in kernel.stays(life))
        longest = max((one.until - one.by for one in stays if one.state == state), default=0)
        return Seen(longest >= at_least, LASTED.fill(state=state, span=short_span(longest)))

    return Promise(name, words, check)


def goes_off(moment: Moment, since: Segment, after: int) -> Seen:
    """Whether a socket's timer, as it was sampled, goes off so many ms after a segment.

    The kernel's word lies between two times, for it was asked in between; it counts in ticks of up
    to 10 ms, from a moment after the segment.
    """
    least, most = (
        (asked - since.time) // MILLISECOND + moment.expires
        for asked in (moment.before, moment.time)
    )
    kept = bool(moment.timer) and least - TICKS <= after <= most + TICKS
    told = GOES_OFF.fill(
        timer=moment.timer or "-", least=least, most=most, flags=in_order(since.flags)
    )
    return Seen(kept, told, (since.number,) if since.number else ())


def _passes(path: Iterable[str], states: Sequence[str]) -> bool:
    """Whether the states occur in the path, in their order."""
    left = iter(path)
    return all(state in left for state in states)
