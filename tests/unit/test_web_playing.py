"""A page that plays: one run at a time, what it says, how it failed; a page that only shows."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from lab.backends.base import Say
from lab.errors import DockerMissing, OneAtATime
from lab.text import same
from lab.web.playing import Player
from tests.web import TOUR, ask, captures, plays, post, shows


def test_one_run_at_a_time(tmp_path: Path) -> None:
    go = Event()

    def play(_: str, say: Say) -> Path:
        say(same("building"))
        assert go.wait(10)
        return tmp_path

    app = plays(captures(tmp_path), play)
    first, second = post(app, "/run/tour"), post(app, "/run/rst_refused")
    go.set()
    assert (first.status, second.status) == (202, 409)
    assert second.json["error"][0]["en"] == "tour is being played already."


def test_after_one_run_comes_the_next(tmp_path: Path) -> None:
    player = Player(lambda *_: tmp_path, patience=0)
    assert [player.play("tour"), player.play("tour")] == [tmp_path, tmp_path]
    assert player.now.run == tmp_path.name


def test_what_went_wrong_is_kept_for_the_page(tmp_path: Path) -> None:
    def play(*_: object) -> Path:
        raise DockerMissing(detail="no socket")

    player = Player(play, patience=0)
    with pytest.raises(DockerMissing):
        player.play("tour")
    assert not player.now.on
    assert "no socket" in " ".join(line.en for line in player.now.error)


def test_a_fault_nobody_foresaw_frees_the_turn(tmp_path: Path) -> None:
    def play(*_: object) -> Path:
        raise ZeroDivisionError("nobody thought of it")

    player = Player(play, patience=0)
    with pytest.raises(ZeroDivisionError):
        player.play("tour")
    assert "nobody thought of it" in player.now.error[0].en
    with pytest.raises(ZeroDivisionError):
        player.play("tour")


def test_while_one_plays_nobody_else_does(tmp_path: Path) -> None:
    def play(*_: object) -> Path:
        with pytest.raises(OneAtATime):
            player.play("rst_refused")
        return tmp_path

    player = Player(play, patience=0)
    assert player.play("tour") == tmp_path


def test_a_scenario_that_there_is_not_is_not_played(tmp_path: Path) -> None:
    said = post(plays(captures(tmp_path), lambda *_: tmp_path), "/run/tuor")
    assert said.status == 404
    assert "tour" in said.json["error"][1]["en"]


def test_a_page_that_shows_asks_about_the_newest_run(tmp_path: Path) -> None:
    app = shows(captures(tmp_path))
    sitting = post(app, "/quiz/open", {"question": "HS02"}, token="").json["sitting"]
    said = post(app, f"/quiz/{sitting}/run", token="")
    assert said.status == 409
    assert said.json["error"][0]["en"] == "There is no usable run of third_ack_lost."


def test_progress_that_is_damaged_is_said(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("{")
    app = plays(captures(tmp_path), lambda *_: tmp_path, tmp_path / "p.json")
    headers = (("host", "127.0.0.1:8080"), ("accept", "application/json"))
    said = ask(app, "/quiz/progress", headers=headers)
    assert "cannot be read" in said.json["error"][0]["en"]


def test_progress_is_shown_stage_by_stage(tmp_path: Path) -> None:
    told = ask(shows(captures(tmp_path)), "/quiz/progress").json
    assert told["passed"] == 0
    assert sum(len(stage["questions"]) for stage in told["stages"]) == told["total"]


def test_a_sample_is_shown_like_a_run(tmp_path: Path) -> None:
    folder = captures(tmp_path)
    (folder / "samples").mkdir()
    (folder / TOUR).rename(folder / "samples" / "tour")
    assert ask(shows(folder), "/runs/tour").status == 200
