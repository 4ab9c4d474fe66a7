"""Running the programs of a host, as forks that `services.record` writes down, and ending them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

from services import record
from services.capabilities import becoming
from services.sockdiag import SockDiag

SOONEST, POLL = 0.0003, 0.005  # seconds between two looks: at first, and at most
PR_SET_DUMPABLE = 4
LONGEST_CLOSE = 5.0  # seconds granted to the kernel for closing connections
# The signals that end a program, and the seconds it has for it before the next one.
ENDINGS = ((signal.SIGINT, 0.3), (signal.SIGTERM, 0.5), (signal.SIGKILL, 1.0))
# The states of /proc/net/tcp in which a connection is being opened or closed: SYN-SENT,
# SYN-RECEIVED, FIN-WAIT-1, FIN-WAIT-2, LAST-ACK, CLOSING, and a request not yet complete.
UNSETTLED = frozenset({"02", "03", "04", "05", "09", "0B", "0C"})


class Command(NamedTuple):
    """A program with its arguments; ``beside``: the next one does not wait for its end."""

    words: tuple[str, ...]
    beside: bool


class Waiting:
    """Waits by looking again and again; a signal ends the wait, and the process, with SystemExit.

    The handlers only take note, so that nothing is ever interrupted half done.
    """

    def __init__(self) -> None:
        self.signal = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take_note)

    def until(self, condition: Callable[[], bool], seconds: float = float("inf")) -> bool:
        """Wait until the condition holds; False if it does not within that many seconds.

        The longer it has waited, the more seldom it looks: a tenth of that time is lost at most.
        """
        began = time.monotonic()
        while not condition():
            if self.signal:
                raise SystemExit(128 + self.signal)
            waited = time.monotonic() - began
            if waited > seconds:
                return False
            time.sleep(min(max(SOONEST, waited / 10), POLL))
        return True

    def _take_note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number


class Programs:
    """The programs of one host; leaving the ``with`` block ends those that still run."""

    def __init__(
        self, calls: Path, user: int | None, waiting: Waiting, capabilities: Sequence[str] = ()
    ) -> None:
        """Write their calls to the file, run them as that user (None: as this process)."""
        self.calls = os.open(calls, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.user = user
        self.capabilities = capabilities
        self.waiting = waiting
        self.processes: list[Fork] = []
        self.ended_by_us: list[Fork] = []

    def __enter__(self) -> Programs:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        os.close(self.calls)

    def run(self, commands: Iterable[Command], is_over: Callable[[], bool]) -> None:
        """Run them all; if the run is over before they have ended, end them."""
        for command in commands:
            process = self.start(command.words)
            if not command.beside:
                self.waiting.until(lambda last=process: is_over() or has_ended(last))  # type: ignore[misc]
                self.waiting.until(lambda: is_over() or is_settled(), LONGEST_CLOSE)
            if is_over():
                break
        self.waiting.until(lambda: is_over() or all(map(has_ended, self.processes)))
        self.end()
        self.waiting.until(lambda: is_over() or is_settled(), LONGEST_CLOSE)

    def start(self, words: Iterable[str]) -> Fork:
        """Start one program, in a process group of its own."""
        process = Fork(partial(self._be, list(words)))
        self.processes.append(process)
        return process

    def _be(self, words: list[str]) -> NoReturn:
        becoming(self.user, self.capabilities)()
        # Its own /proc/self belongs to it, as after exec(2).
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        record.become(words, self.calls)

    def end(self) -> None:
        """End what still runs: as Ctrl-C does, then as kill does, then for good."""
        self.ended_by_us += [each for each in self.processes if not has_ended(each)]
        for number, seconds in ENDINGS:
            running = [each for each in self.processes if not has_ended(each)]
            for process in running:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + seconds
            while not all(map(has_ended, running)) and time.monotonic() < deadline:
                time.sleep(POLL)

    @property
    def exit_codes(self) -> list[int]:
        """One a program, in the order of their start; 128 and the signal's number if killed."""
        codes = (process.returncode or 0 for process in self.processes)
        return [128 - code if code < 0 else code for code in codes]

    @property
    def exit_code(self) -> int:
        """The first that tells of a failure; programs that we ended do not count."""
        pairs = zip(self.processes, self.exit_codes, strict=True)
        return next((code for each, code in pairs if code and each not in self.ended_by_us), 0)


class Fork:
    """A fork of this process, which has loaded the recorder already: no interpreter has to start."""

    def __init__(self, be: Callable[[], NoReturn]) -> None:
        sys.stdout.flush()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setpgid(0, 0)
                be()
            finally:
                os._exit(1)
        with contextlib.suppress(OSError):  # whoever is first: nobody must find it in our group
            os.setpgid(self.pid, 0)

    def poll(self) -> int | None:
        """Its exit code, minus the signal's number if one killed it; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


def parse(words: Iterable[str]) -> list[Command]:
    """Split a command line at ";" and "&", given as words of their own."""
    commands: list[Command] = []
    program: list[str] = []
    for word in [*words, ";"]:
        if word not in (";", "&"):
            program.append(word)
        elif program:
            commands.append(Command(tuple(program), beside=word == "&"))
            program = []
    return commands


def has_ended(process: Fork) -> bool:
    return process.poll() is not None


def is_settled() -> bool:
    """Tell whether no TCP connection of this host is being opened or closed."""
    try:
        with SockDiag() as diag:
            return diag.is_settled()
    except OSError:  # a kernel without sock_diag: the same from proc(5), at ten times the cost
        return is_settled_by_table()


def is_settled_by_table() -> bool:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
            rows = Path(table).read_text().splitlines()[1:]
            if any(row.split()[3] in UNSETTLED for row in rows):
                return False
    return True
