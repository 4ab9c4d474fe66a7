"""Scenarios played once for all tests of a session, whichever worker asks first.

LAB_RUNS names a captures folder whose runs are taken instead, while one works on questions.
"""

from __future__ import annotations

import fcntl
import os
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from lab.analyze import load_run
from lab.backends.namespaces import NamespacesEngine
from lab.cli._every import Mark, outcome
from lab.evidence.run import Evidence
from lab.proving import usable
from lab.text import Language
from tests.checkout import Checkout


class Played(Struct, frozen=True):
    """What became of a scenario, and the run folder, if there is one."""

    mark: Mark
    words: str
    folder: str = ""


def shared(tmp: Path) -> Path:
    """The folder that all workers of a session share, given a temporary one of this worker."""
    return tmp.parent if os.environ.get("PYTEST_XDIST_WORKER") else tmp


@cache
def checkout_of(base: Path) -> Checkout:
    """The checkout in which they are played."""
    with (base / "checkout.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = base / "played"
        return Checkout(root) if root.exists() else Checkout.make(root)


def play_once(base: Path, name: str, turn: int = 0) -> Played:
    """Play a scenario unless it was; once more should it fail (timers of real kernels).

    ``turn`` counts the runs of one scenario that are wanted.
    """
    note = base / f"{name.replace(':', '.')}.{turn}.json"
    with note.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if note.exists():
            return msgspec.json.decode(note.read_bytes(), type=Played)
        played = _play(checkout_of(base), name)
        note.write_bytes(msgspec.json.encode(played))
        return played


def _play(checkout: Checkout, name: str) -> Played:
    engine = NamespacesEngine(checkout.root, "en")
    mark, words = outcome(engine, checkout.root, Language.EN, name)
    if mark is Mark.FAIL:
        mark, words = outcome(engine, checkout.root, Language.EN, name)
    found = usable(checkout.captures, name) if mark is Mark.PASS else None
    return Played(mark, words.en, str(found[0]) if found else "")


def run_folder(base: Path, name: str, turn: int = 0) -> Path | None:
    """A usable run of a scenario; None where it is not available here. For ``turn`` see above."""
    if own := os.environ.get("LAB_RUNS"):
        found = usable(Path(own), name)
        return found[0] if found else None
    played = play_once(base, name, turn)
    assert played.mark is not Mark.FAIL, f"{name}: {played.words}"
    return Path(played.folder) if played.folder else None


@cache
def evidence_of(folder: Path) -> Evidence:
    """A run, read once a worker."""
    return load_run(folder)
