"""How a keeper begins: as a fork of this process, or as an interpreter of its own.

A fork is there at once, and imports what its run will need while this process reads the scenario. It
can only be had before this process has threads. Either waits for its orders on a socket, its stdin:
descriptors for all that will be printed, its own reports first, then the plan, marshalled.
"""

from __future__ import annotations

import gc
import importlib
import marshal
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

MODULES = ("services.host", "lab.capture.sniffer", "lab.capture.recorder")
"""What hosts and sniffer need: loaded once, for all that are forked."""
_START = """
import sys; sys.path[0] = sys.argv[1]; import begun, keeper
begun.follow(keeper.main, sys.argv[2], sys.argv[3:])
"""
_MOST = 250  # descriptors at once (unix(7): SCM_MAX_FD)
_REPORT = 1


class Begun(NamedTuple):
    """A keeper that has been started; it stops when its line is closed."""

    process: int
    line: socket.socket

    def order(self, plan: Mapping[str, Any], outputs: Sequence[int]) -> None:
        """Tell it what to keep; ``outputs`` are descriptors for what is printed, its own first."""
        with suppress(OSError):  # it has failed, or was stopped already
            socket.send_fds(self.line, [b"."], outputs)
            self.line.sendall(marshal.dumps(dict(plan)))

    def end(self) -> None:
        """Have it gone, and everything that it keeps."""
        self.line.close()
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def fork(root: Path, modules: Sequence[str] = MODULES) -> Begun:
    """Fork a keeper for the lab in ``root``; only in a process that has no thread but this one."""
    ours, its = socket.socketpair()
    process = os.fork()
    if process == 0:
        ours.close()
        _be(its, root, modules)
    its.close()
    return Begun(process, ours)


def _be(line: socket.socket, root: Path, modules: Sequence[str]) -> None:
    """What `spawn` has done to a new process, and what its interpreter does."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number, descriptor in enumerate((line.detach(), nothing, nothing)):
            os.dup2(descriptor, number)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        sys.stdout = open(1, "w", 1, "utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
        from lab.backends import keeper

        follow(keeper.main, root, modules)
    finally:
        os._exit(1)


def spawn(root: Path, modules: Sequence[str] = ()) -> Begun:
    """Start a keeper for the lab in ``root``, in a session of its own: Ctrl-C is ours to handle."""
    ours, its = socket.socketpair()
    with its, open(os.devnull, "w") as nothing:
        moves = [(os.POSIX_SPAWN_DUP2, its.fileno(), 0)]
        moves += [(os.POSIX_SPAWN_DUP2, nothing.fileno(), number) for number in (1, 2)]
        words = [sys.executable, "-S", "-c", _START, str(Path(__file__).parent), str(root)]
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        process = os.posix_spawn(
            words[0], [*words, *modules], environment, file_actions=moves, setsid=True
        )
    return Begun(process, ours)


# ---------------------------------------------------------------- in the keeper


def follow(
    main: Callable[[dict[str, Any]], None], root: Path | str, modules: Sequence[str]
) -> None:
    """Import what forks will need, wait for the plan, and do what it says."""
    os.chdir(root)
    if modules:
        _load(modules)
    plan = _listen()
    plan["forks"] = bool(modules)
    main(plan)


def _load(modules: Sequence[str]) -> None:
    """Import what can be imported; what cannot, its program will find itself."""
    gc.set_threshold(100_000)  # few collections while modules load, here and in the forks
    if sys.flags.no_site:
        importlib.import_module("site").main()  # put off by -S
    sys.path[0] = os.getcwd()
    for module in modules:
        try:
            importlib.import_module(module)
        except (Exception, SystemExit):  # noqa: S112
            continue


def _listen() -> dict[str, Any]:
    """Hear what is to be kept; end if no keeper is needed after all."""
    line = socket.socket(fileno=0)
    said, descriptors, _, _ = socket.recv_fds(line, 1, _MOST, socket.MSG_CMSG_CLOEXEC)
    if not said:
        os._exit(0)
    report, *outputs = descriptors
    for number in (_REPORT, 2):
        os.dup2(report, number)
    os.close(report)
    with line.makefile("rb") as file:
        plan: dict[str, Any] = marshal.load(file)  # noqa: S302  our own parent's
    line.detach()
    os.environ.update(plan["environment"])
    plan["outputs"] = dict(zip(plan["programs"], outputs, strict=True))
    return plan
