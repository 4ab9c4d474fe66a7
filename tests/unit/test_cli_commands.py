"""What the command line does with a fault that nobody foresaw, and what it lists."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from lab import scenarios
from lab.cli import main


def test_a_fault_nobody_foresaw_is_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("nobody thought of it")

    monkeypatch.setattr(scenarios, "names", fail)
    said = CliRunner().invoke(main, ["list"])
    assert said.exit_code == 70
    assert said.stderr.startswith("The lab failed: ZeroDivisionError: nobody thought of it")


def test_the_list_names_every_scenario_for_programs() -> None:
    said = CliRunner().invoke(main, ["list", "--json"])
    assert [one["id"] for one in json.loads(said.stdout)] == list(scenarios.names())


def test_the_list_is_grouped_for_readers_in_their_language() -> None:
    said = CliRunner().invoke(main, ["list", "--lang", "zh"])
    assert "建立与关闭" in said.stdout
    assert "tcp_lifecycle" in said.stdout
