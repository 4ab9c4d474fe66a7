"""Questions: from the command to a proved answer with no run at hand, the whole bank, a class."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.checkout import Checkout
from tools.bench.figure import Figure, alternate, quietly

TIMES = 7
CLASS = 100  # folders
ASKED = ("HS01", "TD02", "UD03")  # of each learner


def figures() -> Iterator[Figure]:
    """On the embedded engine, interpreters' starts included."""
    with tempfile.TemporaryDirectory() as name:
        lab = Checkout.make(Path(name, "lab"))
        (one,) = alternate(TIMES, lambda: ask(lab, "HS01"))
        yield Figure("lab ask HS01, no run at hand (s)", one, 1.5, "")
        (every,) = alternate(1, lambda: ask(lab, "--all"))
        yield Figure("lab ask --all, no run at hand (s)", every, 90.0, "")
        folders = hand_out(lab, Path(name, "class"))
        (grading,) = alternate(3, lambda: run(lab, "grade", "--csv", *map(str, folders)))
        yield Figure(f"lab grade, {CLASS} folders of {len(ASKED)} questions (s)", grading, 10.0, "")


def ask(lab: Checkout, what: str) -> None:
    """Have it proved by runs that are played for it."""
    run(lab, "ask", what, "--fresh", "--engine", "namespaces")


def hand_out(lab: Checkout, folder: Path) -> list[Path]:
    """One exercise, copied for a whole class."""
    first = folder / "learner0"
    run(lab, "quiz", "--export", str(first), *ASKED)
    folders = [first, *(folder / f"learner{number}" for number in range(1, CLASS))]
    for copy in folders[1:]:
        shutil.copytree(first, copy)
    return folders


def run(lab: Checkout, *arguments: str) -> None:
    """One command that must succeed."""
    quietly(*lab.command(*arguments), cwd=lab.root, env=lab.environment(LAB_ENGINE="namespaces"))
