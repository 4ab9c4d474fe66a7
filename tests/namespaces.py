"""Labs of the namespaces engine for tests: what runs in a network, and who is left of a run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lab.backends.base import Line
from lab.backends.keeping import Keepers, Outcome
from lab.backends.network import network_of
from lab.scenarios.base import Scenario
from lab.text import same
from lab.topology import CLIENT_AND_SERVER, Topology

NOBODY = 65534
_LONGEST = 20  # seconds that anything may take to come true


def run_in(
    folder: Path, topology: Topology, programs: Mapping[str, str]
) -> tuple[dict[str, str], Outcome]:
    """Run Python programs in the nodes of a network; what each printed, and what the keeper told."""
    printed = dict.fromkeys(programs, "")

    def collect(line: Line) -> None:
        printed[line.source] += f"{line.words}\n"

    words = {name: [sys.executable, "-I", "-c", text] for name, text in programs.items()}
    network = network_of(topology, ipv6=True)
    return printed, Keepers(folder, "en").keep(network, words, collect)


def scenario(programs: Mapping[str, str], topology: Topology = CLIENT_AND_SERVER) -> Scenario:
    """A scenario that only has programs, each a command line; the server's is the greeting."""
    return Scenario(
        id="trial",
        title=same("trial"),
        teaches=(),
        topology=topology,
        programs={name: tuple(line.split()) for name, line in programs.items()},
        promises=(),
        listens={"server": ("12345/tcp",)},
    )


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that cannot be polled for."""
    deadline = time.monotonic() + _LONGEST
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def descendants(process: int) -> set[int]:
    """All processes below one."""
    parents = _parents()
    found, level = set[int](), {process}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        found |= level
    return found


def children(process: int) -> set[int]:
    """The processes that one started itself."""
    return {pid for pid, parent in _parents().items() if parent == process}


def named(processes: Iterable[int], *words: str) -> int:
    """The process whose command line has all these words (not those that it has forked)."""
    found = {process for process in processes if set(words) <= _command_line(process)}
    parents = _parents()
    (first,) = (process for process in found if parents[process] not in found)
    return first


def _parents() -> dict[int, int]:
    """The parent of every process."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return {pid: int(fields[1]) for pid in pids if (fields := _status(pid))}


def _status(process: int) -> list[str]:
    """Of /proc/PID/stat what follows the name: state, parent ...; [] if there is no such process."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _command_line(process: int) -> set[str]:
    try:
        return set(Path(f"/proc/{process}/cmdline").read_text().split("\0"))
    except (FileNotFoundError, ProcessLookupError):
        return set()


def all_gone(processes: Iterable[int]) -> bool:
    """Whether none of them runs any more; who is dead but not yet waited for has gone."""
    return all((_status(process) or "X")[0] in "ZX" for process in processes)


def python_for_all() -> str | None:
    """An interpreter that any user may run, with this one's packages (PYTHONPATH), if there is one."""
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        try:
            subprocess.run([candidate, "-c", ""], user=NOBODY, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    return None


def packages() -> str:
    """Where this interpreter finds its packages, as a PYTHONPATH."""
    return os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
