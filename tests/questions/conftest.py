"""The runs that prove a question, played once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import questions
from lab.questions.base import Proof, Question
from lab.questions.runs import Runs
from tests.played import evidence_of, run_folder, shared


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared(tmp_path_factory.getbasetemp())


@pytest.fixture
def folders(base: Path, question: Question) -> dict[str, Path]:
    """The runs of a question; skipped, naming it, where one is not available here.

    Others, should these not prove it: as `lab ask` does, for real kernels have their timers.
    """
    first = _played(base, question, 0)
    played = Runs({name: evidence_of(folder) for name, folder in first.items()})
    return first if questions.prove(question, played).holds else _played(base, question, 1)


def _played(base: Path, question: Question, turn: int) -> dict[str, Path]:
    found = {name: run_folder(base, name, turn) for name in question.runs}
    if lacking := [name for name, folder in found.items() if folder is None]:
        pytest.skip(f"not available here: {', '.join(lacking)}")
    return {name: folder for name, folder in found.items() if folder is not None}


@pytest.fixture
def runs(folders: dict[str, Path]) -> Runs:
    return Runs({name: evidence_of(folder) for name, folder in folders.items()})


@pytest.fixture
def proof(question: Question, runs: Runs) -> Proof:
    return questions.prove(question, runs)
