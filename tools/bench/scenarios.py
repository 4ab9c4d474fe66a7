"""The embedded engine: one scenario from command to verdict, all of them, and two hosts of Mininet."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.checkout import Checkout, read_until
from tools.bench.figure import Figure, alternate, quietly

TIMES = 7
MININET = ("mn", "--switch", "lxbr", "--controller", "none", "--topo", "single,2", "--test", "none")
"""Start two hosts on a Linux bridge, and stop. Its user switch is not among Debian's packages."""


def figures() -> Iterator[Figure]:
    """Interpreters' starts included; without Mininet (apt install mininet bridge-utils) no ratio."""
    with tempfile.TemporaryDirectory() as name:
        lab = Checkout.make(Path(name, "lab"))
        quietly(sys.executable, "-m", "compileall", "-q", str(lab.root))  # as an installation does
        has_mininet = all(map(shutil.which, ("mn", "brctl")))
        one, mininet = alternate(
            TIMES,
            lambda: to_verdict(lab, "tcp_lifecycle"),
            lambda: quietly(*MININET) if has_mininet else None,
        )
        yield Figure("lab run tcp_lifecycle (s)", one, 1.0, "")
        if has_mininet:
            yield Figure("lab run tcp_lifecycle / mn", one / mininet, 1.0, f"mn {mininet:.2f} s")
        (every,) = alternate(1, lambda: play(lab, "--all"))
        yield Figure("lab run --all (s)", every, 60.0, "")


def to_verdict(lab: Checkout, what: str) -> float:
    """Seconds until the verdict is printed, not until the page is written too."""
    began = time.perf_counter()
    with lab.starting("run", what, "--engine", "namespaces") as process:
        read_until(process, "promises were kept")
        seconds = time.perf_counter() - began
        process.wait()
    return seconds


def play(lab: Checkout, what: str) -> None:
    """Run what must keep its promises."""
    command = lab.command("run", what, "--engine", "namespaces")
    quietly(*command, cwd=lab.root, env=lab.environment())
