"""One scenario many times in a row: what came of each run, and what is left of them afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lab import scenarios
from lab.analyze import load_run
from lab.backends.namespaces import NamespacesEngine
from lab.report.account import judge
from lab.run import play
from tests.checkout import Checkout

SCENARIO = "rst_refused"


class Left(NamedTuple):
    """What there is of things that a run makes, and should take away again."""

    descriptors: int  # of this process
    children: int  # of this process
    namespaces: int  # of networks, that any process is in
    interfaces: int  # of the machine
    temporary: int  # files in the folder for temporary ones
    unfinished: int  # runs whose sniffer never came to an end


def repeat(checkout: Checkout, times: int) -> tuple[set[tuple[str, ...]], Left, Left]:
    """Play the scenario; the verdicts that there were (ids of the promises kept), and what there
    was after the first run and after the last."""
    engine = NamespacesEngine(checkout.root, "en")
    first = _kept(engine, checkout)
    before = _left(checkout)
    kept = {first, *(_kept(engine, checkout) for _ in range(times - 1))}
    return kept, before, _left(checkout)


def _kept(engine: NamespacesEngine, checkout: Checkout) -> tuple[str, ...]:
    scenario = scenarios.find(SCENARIO)
    folder = play(engine, scenario, checkout.captures, lambda words: None)
    verdict = judge(load_run(folder))
    return tuple(row.id for row in verdict.rows if row.kept) if verdict else ()


def _left(checkout: Checkout) -> Left:
    return Left(
        descriptors=len(os.listdir("/proc/self/fd")),
        children=len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()),
        namespaces=len(set(_networks())),
        interfaces=len(os.listdir("/sys/class/net")),
        temporary=len(os.listdir(tempfile.gettempdir())),
        unfinished=len(list(checkout.captures.glob(".*.partial"))),
    )


def _networks() -> Iterator[str]:
    """The network namespace of each process (namespaces(7))."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield os.readlink(process / "ns" / "net")
        except OSError:  # it has just ended
            continue
