"""The house stays as ARCHITECTURE.md draws it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from lab import scenarios

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path for top in ("lab", "services", "tests", "tools") for path in (ROOT / top).rglob("*.py")
)
MOST_LINES = 400
LONGER = {"lab/errors.py": 820}  # a table: one entry an error
TOPIC = 700  # a topic of questions: of each the proof, and as much again in words of two languages


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_named)
def test_no_file_is_longer_than_a_reader_can_hold(path: Path) -> None:
    usual = (
        TOPIC
        if path.parent.name == "questions" and path.is_relative_to(ROOT / "lab")
        else MOST_LINES
    )
    assert len(path.read_text().splitlines()) <= LONGER.get(_named(path), usual)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.parts[-2] != "tests"], ids=_named
)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    source = path.read_text()
    assert not source.strip() or ast.get_docstring(ast.parse(source))


def test_compose_starts_the_programs_that_the_tour_names() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for host, programs in scenarios.find("tour").programs.items():
        command = services[host]["command"]
        assert tuple(command[command.index("--") + 1 :]) == programs


def test_every_container_runs_with_the_least_it_needs() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]
        assert "privileged" not in service


def test_the_rooms_that_architecture_md_names_exist() -> None:
    drawing = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = re.findall(r"^\s+(lab/\w+(?:\.py|/)|services/\w+(?:\.py|/))\s", drawing, re.MULTILINE)
    assert rooms
    assert [room for room in rooms if not (ROOT / room).exists()] == []


def test_every_scenario_is_known_by_its_file_name() -> None:
    assert all(scenarios.find(name).id == name for name in scenarios.names())
