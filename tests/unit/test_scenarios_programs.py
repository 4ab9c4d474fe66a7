"""A scenario's function becomes a program that runs alone, without anything of the lab."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lab.errors import ScenarioFaulty
from lab.scenarios.programs import hosts_of, program

MODULE = '''
"""A scenario."""
import json
import socket
import time
from lab.text import Text

PORT, UNUSED = 7, 8
GREETING = "你好"
TITLE = Text("never", "不")


def greet(words):
    return f"{words} {GREETING}"


def client(server, *, times: int = 1):
    """Say hello to the server.

    And more.
    """
    for _ in range(times):
        print(greet(server), PORT)


def faulty(server):
    print(TITLE)
    print(Text("a", "b"))
'''


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    file = tmp_path / "a_scenario.py"
    file.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("a_scenario", file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["a_scenario"] = made
    spec.loader.exec_module(made)
    return made


def test_the_program_runs_alone_with_addresses_and_options(
    module: ModuleType, tmp_path: Path
) -> None:
    file = tmp_path / "client.py"
    file.write_text(program(module, module.client))
    command = [sys.executable, "-S", file, "127.0.0.1", '{"times": 2}']
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout == "127.0.0.1 你好 7\n" * 2


def test_only_what_is_used_comes_along(module: ModuleType) -> None:
    source = program(module, module.client)
    assert "GREETING" in source
    assert "import time" not in source
    assert "lab" not in source


def test_its_first_line_is_its_docstring(module: ModuleType) -> None:
    assert program(module, module.client).startswith('"""Say hello to the server."""')


def test_a_program_that_uses_the_lab_is_refused_with_its_line(module: ModuleType) -> None:
    with pytest.raises(ScenarioFaulty) as error:
        program(module, module.faulty)
    assert error.value.details["line"] == 6


def test_its_parameters_are_the_hosts_it_talks_to(module: ModuleType) -> None:
    assert hosts_of(module.client) == ("server",)


def test_a_parameter_is_not_a_function_of_the_same_name() -> None:
    from lab.scenarios import synack_lost

    source = program(synack_lost, synack_lost.client)
    assert "def client(server" in source
    assert "def server(" not in source


def test_what_is_said_at_the_end_of_a_function_comes_along() -> None:
    from lab.scenarios import time_wait_restart

    assert 'connection.recv(1024)  # b""' in program(time_wait_restart, time_wait_restart.client)
