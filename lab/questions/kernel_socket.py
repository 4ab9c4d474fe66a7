"""One socket of a host's kernel, as it was sampled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from lab.evidence.kernel import Kernel
from lab.evidence.states import Life
from lab.questions.base import NO_SUCH, Missing
from lab.questions.pieces import Sampled, Stayed


class Socket:
    """One socket of a host's kernel, from its first sample to its last."""

    def __init__(self, run: str, host: str, life: Life, kernel: Kernel) -> None:
        """``life``: its samples, among all that the ``kernel`` of that host said."""
        self.life, self._run, self._host, self._kernel = life, run, host, kernel

    @property
    def states(self) -> tuple[str, ...]:
        """The states it was sampled in, in order; CLOSED at the end if it vanished."""
        return tuple(stay.state for stay in self.stays)

    @cached_property
    def stays(self) -> tuple[Stayed, ...]:
        """The same with their times."""
        found = []
        for stay in self._kernel.stays(self.life):
            index = next(
                (i for i, one in enumerate(self.life.moments) if one.time == stay.by),
                len(self.life.moments),
            )
            found.append(
                Stayed(
                    run=self._run,
                    host=self._host,
                    socket=self.life.socket,
                    index=index,
                    state=stay.state,
                    since=stay.since,
                    by=stay.by,
                    until=stay.until,
                )
            )
        return tuple(found)

    def stay(self, state: str, nth: int = 0) -> Stayed:
        """Its nth stay in a state; Missing if it was never seen in it."""
        fit = [one for one in self.stays if one.state == state]
        if nth >= len(fit):
            raise Missing(NO_SUCH.fill(run=self._run, what=f"{self._host}: {state}"))
        return fit[nth]

    @property
    def samples(self) -> tuple[Sampled, ...]:
        """Every sample that differed from the one before, with all numbers known then."""
        return tuple(
            Sampled(
                run=self._run,
                host=self._host,
                socket=self.life.socket,
                index=index,
                moment=moment,
            )
            for index, moment in enumerate(self.life.moments)
        )

    def sample(self, what: str, where: Callable[[Sampled], bool]) -> Sampled:
        """The first sample that fits; ``what`` names it where there is none: "cwnd 1"."""
        for one in self.samples:
            if where(one):
                return one
        raise Missing(NO_SUCH.fill(run=self._run, what=f"{self._host}: {what}"))

    def at(self, time: int) -> Sampled:
        """How it was last sampled before a time (ns); Missing if it was not yet there."""
        known = [one for one in self.samples if one.moment.time <= time]
        if not known:
            raise Missing(NO_SUCH.fill(run=self._run, what=f"{self._host}: socket"))
        return known[-1]
