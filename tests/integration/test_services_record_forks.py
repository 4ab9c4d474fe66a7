"""Programs recorded in a fork of a process that has loaded the recorder: as if an interpreter had started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab.evidence.calls import decode_calls

ROOT = Path(__file__).parents[2]
FORKS = """
import os, signal, sys
from services import record
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(5)]
signal.signal(signal.SIGINT, lambda *_: None)
child = os.fork()
if child == 0:
    record.become(sys.argv[2:], os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class Forked:
    """Runs sources in forks, and keeps what became of them."""

    def __init__(self, folder: Path) -> None:
        self.program, self.log = folder / "program.py", folder / "calls.jsonl"

    def run(self, source: str, *words: str) -> subprocess.CompletedProcess[str]:
        self.program.write_text(source)
        command = [sys.executable, "-c", FORKS, str(self.log), str(self.program), *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)

    @property
    def calls(self) -> list[str]:
        return [call.function for call in decode_calls(self.log.read_bytes())]


@pytest.fixture
def forked(tmp_path: Path) -> Forked:
    return Forked(tmp_path)


def test_a_fork_counts_its_descriptors_from_3(forked: Forked) -> None:
    done = forked.run("import socket\nwith socket.socket() as it: print(it.fileno())")
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert forked.calls == ["socket", "close"]


def test_a_fork_gets_its_own_words(forked: Forked) -> None:
    done = forked.run("import sys\nprint(sys.argv[1:], __name__)", "one", "two")
    assert done.stdout == "['one', 'two'] __main__\n"


def test_a_fork_is_shown_as_what_it_runs(forked: Forked) -> None:
    done = forked.run("print(open('/proc/self/cmdline').read().split(chr(0))[1:3])")
    assert done.stdout == "['-m', 'services.record']\n"


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("", 0, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(7)", 7, ""),
        ("raise SystemExit('enough')", 1, "enough\n"),
    ],
)
def test_a_fork_ends_with_the_programs_code(
    forked: Forked, ending: str, code: int, said: str
) -> None:
    done = forked.run(ending)
    assert (done.returncode, done.stderr) == (code, said)


def test_an_exception_in_a_fork_is_told_from_the_programs_first_line_on(forked: Forked) -> None:
    done = forked.run("1 / 0")
    assert done.returncode == 1
    assert done.stderr.splitlines()[1].startswith(f'  File "{forked.program}", line 1')


def test_a_fork_waits_for_its_threads_and_calls_what_atexit_knows(forked: Forked) -> None:
    done = forked.run(
        "import atexit, threading\n"
        "go = threading.Event()\n"
        "atexit.register(print, 'last')\n"
        "threading.Thread(target=lambda: (go.wait(), print('thread'))).start()\n"
        "go.set()"
    )
    assert done.stdout == "thread\nlast\n"


def test_sockets_that_a_fork_leaves_open_are_closed_in_its_log(forked: Forked) -> None:
    (forked.program.parent / "keeps.py").touch()
    forked.run("import socket, keeps\nkeeps.it = socket.socket()")
    assert forked.calls == ["socket", "close"]


def test_ctrl_c_reaches_a_fork_whose_parent_had_a_handler(forked: Forked) -> None:
    done = forked.run("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('never')")
    assert (done.returncode, done.stdout) == (130, "")
