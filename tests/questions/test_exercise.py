"""Exercises that come back changed, incomplete or unreadable: a clear word each, nothing lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from lab import questions
from lab.errors import AnswersUnreadable, ExerciseDamaged
from lab.exercise import Exercise, RunRecord, export, grade_folder, run_digest
from lab.questions.base import Question
from lab.text import Language
from tests.played import evidence_of, run_folder

pytestmark = pytest.mark.namespaces

FIRST, SECOND = questions.find("HS01"), questions.find("HS02")


@pytest.fixture
def folders(base: Path) -> dict[str, Path]:
    found = {name: run_folder(base, name) for name in (*FIRST.runs, *SECOND.runs)}
    return {name: folder for name, folder in found.items() if folder}


@pytest.fixture
def handed(folders: dict[str, Path], tmp_path: Path) -> Path:
    """An exercise whose first question is answered rightly, without words."""
    export(tmp_path / "anna", "Anna", [FIRST, SECOND], folders, Language.EN)
    runs = questions.Runs({name: evidence_of(folder) for name, folder in folders.items()})
    key = questions.prove(FIRST, runs).key
    form = (tmp_path / "anna" / "answers.yaml").read_text()
    for name, right in key.items():
        form = form.replace(f"      {name}:", f"      {name}: {right.accepted[0]}", 1)
    (tmp_path / "anna" / "answers.yaml").write_text(form)
    return tmp_path / "anna"


def scores(folder: Path) -> dict[str, float]:
    return {one.question: one.score for one in grade_folder(folder).grades}


def test_what_was_answered_is_graded_and_the_rest_is_missing(handed: Path) -> None:
    assert scores(handed) == {"HS01": 70.0, "HS02": 0.0}


def test_grading_needs_nothing_but_the_folder(handed: Path, tmp_path: Path) -> None:
    moved = shutil.move(handed, tmp_path / "elsewhere")
    assert scores(Path(moved))["HS01"] == 70.0


def test_a_run_that_was_changed_is_refused(handed: Path) -> None:
    capture = next(handed.glob("runs/*-tcp_lifecycle/client.pcapng"))
    octets = bytearray(capture.read_bytes())
    octets[-40] ^= 1
    capture.write_bytes(octets)
    refused = grade_folder(handed).refused
    assert isinstance(refused, ExerciseDamaged)
    assert "tcp_lifecycle" in str(refused)


def test_another_learners_form_is_refused(
    handed: Path, folders: dict[str, Path], tmp_path: Path
) -> None:
    export(
        tmp_path / "ben", "Ben", [FIRST], {"tcp_lifecycle": folders["tcp_lifecycle"]}, Language.EN
    )
    shutil.copy(handed / "answers.yaml", tmp_path / "ben" / "answers.yaml")
    assert isinstance(grade_folder(tmp_path / "ben").refused, ExerciseDamaged)


@pytest.mark.parametrize(
    ("field", "value"),
    [("learner", "Eve"), ("questions", ["HS01"]), ("seed", 3), ("runs", {})],
)
def test_an_exercise_that_was_edited_is_refused(handed: Path, field: str, value: object) -> None:
    path = handed / "exercise.json"
    exercise = json.loads(path.read_text())
    path.write_text(json.dumps({**exercise, field: value}))
    assert isinstance(grade_folder(handed).refused, ExerciseDamaged)


def test_a_form_without_its_first_line_is_told_so(handed: Path) -> None:
    form = handed / "answers.yaml"
    lines = form.read_text().splitlines(keepends=True)
    form.write_text("".join(line for line in lines if not line.startswith("exercise:")))
    assert "lacks its line" in str(grade_folder(handed).refused)


def test_a_run_that_came_damaged_is_not_gradable_and_the_others_are(handed: Path) -> None:
    (run,) = handed.glob("runs/*-tcp_lifecycle")
    exercise = msgspec.json.decode((handed / "exercise.json").read_bytes(), type=Exercise)
    form = (handed / "answers.yaml").read_text()
    (run / "run.json").write_text("{")
    record = RunRecord(run.name, run_digest(run))
    again = replace(exercise, runs={**exercise.runs, "tcp_lifecycle": record})
    (handed / "exercise.json").write_bytes(msgspec.json.encode(again))
    (handed / "answers.yaml").write_text(form.replace(exercise.binding, again.binding))
    graded = grade_folder(handed)
    assert graded.refused is None
    assert all(one.ungradable for one in graded.grades if one.question == "HS01")


def test_what_was_not_asked_is_named(handed: Path) -> None:
    with (handed / "answers.yaml").open("a") as form:
        form.write("  HS99:\n    text: x\n")
    assert ["HS99" in stray.en for stray in grade_folder(handed).strays] == [True]
    assert scores(handed)["HS01"] == 70.0


@pytest.mark.parametrize("name", ["exercise.json", "answers.yaml"])
def test_a_file_that_is_missing_is_named(handed: Path, name: str) -> None:
    (handed / name).unlink()
    assert name in str(grade_folder(handed).refused)


@pytest.mark.parametrize("octets", [b"", b"{", b'{"format": 99}', b"\xff", b'{"learner": 1}'])
def test_a_damaged_exercise_is_refused(handed: Path, octets: bytes) -> None:
    (handed / "exercise.json").write_bytes(octets)
    assert isinstance(grade_folder(handed).refused, ExerciseDamaged)


def test_a_run_outside_the_folder_is_not_read(handed: Path) -> None:
    path = handed / "exercise.json"
    exercise = json.loads(path.read_text())
    for run in exercise["runs"].values():
        run["folder"] = f"../../{run['folder']}"
    path.write_text(json.dumps(exercise))
    assert scores(handed)["HS01"] == 70.0


def test_a_form_that_builds_objects_is_refused(handed: Path) -> None:
    with (handed / "answers.yaml").open("a") as form:
        form.write("more: !!python/object/apply:os.getcwd []\n")
    graded = grade_folder(handed)
    assert graded.refused is None
    assert [one.question for one in graded.grades if one.fault] == ["HS02"]


def test_a_form_without_a_question_left_whole_is_refused(handed: Path) -> None:
    (handed / "answers.yaml").write_text("[")
    assert isinstance(grade_folder(handed).refused, AnswersUnreadable)


def test_of_a_run_whose_promise_failed_nothing_is_wrong(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    broken = tmp_path / folders["tcp_lifecycle"].name
    shutil.copytree(folders["tcp_lifecycle"], broken)
    manifest = json.loads((broken / "run.json").read_text())
    manifest["taps"][0]["dropped"] = 3
    (broken / "run.json").write_text(json.dumps(manifest))
    export(tmp_path / "carl", "Carl", [FIRST], {"tcp_lifecycle": broken}, Language.EN)
    graded = grade_folder(tmp_path / "carl")
    assert [one.ungradable is not None for one in graded.grades] == [True]
    assert graded.score is None


@pytest.mark.parametrize("question", [FIRST, SECOND])
def test_the_sheet_says_where_to_look(question: Question, handed: Path) -> None:
    sheet = (handed / "QUESTIONS.md").read_text()
    assert question.asks.en in sheet
    for folder in handed.glob("runs/*"):
        assert f"runs/{folder.name}" in sheet
