"""What the command line does with a fault that nobody foresaw, and what it lists."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab import scenarios
from lab.cli import main
from lab.cli._narration import Narration
from lab.report.glyphs import width
from lab.text import Language


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


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["ask"], id="ask nothing"),
        pytest.param(["run", "--all", "tour"], id="run all and one"),
        pytest.param(["diff", "--pairs", "a", "b"], id="diff pairs of runs"),
        pytest.param(["show", "--html", "--json"], id="show in two forms"),
    ],
)
def test_words_that_contradict_each_other_are_refused_in_one_line(words: list[str]) -> None:
    said = CliRunner().invoke(main, words)
    *_, empty, error = said.stderr.splitlines()
    assert (said.exit_code, empty, error[:7]) == (2, "", "Error: ")


def test_nothing_can_be_verified_of_a_capture_file() -> None:
    said = CliRunner().invoke(main, ["verify", "captures/samples/tour/client.pcapng"])
    assert said.exit_code == 46
    assert "lab explain captures/samples/tour/client.pcapng" in said.stderr


@pytest.mark.parametrize("command", ["show", "verify"])
def test_a_run_is_found_from_any_folder(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(main, [command, "samples/tour"])
    assert said.exit_code == 0, said.output


def test_the_runs_of_the_current_folder_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "captures").mkdir()
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(main, ["show", "--lang", "en"])
    assert said.stderr.startswith("There is no run in captures yet.")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["explain", "/etc"], "Name a capture file, or the folder of a run."),
        (["show", "-"], "Name a capture file, or a run: its folder or its scenario."),
        (["explain", "/etc", "--lang", "zh"], "请指定抓包文件，或一次运行的目录。"),
    ],
    ids=["any folder", "no name", "Chinese"],
)
def test_what_is_no_capture_is_answered_with_what_is_expected(words: list[str], told: str) -> None:
    said = CliRunner().invoke(main, words, env={"LAB_LANG": "en"})
    assert said.stderr.splitlines()[-1].startswith(told)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("words", [["list"], ["show", "captures/samples/tour/server.pcapng"]])
def test_lines_are_no_wider_than_the_terminal(words: list[str], language: str) -> None:
    said = CliRunner().invoke(main, [*words, "--lang", language], env={"COLUMNS": "60"})
    assert max(map(width, said.stdout.splitlines())) <= 60


@pytest.mark.parametrize("name", ["zzz", "tour:zzz"])
def test_a_scenario_near_none_is_not_answered_with_all(name: str) -> None:
    said = CliRunner().invoke(main, ["run", name])
    assert (said.exit_code, len(said.stderr) < 200) == (43, True)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=["terminal", "no colour", "empty", "dumb"],
)
def test_colours_are_for_terminals_that_want_them(
    environment: dict[str, str], coloured: bool
) -> None:
    assert ("\x1b[" in on_a_terminal(["list"], {"TERM": "xterm", **environment})) is coloured


def on_a_terminal(words: list[str], environment: dict[str, str]) -> str:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    program = subprocess.Popen(
        [sys.executable, "-m", "lab.cli", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=kept | environment,
    )
    os.close(theirs)
    shown = b""
    try:
        while octets := os.read(ours, 65536):
            shown += octets
    except OSError:  # EIO: the other end is closed
        pass
    os.close(ours)
    assert program.wait() == 0
    return shown.decode()


def test_a_full_disk_under_standard_output_is_named() -> None:
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [sys.executable, "-m", "lab.cli", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "LAB_LANG": "en"},
        )
    assert said.stderr.startswith("standard output cannot be written: No space left on device.")
    assert said.returncode == 51


def test_a_run_that_ends_before_it_was_told_of_is_still_said_to_be_saved(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "client.pcapng").touch()
    Narration(("client",), Language.EN, said.append).hear("@saved\tr", tmp_path)
    assert said == ["saved: captures/r"]
