"""The plan of a run: which programs its hosts run, written out for them to read.

plan.json       by host: the command line, what it listens on, after whom it starts
client.py …     the programs cut out of the scenario's file; they end up in the run folder
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from lab.scenarios.base import Scenario
from lab.scenarios.programs import hosts_of, program
from lab.wire.rules import encode_rules

PLAN, RULES = "plan.json", "rules.json"
WIRE = "wire"
"""What hosts start after where a scenario has rules."""


def write_plan(scenario: Scenario, folder: Path) -> None:
    """Write a scenario's plan and programs into a fresh folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for host, function in scenario.roles.items():
        source = program(sys.modules[function.__module__], function)
        (folder / f"{host}.py").write_text(source)
    if scenario.rules:
        (folder / RULES).write_bytes(encode_rules(scenario.rules))
    plan = {host: _host(scenario, host) for host in scenario.topology.names}
    (folder / PLAN).write_text(json.dumps(plan, ensure_ascii=False, indent=2) + "\n")


def _host(scenario: Scenario, host: str) -> dict[str, list[str]]:
    """What one host does; it starts nothing before the port of every host is recorded."""
    wire = [WIRE] if scenario.rules else []
    others = [name for name in scenario.listens if name != host]
    return {
        "programs": _programs(scenario, host),
        "capabilities": list(_capabilities(scenario, host)),
        "recorded": list(scenario.topology.names),
        "listens": list(scenario.listens.get(host, ())),
        "after": (others if host not in scenario.listens else []) + wire,
    }


def _capabilities(scenario: Scenario, name: str) -> tuple[str, ...]:
    return next(host.capabilities for host in scenario.topology.hosts if host.name == name)


def _programs(scenario: Scenario, host: str) -> list[str]:
    """A host's command line; "run/" is the folder of the run."""
    if function := scenario.roles.get(host):
        options = json.dumps(scenario.options.get(host, {}), ensure_ascii=False)
        return [f"run/{host}.py", *hosts_of(function), options]
    return list(scenario.programs.get(host, ()))
