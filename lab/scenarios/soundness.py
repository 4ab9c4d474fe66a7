"""Whether a scenario is sound: what only a run would find out otherwise, named with its line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lab.errors import ScenarioFaulty
from lab.scenarios.base import GROUPS, Scenario
from lab.scenarios.programs import hosts_of
from lab.scenarios.script import parse


def look_over(scenario: Scenario) -> None:
    """Check a scenario, or a variant of one, that has a file; raises ScenarioFaulty."""
    file = Path(__file__).with_name(f"{scenario.id.partition(':')[0]}.py")
    if not file.exists():
        return
    source = file.read_text()
    for word, detail in _complaints(scenario):
        line = source[: max(source.find(word), 0)].count("\n") + 1
        raise ScenarioFaulty(file=file, line=line, detail=detail)
    for script in scenario.scripts:
        before = source[: max(source.find(script), 0)].count("\n")
        parse(script, str(file), before)


def _complaints(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """A word to find the line by, and what is wrong with it."""
    hosts = set(scenario.topology.names)
    if scenario.group not in GROUPS:
        yield f'group="{scenario.group}"', f"there is no group {scenario.group!r}"
    for field in ("roles", "programs", "listens", "options"):
        for host in set(getattr(scenario, field)) - hosts:
            yield f"{field}=", f"{field} names {host!r}, which is no host of the topology"
    for function in scenario.roles.values():
        for host in set(hosts_of(function)) - hosts:
            yield f"def {function.__name__}(", f"{host!r} is no host of the topology"
