"""A recorded program begins and ends as it does without the recorder."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.recorder import RECORD, ROOT, Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def test_the_exit_code_of_the_program_is_kept(recorder: Recorder) -> None:
    assert recorder.run("raise SystemExit(7)").returncode == 7


def test_the_last_words_of_the_program_are_kept(recorder: Recorder) -> None:
    ended = recorder.run("raise SystemExit('no more')")
    assert (ended.returncode, ended.stderr) == (1, "no more\n")


def test_an_uncaught_exception_prints_as_it_does_without_the_recorder(recorder: Recorder) -> None:
    source = """
        import socket
        def fail() -> None:
            socket.socket().connect(("127.0.0.1", 1, "too many"))
        fail()
    """
    plain, recorded = recorder.run_plain(source), recorder.run(source)
    assert (recorded.returncode, recorded.stderr) == (plain.returncode, plain.stderr)


def test_the_program_sees_its_own_command_line(recorder: Recorder) -> None:
    ended = recorder.run("import sys; print(sys.argv[1:], __name__)", "--log", "x")
    assert ended.stdout == "['--log', 'x'] __main__\n"


def test_the_program_imports_from_its_own_folder(recorder: Recorder) -> None:
    (recorder.folder / "neighbour.py").write_text("print('found')\n")
    assert recorder.run("import neighbour").stdout == "found\n"


WAITS_FOR_EVER = """
    import socket
    with socket.socket(type=socket.SOCK_DGRAM) as it:
        it.bind(("127.0.0.1", 0))
        print("waiting")
        it.recv(1)
"""


@pytest.mark.parametrize(
    ("number", "error", "code"),
    [(signal.SIGTERM, "SystemExit", 143), (signal.SIGINT, "KeyboardInterrupt", 130)],
)
def test_a_call_ended_by_a_signal_is_written_and_so_is_the_close(
    recorder: Recorder, number: signal.Signals, error: str, code: int
) -> None:
    with recorder.running(WAITS_FOR_EVER) as process:
        process.send_signal(number)
        process.communicate(timeout=10)
    last = [(call.function, call.error) for call in recorder.written()][-2:]
    assert last == [("recv", error), ("close", "")]
    assert process.returncode == code


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--log", "/nonexistent/calls", "setup.py"], "no such program"),
        (["services/record.py"], "LAB_CALLS_FD"),
        (["--log", "/nonexistent/calls", "services/record.py"], "cannot be opened"),
        ([], "usage"),
    ],
)
def test_a_wrong_command_line_is_refused(words: list[str], reason: str) -> None:
    ended = subprocess.run([*RECORD, *words], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert ended.returncode == 2
    assert reason in ended.stderr
