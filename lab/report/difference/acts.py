"""What programs did about one exchange: their socket calls, in words that do not change from run to run.

Addresses, paths, descriptors and the contents of data are left out. Many like calls in a row are
one: how a long transfer is cut into calls is chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.calls import Call
from lab.evidence.run import Evidence
from lab.evidence.sightings import Sighting
from lab.report.calls import attribute, spans
from lab.report.glyphs import safe

MANY = 8
"""More like calls in a row than these count as one."""

NOBODY = -1
"""The place of calls that belong to no exchange."""

WAITS = ("select", "poll", "epoll_wait")
GIVE_DESCRIPTORS = ("accept", "detach", "dup", "fileno", "socket")


class Act(Struct, frozen=True):
    """One call, or many like it in a row."""

    host: str
    function: str
    said: str  # its arguments: "SOL_SOCKET, SO_LINGER, ..."
    outcome: str  # "ECONNREFUSED", "25", "0"
    failed: bool = False
    octets: int | None = None  # of data, where it read or wrote any
    many: bool = False

    @property
    def key(self) -> Hashable:
        return self

    @property
    def kind(self) -> Hashable:
        return self.function, self.said

    @property
    def asked(self) -> str:
        """``setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)``."""
        return safe(f"{self.function}({self.said})")

    @property
    def words(self) -> str:
        """``connect() = ECONNREFUSED``."""
        often = f" × >{MANY}" if self.many else ""
        return f"{self.asked} = {safe(self.outcome)}{often}"


Acts = Mapping[tuple[int, str], tuple[Act, ...]]
"""By the place of the exchange among those given, and by host."""


def acts(evidence: Evidence, seen: Sequence[Sighting], *, again: bool = False) -> Acts:
    """What each host's programs did about each of some exchanges, in order of time.

    ``again``: for a comparison with another play of the same scenario, where it is chance in how
    many reads a stream is taken, and how often an event loop wakes.
    """
    times = spans(seen)
    found: dict[tuple[int, str], list[Call]] = defaultdict(list)
    for host, calls in evidence.calls.items():
        for call, owner in zip(calls, attribute(calls, times), strict=True):
            if not (again and _is_chance(call)):
                found[NOBODY if owner is None else owner, host].append(call)
    for (place, _), made in found.items():
        if place == NOBODY:
            made.sort(key=_descriptor)
    return {
        (place, host): tuple(_few([_act(host, call) for call in made], 1 if again else MANY))
        for (place, host), made in found.items()
    }


def _is_chance(call: Call) -> bool:
    """Whether it was made because an event loop woke, and as often as that."""
    return call.function in WAITS or (call.function == "accept" and call.error == "EAGAIN")


def _descriptor(call: Call) -> tuple[int, int]:
    """Calls of no exchange are told socket by socket: which program comes first is chance."""
    return call.process, call.fd


def _act(host: str, call: Call) -> Act:
    telling = 2 if call.function == "socket" else None  # the protocol is named, or 0: the same
    arguments = call.arguments[:telling]
    said = "" if call.octets is not None else ", ".join(_told(arguments))
    return Act(host, call.function, said, _outcome(call), bool(call.error), call.octets)


def _told(arguments: Iterable[object]) -> Iterator[str]:
    """Arguments that say what is wanted; addresses and paths are not among them."""
    for one in arguments:
        if isinstance(one, float):
            yield f"{one:.2g}"  # what is left of a timeout varies
        elif isinstance(one, int) or (isinstance(one, str) and "/" not in one):
            yield str(one)


def _outcome(call: Call) -> str:
    if call.error:
        return call.error
    if call.octets is not None:
        return str(call.octets)
    if call.function in WAITS and isinstance(call.result, list):
        return f"{len(call.result)} ready"
    plain = isinstance(call.result, int) and call.function not in GIVE_DESCRIPTORS
    return str(call.result) if plain else "0"


def _few(every: Iterable[Act], many: int) -> Iterator[Act]:
    """Like calls in a row as one, where they are too many; of data, their octets together."""
    for _, run in groupby(every, key=lambda act: (act.function, act.said, act.failed)):
        group = list(run)
        moves = group[0].octets is not None
        if len(group) <= (many if moves else MANY):
            yield from group
        else:
            total = sum(act.octets or 0 for act in group) if moves else None
            outcome = group[0].outcome if total is None else str(total)
            yield replace(group[0], outcome=outcome, octets=total, many=len(group) > MANY)
