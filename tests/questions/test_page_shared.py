"""The quiz on the page when things come at once, are forged, are lost, or there is no other run."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.types import ASGIApp

from lab import questions
from lab.analyze import load_run
from lab.cli import main
from lab.cli._proofs import Bench
from lab.evidence.run import Evidence
from lab.questions.base import Question
from tests.web import plays, post, shows

pytestmark = pytest.mark.namespaces

FIRST = questions.find("HS01")


@pytest.fixture
def question() -> Question:
    return FIRST


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path) -> Path:
    """The only run in a captures folder of its own."""
    played = folders[FIRST.runs[0]]
    copy: Path = copytree(played, tmp_path / "captures" / played.name)
    return copy


def opened(app: ASGIApp, name: str = "HS01") -> str:
    """A question of which the run was looked at."""
    sitting: str = post(app, "/quiz/open", {"question": name}).json["sitting"]
    post(app, f"/quiz/{sitting}/run")
    return sitting


def attempts(progress: Path) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = json.loads(progress.read_bytes())["attempts"]
    return kept


def test_asked_twice_at_once_it_is_played_once(folder: Path) -> None:
    played: list[str] = []

    def play(scenario: str, _: object) -> Path:
        played.append(scenario)
        return folder

    app = plays(folder.parent, play)
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(lambda _: post(app, f"/quiz/{sitting}/run"), range(2)))
    assert [one.status for one in said] == [200, 200]
    assert played == list(FIRST.runs)


def test_self_marks_go_to_their_own_attempt(folder: Path, tmp_path: Path) -> None:
    """In two tabs the same question is open, and each was handed in."""
    app = plays(folder.parent, lambda *_: folder, tmp_path / "p.json")
    one, other = opened(app), opened(app)
    for sitting in (one, other):
        post(app, f"/quiz/{sitting}/grade", {"text": "?"})
    post(app, f"/quiz/{one}/cover", {"covered": [0]})
    assert [attempt["covered"] for attempt in attempts(tmp_path / "p.json")] == [[0], []]


def test_self_marks_are_of_ideas_that_were_missed(folder: Path, tmp_path: Path) -> None:
    app = plays(folder.parent, lambda *_: folder, tmp_path / "p.json")
    sitting = opened(app)
    post(app, f"/quiz/{sitting}/grade", {"text": "?"})
    post(app, f"/quiz/{sitting}/cover", {"covered": [99, -1, 10**30, 1]})
    assert attempts(tmp_path / "p.json")[0]["covered"] == [1]


def test_how_sure_one_was_counts_with_a_prediction_only(folder: Path, tmp_path: Path) -> None:
    app = plays(folder.parent, lambda *_: folder, tmp_path / "p.json")
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    post(app, f"/quiz/{sitting}/predict", {"guess": None, "confidence": 95})
    post(app, f"/quiz/{sitting}/run")
    post(app, f"/quiz/{sitting}/grade")
    assert attempts(tmp_path / "p.json")[0]["confidence"] is None


def test_what_another_terminal_recorded_stays(folder: Path, tmp_path: Path) -> None:
    progress = tmp_path / "p.json"
    one, other = (plays(folder.parent, lambda *_: folder, progress) for _ in range(2))
    first, second = opened(one), opened(other)
    post(one, f"/quiz/{first}/grade")
    post(other, f"/quiz/{second}/grade")
    assert len(attempts(progress)) == 2


def test_the_terminal_keeps_what_the_page_recorded_meanwhile(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = tmp_path / "p.json"
    app = plays(folder.parent, lambda *_: folder, progress)
    evidence = load_run(folder)

    def gather(*_: object) -> dict[str, tuple[Path, Evidence]]:
        post(app, f"/quiz/{opened(app)}/grade")
        return {FIRST.runs[0]: (folder, evidence)}

    monkeypatch.setattr(Bench, "gather", gather)
    monkeypatch.setenv("LAB_PROGRESS", str(progress))
    said = CliRunner().invoke(main, ["quiz", "HS01"], input="\n" * 20)
    assert said.exit_code == 0, said.output
    assert len(attempts(progress)) == 2


def test_answers_wait_until_progress_can_be_kept(folder: Path, tmp_path: Path) -> None:
    progress = tmp_path / "p.json"
    app = plays(folder.parent, lambda *_: folder, progress)
    sitting = opened(app)
    progress.write_text("{")
    assert "cannot be read" in post(app, f"/quiz/{sitting}/grade").json["error"][0]["en"]
    progress.unlink()
    assert post(app, f"/quiz/{sitting}/grade").status == 200
    assert len(attempts(progress)) == 1


def test_a_run_that_is_deleted_meanwhile_is_graded_all_the_same(folder: Path) -> None:
    app = plays(folder.parent, lambda *_: folder)
    sitting = opened(app)
    rmtree(folder)
    assert post(app, f"/quiz/{sitting}/grade").json["grade"]["gradable"] is True


def test_hints_that_there_are_not_cost_nothing(folder: Path) -> None:
    """A page that only shows, with one run: there is no other to take an example from."""
    app = shows(folder.parent)
    sitting = opened(app)
    told = [post(app, f"/quiz/{sitting}/hint").json["en"] for _ in range(3)]
    assert told[2] == "There is no further hint."
    assert post(app, f"/quiz/{sitting}/grade").json["grade"]["hints"] == 2


def test_an_older_run_serves_as_the_example(folder: Path) -> None:
    stamp, _, scenario = folder.name.partition("-")
    copytree(folder, folder.with_name(f"20200101T000000Z-{scenario}"))
    assert stamp > "2020"
    app = shows(folder.parent)
    sitting = opened(app)
    told = [post(app, f"/quiz/{sitting}/hint").json["en"] for _ in range(3)]
    assert told[2].startswith("In another run it was so")


def test_what_proves_a_value_comes_with_its_words(folder: Path) -> None:
    app = shows(folder.parent)
    graded = post(app, f"/quiz/{opened(app)}/grade").json["grade"]
    cites = [cite for one in graded["values"] for cite in one["proved_by"]]
    assert cites
    assert all(cite["words"] for cite in cites)


def test_the_diagnosis_room_passes_over_what_cannot_be_used(folder: Path) -> None:
    """Of the one case there is only a folder without a run."""
    (folder.parent / "20261121T130000Z-rst_refused").mkdir()
    said = post(shows(folder.parent), "/room/open")
    assert (said.status, said.json["error"][0]["en"][:25]) == (409, "There is no usable run of")
