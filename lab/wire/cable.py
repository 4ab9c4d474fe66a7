"""The wire itself, sans-IO: frames and times in, frames and times out.

    cable = Cable((drop(segment(SYN, ACK), nth=1),), ("client", "server"))
    carried = cable.carry(octets, "server", now)

The same frames at the same times give the same deliveries: nothing here knows a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from lab.errors import RuleImpossible
from lab.text import Text
from lab.wire.flows import Flows
from lab.wire.matches import predicate
from lab.wire.rules import STAGES, Moment, Rule
from lab.wire.sight import Sight, look
from lab.wire.stages import WORKERS, Duty, Holding, Parcel, Stages
from lab.wire.touched import Touched, Work
from lab.wire.words import sentence


class Delivery(NamedTuple):
    """One frame for one host."""

    at: int  # ns: when its last octet arrives
    to: str
    octets: bytes


class Carried(NamedTuple):
    """What becomes of a frame: deliveries in the order in which they were caused, and who did it."""

    deliveries: list[Delivery]
    touched: list[Touched]


class Cable:
    """Joins hosts as a switch would (it learns where a MAC address lives), under rules.

    Raises RuleImpossible for a rule about a host that is not there.
    """

    def __init__(self, rules: Iterable[Rule], hosts: Sequence[str]) -> None:
        self._others = {host: tuple(one for one in hosts if one != host) for host in hosts}
        self._homes: dict[bytes, str] = {}
        self._flows = Flows()
        self._log: list[Touched] = []
        rules = tuple(rules)
        _check_hosts(rules, hosts)
        watches = [_Watch(index, rule, self._log) for index, rule in enumerate(rules)]
        self._watches = sorted(watches, key=lambda watch: STAGES.index(type(watch.rule.action)))
        self._holding = [
            (watch, watch.stage) for watch in self._watches if isinstance(watch.stage, Holding)
        ]

    def carry(self, octets: bytes, sender: str, now: int) -> Carried:
        """A host sends a frame; ``now`` in ns, never less than before from the same host."""
        receivers = self._receivers(octets, sender)
        if not self._watches:
            return Carried([Delivery(now, host, octets) for host in receivers], [])
        deliveries = self._expired(now) if self._holding else []
        sight = look(octets, sender)
        self._flows.note(sight)
        stages = [watch.stage for watch in self._watches if watch.concerns(sight, now)]
        went = _travel(Parcel(octets, now, octets, now, sight, receivers), stages)
        if went and self._holding:
            went += self._followers(sight, stages, now)
        return Carried(deliveries + went, self._written())

    @property
    def wakes(self) -> int | None:
        """When `wake` has something to do: a frame that was held has waited long enough, in ns."""
        times = [stage.wakes for _, stage in self._holding]
        return min((time for time in times if time is not None), default=None)

    def wake(self, now: int) -> Carried:
        """Let go whatever has been held long enough by ``now``, in ns."""
        return Carried(self._expired(now), self._written())

    def work(self) -> tuple[Work, ...]:
        """How many frames each rule touched so far, in the order in which the rules were given."""
        watches = sorted(self._watches, key=lambda watch: watch.stage.duty.rule)
        return tuple(Work(watch.stage.duty.words, watch.stage.touched) for watch in watches)

    def _receivers(self, octets: bytes, sender: str) -> tuple[str, ...]:
        homes = self._homes
        homes[octets[6:12]] = sender
        home = homes.get(octets[:6])  # a group address is never a source: it has no home
        if home is None:
            return self._others[sender]
        return () if home == sender else (home,)

    def _expired(self, now: int) -> list[Delivery]:
        """Frames that were held for as long as they may be; another rule may hold them anew."""
        deliveries: list[Delivery] = []
        while (wakes := self.wakes) is not None and wakes <= now:
            free = [one for _, stage in self._holding for one in stage.expired(wakes)]
            for parcel, rest in free:
                deliveries += _travel(parcel, rest)
        return deliveries

    def _followers(self, sight: Sight, stages: Stages, now: int) -> list[Delivery]:
        """Frames that were held until this one had gone ahead of them."""
        deliveries: list[Delivery] = []
        for watch, stage in self._holding:
            if stage not in stages and watch.fits(sight):
                for parcel, rest in stage.overtaken(sight.sender, now):
                    deliveries += _travel(parcel, rest)
        return deliveries

    def _written(self) -> list[Touched]:
        written = self._log.copy()
        self._log.clear()
        return written


def _check_hosts(rules: tuple[Rule, ...], hosts: Sequence[str]) -> None:
    for rule in rules:
        for name in sorted(rule.hosts - set(hosts)):
            words = Text(
                "there is no host {name}, only {hosts}", "没有名为 {name} 的主机，只有 {hosts}"
            )
            raise RuleImpossible(detail=words.fill(name=name, hosts=", ".join(hosts)))


def _travel(parcel: Parcel, stages: Stages) -> list[Delivery]:
    """Take a frame through the stages before it."""
    parcels = [parcel]
    for depth, stage in enumerate(stages, 1):
        rest = stages[depth:]
        parcels = [out for one in parcels for out in stage.pass_on(one, rest)]
    return [Delivery(one.time, host, one.octets) for one in parcels for host in one.receivers]


class _Watch:
    """Decides which frames a rule names: it counts, and knows since when it holds."""

    def __init__(self, index: int, rule: Rule, log: list[Touched]) -> None:
        self.rule = rule
        self.fits = predicate(rule.match)
        self.stage = WORKERS[type(rule.action)](
            Duty(index, sentence(rule), rule.seed, log), rule.action
        )
        self._start = _Start(rule.moment) if rule.moment else None
        self._counts: dict[int, int] = {}
        self._draw = Random(f"chance {rule.seed}").random  # noqa: S311

    def concerns(self, sight: Sight, now: int) -> bool:
        """Whether this frame is one of the rule's; asked once for every frame that is sent."""
        if self._start and not self._start.past(sight, now):
            return False
        if not self.fits(sight):
            return False
        counter = sight.connection if self.rule.each_connection else 0
        number = self._counts[counter] = self._counts.get(counter, 0) + 1
        if not self.rule.count.holds(number):
            return False
        return self.rule.percent >= 100 or self._draw() * 100 < self.rule.percent


class _Start:
    """Waits for the frame from which on a rule holds."""

    def __init__(self, moment: Moment) -> None:
        self._moment, self._fits = moment, predicate(moment.match)
        self._seen = 0
        self._began: int | None = None  # ns

    def past(self, sight: Sight, now: int) -> bool:
        if self._began is not None:
            return not self._moment.lasting or now < self._began + self._moment.lasting
        self._seen += self._fits(sight)
        if self._seen < self._moment.nth:
            return False
        self._began = now
        return self._moment.included
