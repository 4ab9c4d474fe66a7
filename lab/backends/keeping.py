"""Keepers: give one its orders, follow what runs in its namespaces, end it. keeper.py is the other side."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from lab.backends import begun, kernel
from lab.backends.base import Line
from lab.backends.begun import Begun
from lab.backends.network import Network

_REPORT = ""  # the source of what the keeper itself says
_GULP = 1 << 16

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
    """The keepers of one engine's runs. A keeper stops when its line is closed."""

    def __init__(
        self, root: Path, language: str, modules: Sequence[str] = (), ahead: Begun | None = None
    ) -> None:
        """``modules``: what programs need that are run as ``python -m``; they start sooner then.

        ``ahead``: a keeper with these modules that waits for its orders already.
        """
        self._modules, self._ahead = modules, [ahead] if ahead else []
        self._root, self._captures = root, root / "captures"
        self._language = {"LAB_LANG": language} if language else {}
        self._begun: set[Begun] = set()
        self._processors = count()  # runs side by side take turns with the processors

    def keep(
        self, network: Network, programs: Programs, show: Show, files: Files = NO_FILES
    ) -> Outcome:
        """Have the network made and the programs run in it, until all is gone again."""
        outcome = Outcome()
        with self._ordered(network, programs, files) as (keeper, outputs):
            try:
                _follow(outputs, outcome, show)
            finally:  # Ctrl-C too: the sniffer saves what it has
                outcome.stopped = keeper.line.fileno() < 0
                keeper.line.close()
                _follow(outputs, outcome, show)
        return outcome

    def stop(self) -> None:
        """End all runs."""
        for keeper in list(self._begun):
            keeper.line.close()

    @contextmanager
    def _ordered(
        self, network: Network, programs: Programs, files: Files
    ) -> Iterator[tuple[Begun, selectors.BaseSelector]]:
        """Have a keeper begin; gives it, and the outputs to be read."""
        plan = {
            **self._surroundings(network),
            "programs": programs,
            "files": files,
            "environment": {**self._language, "LAB_CPU": str(next(self._processors))},
        }
        with ExitStack() as cleanup:
            outputs = cleanup.enter_context(selectors.DefaultSelector())
            keeper = self._ahead.pop() if self._ahead else begun.spawn(self._root, self._modules)
            cleanup.callback(keeper.end)
            self._begun.add(keeper)
            cleanup.callback(self._begun.remove, keeper)
            writes = [_listen(outputs, name, cleanup) for name in (_REPORT, *programs)]
            try:
                keeper.order(plan, writes)
            finally:
                for descriptor in writes:
                    os.close(descriptor)
            yield keeper, outputs

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
