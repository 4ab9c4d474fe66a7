"""Keepers: start one for a run, follow what runs in its namespaces, end it. keeper.py is the other side."""

from __future__ import annotations

import marshal
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from lab.backends import kernel
from lab.backends.base import Line
from lab.backends.network import Network

_START = "import sys; sys.path[0] = sys.argv[1]; import keeper; keeper.main(*sys.argv[2:])"
_REPORT = ""  # the source of what the keeper itself says
_GULP = 1 << 16
_OUTPUT = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}

Show = Callable[[Line], None]
Programs = Mapping[str, list[str]]
"""Command lines by name: a node's program runs in that node, any other at the switch (the sniffer
is the first of those: the run ends with it)."""
Files = Mapping[str, str]
"""Texts by path below /dev/shm, which is the run's own."""
NO_FILES: Files = {}


class Outcome(msgspec.Struct):
    """What a keeper told of its run."""

    built: int = 0  # ns, from the keeper's start until the whole network was there
    codes: dict[str, int] = {}  # exit codes by program, in the order in which they left
    lost: str = ""  # the first that left though the run could not go on without it
    folder: str = ""  # of the run, under its final name
    failed: tuple[str, str] | None = None  # the step that failed, and the reason
    stopped: bool = False  # by us, before all had left

    def hear(self, line: str) -> None:
        """Take in one line of a keeper; a line that is no report is of its own failure."""
        match line.split("\t"):
            case ["left", name, code]:
                self.codes[name] = int(code)
            case ["built", nanoseconds]:
                self.built = int(nanoseconds)
            case ["lost", name]:
                self.lost = self.lost or name
            case ["run", folder]:
                self.folder = folder
            case ["failed", step, reason]:
                self.failed = self.failed or (step, reason)
            case _:
                self.failed = ("keeper", line)  # the last line of a traceback says why


class Keepers:
    """The keepers of one engine's runs. A keeper stops when the pipe that keeps it is closed."""

    def __init__(self, root: Path, language: str, modules: Sequence[str] = ()) -> None:
        """``modules``: what programs need that are run as ``python -m``; they start sooner then."""
        self._modules = modules
        self._root, self._captures = root, root / "captures"
        self._language = {"LAB_LANG": language} if language else {}
        self._pipes: set[FileIO] = set()
        self._processors = count()  # runs side by side take turns with the processors

    def keep(
        self, network: Network, programs: Programs, show: Show, files: Files = NO_FILES
    ) -> Outcome:
        """Have the network made and the programs run in it, until all is gone again."""
        outcome = Outcome()
        with self._started(network, programs, files) as (pipe, outputs):
            try:
                _follow(outputs, outcome, show)
            finally:  # Ctrl-C too: the sniffer saves what it has
                outcome.stopped = pipe.closed
                pipe.close()
                _follow(outputs, outcome, show)
        return outcome

    def stop(self) -> None:
        """End all runs."""
        for pipe in list(self._pipes):
            pipe.close()

    @contextmanager
    def _started(
        self, network: Network, programs: Programs, files: Files
    ) -> Iterator[tuple[FileIO, selectors.BaseSelector]]:
        """Start a keeper; gives the pipe that keeps it, and the outputs to be read."""
        with ExitStack() as cleanup:
            outputs = cleanup.enter_context(selectors.DefaultSelector())
            writes = {name: _listen(outputs, name, cleanup) for name in (_REPORT, *programs)}
            plan, keeping = os.pipe()
            pipe = cleanup.enter_context(FileIO(keeping, "w"))
            self._pipes.add(pipe)
            cleanup.callback(self._pipes.remove, pipe)
            try:
                keeper = self._start(plan, writes)
            finally:
                for descriptor in (plan, *writes.values()):
                    os.close(descriptor)
            cleanup.callback(keeper.wait)
            cleanup.callback(keeper.kill)
            with suppress(BrokenPipeError, ValueError):  # it has failed, or was stopped already
                outputs_of = {name: writes[name] for name in programs}
                parts = {"programs": programs, "files": files, "outputs": outputs_of}
                pipe.write(marshal.dumps(self._surroundings(network) | parts))
            yield pipe, outputs

    def _start(self, plan: int, writes: Mapping[str, int]) -> subprocess.Popen[bytes]:
        """A session of its own: Ctrl-C is ours to handle."""
        return subprocess.Popen(
            [sys.executable, "-S", "-c", _START, str(Path(__file__).parent), *self._modules],
            cwd=self._root,
            env={**os.environ, **self._language, **_OUTPUT, "LAB_CPU": str(next(self._processors))},
            stdin=plan,
            stdout=writes[_REPORT],
            stderr=writes[_REPORT],
            pass_fds=list(writes.values()),
            start_new_session=True,
        )

    def _surroundings(self, network: Network) -> dict[str, Any]:
        """The part of a keeper's plan that does not depend on what runs there."""
        surroundings: dict[str, Any] = msgspec.to_builtins(network)
        return surroundings | {
            "user": kernel.needs_user_namespace(self._root, self._captures),
            "ip": kernel.find_ip(),
            "captures": str(self._captures),
            "mark": os.getpid(),
        }


def _listen(outputs: selectors.BaseSelector, name: str, cleanup: ExitStack) -> int:
    """Make a pipe whose lines are read under that name; gives the end to write to."""
    read, write = os.pipe()
    cleanup.callback(os.close, read)
    outputs.register(read, selectors.EVENT_READ, _Lines(name))
    return write


class _Lines:
    """The lines of one output, put together from pieces."""

    def __init__(self, name: str) -> None:
        self.name, self._rest = name, b""

    def feed(self, octets: bytes) -> Iterator[str]:
        """The lines that are complete; b"" is the end of the output."""
        *lines, self._rest = (self._rest + (octets or b"\n" * bool(self._rest))).split(b"\n")
        yield from (line.decode(errors="replace").rstrip("\r") for line in lines)


def _follow(outputs: selectors.BaseSelector, outcome: Outcome, show: Show) -> None:
    """Hand on what is printed until nobody is left who could print."""
    while outputs.get_map():
        for key, _ in outputs.select():
            octets = os.read(key.fd, _GULP)
            if not octets:
                outputs.unregister(key.fd)
            for words in key.data.feed(octets):
                if key.data.name == _REPORT:
                    outcome.hear(words)
                else:
                    show(Line(key.data.name, words))
