"""A further scenario on the Docker engine, its hosts up, against the same on network namespaces."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.checkout import Checkout
from tools.bench.figure import Figure, alternate, quietly

TIMES = 7
PAUSE = 1.0
"""Seconds between two runs: Docker starts hosts anew after its own, for which no other is to pay."""
SCENARIOS = ("rst_refused", "tcp_lifecycle")


def figures() -> Iterator[Figure]:
    """At most a second more; from the command to its printed verdict, interpreters' starts included."""
    with tempfile.TemporaryDirectory() as name:
        lab = Checkout.make(Path(name, "lab"))
        try:
            for scenario in SCENARIOS:
                on_docker, on_namespaces = alternate(
                    TIMES,
                    lambda: play(lab, scenario, "docker"),  # noqa: B023  called within this turn
                    lambda: play(lab, scenario, "namespaces"),  # noqa: B023
                )
                detail = f"{on_docker:.2f} s, in namespaces {on_namespaces:.2f} s"
                more = on_docker - on_namespaces
                yield Figure(f"lab run {scenario}: Docker - namespaces (s)", more, 1.0, detail)
        finally:
            lab.lab("down")


def play(lab: Checkout, scenario: str, engine: str) -> float:
    """The seconds that one run takes, which must keep its promises; Docker's hosts rest after it."""
    command, began = lab.command("run", scenario, "--engine", engine), time.perf_counter()
    quietly(*command, cwd=lab.root, env=lab.environment())
    taken = time.perf_counter() - began
    time.sleep(PAUSE)
    return taken
