"""Runs programs of services/ under services.record, over loopback, and reads what they did."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lab.evidence.calls import Call, decode_calls

ROOT = Path(__file__).parents[1]
ENGLISH = os.environ | {"LAB_LANG": "en", "PYTHONUTF8": "1"}
LOOPBACK = ("--address", "127.0.0.1", "--port", "0")
Ended = subprocess.CompletedProcess[str]


@dataclass
class Running:
    """A program that runs."""

    process: subprocess.Popen[str]

    @cached_property
    def port(self) -> int:
        """Where a server listens: its first line says so."""
        first = self.line()
        found = re.search(r":(\d+)\.$", first)
        assert found is not None, first
        return int(found[1])

    def line(self) -> str:
        """Wait for the next line it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def type(self, line: str) -> None:
        """Give it a line of standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def rest(self) -> str:
        """Wait for its end; return what else it printed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        printed = self.process.stdout.read()  # communicate() would miss what readline has buffered
        self.process.wait(timeout=20)
        return printed

    def wait_in_a_call(self) -> None:
        """Wait until it sleeps: until a call, accept or recv, has begun to wait."""
        state = Path(f"/proc/{self.process.pid}/stat")
        assert wait_for(lambda: state.read_text().rsplit(")")[-1].split()[0] == "S")

    def stop(self) -> str:
        """End it as Ctrl-C does; return what else it printed."""
        self.process.send_signal(signal.SIGINT)
        return self.rest()


class Recorded:
    """Starts programs, each with a call log in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _words(self, program: str, *options: str) -> list[str]:
        log = self.folder / program.replace("/", "_")
        record = [sys.executable, "-m", "services.record", "--log", str(log)]
        return [*record, f"services/{program}", *options]

    def run(self, program: str, *options: str | float, **environment: str) -> Ended:
        """Run a program to its end."""
        words = self._words(program, *map(str, options))
        settings = ENGLISH | environment
        return subprocess.run(
            words,
            cwd=ROOT,
            env=settings,
            capture_output=True,
            encoding="utf-8",
            timeout=20,
            input="",
        )

    @contextmanager
    def running(self, program: str, *options: str | float, **environment: str) -> Iterator[Running]:
        """Start a program; what is left of it at the end is killed."""
        words = self._words(program, *map(str, options))
        with subprocess.Popen(
            words,
            cwd=ROOT,
            env=ENGLISH | environment,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                yield Running(process)
            finally:
                process.kill()

    def calls(self, program: str) -> tuple[Call, ...]:
        """What it has written so far, in order of time."""
        return decode_calls((self.folder / program.replace("/", "_")).read_bytes())

    def named(self, program: str, *functions: str) -> list[Call]:
        """Its calls of these names."""
        return [call for call in self.calls(program) if call.function in functions]


def wait_for(condition: Callable[[], bool]) -> bool:
    """Look again and again until it holds; False if it does not within 10 s."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def states(port: int, *, remote: bool = False) -> list[str]:
    """The kernel's states of the TCP sockets whose local (or remote) port this is (proc(5))."""
    names = {"01": "ESTABLISHED", "05": "FIN-WAIT-2", "06": "TIME-WAIT", "08": "CLOSE-WAIT"}
    names |= {"0A": "LISTEN"}
    rows = (row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return [names.get(row[3], row[3]) for row in rows if row[1 + remote].endswith(f":{port:04X}")]
