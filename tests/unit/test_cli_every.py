"""Of all scenarios, one that a busy machine kept from being shown is played again; no other is."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from lab.backends.base import Engine
from lab.cli import _every
from lab.cli._every import Mark, outcome
from lab.report.verdict import Row, Verdict
from lab.run import TRIES
from lab.text import Language, same

KEPT = Row("a", True, same("a"), same("seen"), ())
LATE = Row("b", False, same("b"), same("too late"), (), late=True)
BROKEN = Row("c", False, same("c"), same("wrong"), ())


def played(monkeypatch: pytest.MonkeyPatch, *runs: tuple[Row, ...]) -> tuple[Mark, int]:
    """What becomes of a scenario whose runs are these, and how often it is played."""
    turns = iter(runs)
    made = []

    def judged(*_: object) -> Verdict:
        made.append(Verdict("tour", next(turns), 0))
        return made[-1]

    monkeypatch.setattr(_every, "_judged", judged)
    mark, _ = outcome(cast(Engine, None), Path("/nowhere"), Language.EN, "tour")
    return mark, len(made)


def test_a_run_that_could_not_tell_is_played_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, (KEPT, LATE), (KEPT, LATE), (KEPT,)) == (Mark.PASS, 3)


def test_a_broken_promise_is_no_matter_of_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, (LATE, BROKEN)) == (Mark.FAIL, 1)


def test_there_is_an_end_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, *[(LATE,)] * TRIES) == (Mark.FAIL, TRIES)
