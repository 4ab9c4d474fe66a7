"""One of two runs that are compared, with what is read from it once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from lab.errors import RunNotFound
from lab.evidence.run import Evidence
from lab.evidence.sightings import Sighting, Talk, sightings
from lab.report.difference.acts import Acts, acts
from lab.report.difference.steps import Step, steps
from lab.report.people import people
from lab.scenarios import find
from lab.scenarios.script import Row, Segment
from lab.scenarios.seen import side_by_side
from lab.tcp.model import Connection

EPHEMERAL = 32768
"""From this port on a Linux kernel picks them (ip_local_port_range)."""

Claims = Mapping[tuple[str, int], Hashable]
"""What a scenario says of a frame (the host at whose port it was seen, its number there)."""

FREE = "free"
"""The claim on a frame that need not be there."""

CONTROL = ("SYN", "FIN", "RST")


def at_port(evidence: Evidence, host: str) -> Evidence:
    """A run as one capture alone shows it; raises RunNotFound, naming the hosts there are."""
    for view in evidence.views:
        if view.host == host:
            return replace(evidence, views=(view,), match=None)
    near = ", ".join(f"@{view.host}" for view in evidence.views)
    raise RunNotFound(run=f"@{host}", near=near)


class Met(Struct, frozen=True):
    """Who met whom, and where: how exchanges are told from one another."""

    key: Hashable
    kind: Hashable


class Side:
    """A run, as it is compared.

    ``again``: with another play of the same scenario, so that what that leaves open may differ.
    """

    def __init__(self, evidence: Evidence, *, again: bool = False) -> None:
        """Take a run; what is needed of it is read when it is asked for."""
        self.evidence = evidence
        self.again = again
        self.who = people(evidence.manifest)
        self.seen: Sequence[Sighting] = sorted(sightings(evidence), key=lambda one: one.span)

    @cached_property
    def acts(self) -> Acts:
        return acts(self.evidence, self.seen, again=self.again)

    @property
    def met(self) -> list[Met]:
        """Its exchanges, in order."""
        return [self._met(one.talk) for one in self.seen]

    def _met(self, talk: Talk) -> Met:
        names = tuple(name.en for name in self.who.pair(talk.client, talk.server))
        kind = type(talk).__name__, names
        return Met((kind, talk.server.port if talk.server.port < EPHEMERAL else 0), kind)

    def steps(self, seen: Sighting | None) -> tuple[Step, ...]:
        """What passed in one of its exchanges; nothing if there is none."""
        return steps(seen.evidence, seen.talk, self.who) if seen else ()

    def claims(self, seen: Sighting | None) -> Claims:
        """By the line of the scenario's script that a segment is; FREE for those of no line.

        Segments that one line describes are the same to the scenario. Of a connection without a
        script only SYN, FIN and RST are fixed. None at all for a run of another scenario.
        """
        if not self.again or seen is None or not isinstance(seen.talk, Connection):
            return {}
        scripts, talk = find(self.evidence.manifest.scenario).scripts, seen.talk
        if seen.elsewhere or talk.stream >= len(scripts):
            return {(step.host, step.frame): _claim(step) for step in self.steps(seen)}
        rows = side_by_side(self.evidence, scripts[talk.stream], talk.stream)
        return {(seen.host, seen.frame): claim for seen, claim in _by_line(rows)}


def _by_line(rows: Iterable[Row]) -> Iterator[tuple[Segment, Hashable]]:
    """Each segment that the script speaks of, with the number of its line."""
    number = 0
    for row in rows:
        if row.expected:
            number += not row.expected.is_gap
            is_open = row.expected.is_gap or row.expected.optional
            if row.seen:
                yield row.seen, FREE if is_open else number


def _claim(step: Step) -> Hashable:
    is_control = any(flag in step.name for flag in CONTROL)
    return (step.sender, step.name) if is_control else FREE
