"""One figure of the bench: what was measured, against what, and the target."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

LAST = 5
"""Lines of a command that failed which are printed."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that is met when ``value`` is at most ``target``."""

    name: str
    value: float
    target: float
    detail: str

    @property
    def met(self) -> bool:
        return self.value <= self.target

    def line(self) -> str:
        mark = "ok  " if self.met else "MISS"
        return f"{mark}  {self.name}: {self.value:.2f} (at most {self.target:g})  {self.detail}"


def alternate(times: int, *doings: Callable[[], object]) -> list[float]:
    """The median seconds of each of several doings, measured in turns, after one round unmeasured.

    A doing that returns a float has measured itself.
    """
    taken: list[list[float]] = [[] for _ in doings]
    for turn in range(times + 1):
        for doing, seconds in zip(doings, taken, strict=True):
            began = time.perf_counter()
            own = doing()
            if turn:
                seconds.append(own if isinstance(own, float) else time.perf_counter() - began)
    return [statistics.median(seconds) for seconds in taken]


def quietly(*command: str, **options: object) -> None:
    """Run a command that must succeed; of one that does not, print what failed, else its last words."""
    done = subprocess.run(  # type: ignore[call-overload]
        command, check=False, capture_output=True, text=True, errors="replace", **options
    )
    if done.returncode:
        lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
        failed = [line for line in lines if line.startswith("FAIL")]
        print("\n".join(failed or lines[-LAST:]), file=sys.stderr)
        done.check_returncode()


MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def peak(*command: str) -> int:
    """Run a command that must succeed; the most memory that it held at a time, in octets.

    Started by a small process: Linux counts what the starting process held as its child's.
    """
    measured = (sys.executable, "-c", MEASURED, *command)
    return int(subprocess.run(measured, check=True, capture_output=True).stdout)
