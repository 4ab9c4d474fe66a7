"""The quiz's addresses against requests that no page makes, and what a page that only shows offers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from lab import questions
from lab.analyze import load_run
from lab.errors import DockerMissing, NotAvailable
from lab.questions.base import Question
from lab.questions.runs import Runs
from lab.quiz.interview import CHAINS
from lab.quiz.progress import Attempt, Progress, encode_progress
from lab.quiz.rubric import LONGEST, explained
from lab.web.live import Follower, presence
from tests.web import HOST, SAMPLE, TOKEN, TOUR, ask, captures, plays, post, shows

FIRST = questions.find("HS01")


def nothing_yet(tmp: Path) -> Path:
    """A captures folder without any run."""
    folder = tmp / "captures"
    folder.mkdir()
    return folder


def recorded(folder: Path, *scenarios: str) -> Path:
    """A captures folder where such runs seem to be, next to what is there."""
    for number, name in enumerate(scenarios):
        (folder / f"20261121T1300{number:02}Z-{name.replace(':', '.')}").mkdir()
    return folder


def unavailable(*_: object) -> Path:
    raise NotAvailable(capability="x", reason="y")


def answered(*ids: str) -> bytes:
    """A progress in which these were asked a moment ago."""
    attempts = [
        Attempt(time=n + 1, question=one, kind="locate", score=0, passed=False)
        for n, one in enumerate(ids)
    ]
    return encode_progress(Progress(attempts=tuple(attempts)))


# ---------------------------------------------------------------- refusals are readable


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        ("/quiz/open", (("host", "evil.example:8080"),), b"{}"),
        ("/quiz/open", (("host", HOST), ("origin", "http://evil.example")), b"{}"),
        ("/quiz/open", (("host", HOST), ("content-length", "999999")), b"{}"),
        ("/quiz/open", (("host", HOST), ("x-lab-token", "wrong")), b"{}"),
        ("/quiz/open", (("host", HOST), ("x-lab-token", TOKEN)), b"question=HS01"),
        ("/quiz/none/run", (("host", HOST), ("x-lab-token", TOKEN)), b"{}"),
        ("/quiz/nowhere", (("host", HOST), ("x-lab-token", TOKEN)), b"{}"),
        ("/room/none/cause", (("host", HOST), ("x-lab-token", TOKEN)), b'{"cause": "?"}'),
    ],
)
def test_a_refusal_is_said_in_both_languages(
    target: str, headers: tuple[tuple[str, str], ...], body: bytes, tmp_path: Path
) -> None:
    app = plays(captures(tmp_path), unavailable)
    said = ask(app, target, method="POST", headers=headers, body=(body,))
    assert 400 <= said.status < 500
    (first, *_) = said.json["error"]
    assert first["en"] != first["zh"]


def test_a_long_id_is_not_repeated_in_full(tmp_path: Path) -> None:
    said = post(shows(captures(tmp_path)), "/quiz/open", {"question": "x" * 50_000})
    assert said.status == 404
    assert len(said.octets) < 2000


@pytest.mark.parametrize("confidence", [-7, 0, 100, 10**30, True, "95"])
def test_no_other_confidence_is_taken(confidence: object, tmp_path: Path) -> None:
    app = shows(captures(tmp_path))
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    made = {"guess": 0, "confidence": confidence}
    assert post(app, f"/quiz/{sitting}/predict", made).status == 400


def test_of_a_long_text_only_the_beginning_is_looked_at() -> None:
    late = " " * LONGEST + FIRST.answer.en
    assert explained(FIRST, FIRST.answer.en).share > 0
    assert explained(FIRST, late).share == 0


# ---------------------------------------------------------------- what is asked next


def test_what_cannot_be_played_here_is_not_asked_again(tmp_path: Path) -> None:
    app = plays(captures(tmp_path), unavailable)
    first = post(app, "/quiz/open").json
    assert post(app, f"/quiz/{first['sitting']}/run").status == 501
    assert post(app, "/quiz/open").json["id"] != first["id"]


def test_when_everything_was_asked_it_says_so(tmp_path: Path) -> None:
    progress = tmp_path / "p.json"
    progress.write_bytes(answered(*(one.id for one in questions.every())))
    said = post(plays(captures(tmp_path), unavailable, progress), "/quiz/open")
    assert said.status == 409
    assert said.json["error"][0]["en"] == "Nothing is due, and there is no new question."


def test_while_a_case_is_played_its_name_is_not_told(tmp_path: Path) -> None:
    heard: list[str] = []

    def play(*_: object) -> Path:
        heard.append(post(app, "/run/tour").json["error"][0]["en"])
        raise DockerMissing(detail="no socket")

    app = plays(captures(tmp_path), play)
    post(app, "/room/open")
    assert heard == ["Another scenario is being played already."]


# ---------------------------------------------------------------- a page that only shows


def shown(folder: Path) -> dict[str, dict[str, object]]:
    """The questions of the progress, by id."""
    told = ask(shows(folder), "/quiz/progress").json
    return {one["id"]: one for stage in told["stages"] for one in stage["questions"]}


def test_each_question_names_what_to_play_first(tmp_path: Path) -> None:
    listed = shown(recorded(captures(tmp_path), "tcp_lifecycle"))
    assert listed["HS01"]["lacks"] == []
    assert listed["HS04"]["lacks"] == ["open_simultaneous"]


def test_a_variant_is_not_its_scenario(tmp_path: Path) -> None:
    listed = shown(recorded(captures(tmp_path), "udp_echo"))
    assert listed["UD07"]["lacks"] == ["udp_echo:lost_reply"]
    listed = shown(recorded(tmp_path / "captures", "udp_echo:lost_reply"))
    assert listed["UD07"]["lacks"] == []


def test_an_incomplete_run_is_none(tmp_path: Path) -> None:
    listed = shown(recorded(nothing_yet(tmp_path), "tcp_lifecycle.incomplete"))
    assert listed["HS01"]["lacks"] == ["tcp_lifecycle"]


def test_the_run_that_adds_most_questions_is_named(tmp_path: Path) -> None:
    folder = nothing_yet(tmp_path)
    told = ask(shows(folder), "/quiz/progress").json
    assert (told["ready"], told["best"]) == (0, "tcp_lifecycle")
    told = ask(shows(recorded(folder, "tcp_lifecycle")), "/quiz/progress").json
    assert told["ready"] > 0
    assert told["best"] != "tcp_lifecycle"


def test_a_page_that_plays_lacks_nothing(tmp_path: Path) -> None:
    told = ask(plays(captures(tmp_path), unavailable), "/quiz/progress").json
    assert told["ready"] == told["total"]


def test_an_interview_begins_with_what_can_be_proved(tmp_path: Path) -> None:
    app = shows(recorded(nothing_yet(tmp_path), "udp_echo"))
    begun = post(app, "/quiz/open", {"interview": True}).json
    assert begun["scenarios"] == ["udp_echo"]


def test_an_interview_keeps_to_a_chain_that_is_whole(tmp_path: Path) -> None:
    chain = [questions.find(name) for name in CHAINS[2]]
    app = shows(recorded(captures(tmp_path), *{name for one in chain for name in one.runs}))
    begun = post(app, "/quiz/open", {"interview": True}).json
    assert (begun["id"], *begun["chain"]) == CHAINS[2]


def test_without_any_run_the_first_to_play_is_named(tmp_path: Path) -> None:
    app = shows(nothing_yet(tmp_path))
    for wanted in ({}, {"interview": True}):
        said = post(app, "/quiz/open", wanted)
        assert said.status == 409
        assert said.json["error"][1]["en"].startswith("Play it: lab run ")


def test_a_run_that_was_deleted_is_said(tmp_path: Path) -> None:
    folder = captures(tmp_path)
    app = shows(folder)
    assert ask(app, f"/runs/{TOUR}").status == 200
    (folder / TOUR).rename(tmp_path / "gone")
    assert ask(app, f"/runs/{TOUR}").status == 404


def test_an_open_page_keeps_the_server_from_leaving(tmp_path: Path) -> None:
    follower = Follower(tmp_path)

    async def there() -> list[int]:
        stream = presence(follower, lambda: False)
        await anext(stream)
        counted = [follower.watchers]
        await stream.aclose()
        return [*counted, follower.watchers]

    assert asyncio.run(there()) == [1, 0]


def test_an_open_page_does_not_keep_a_server_that_ends(tmp_path: Path) -> None:
    async def all_of_it() -> int:
        return len([piece async for piece in presence(Follower(tmp_path), lambda: True)])

    assert asyncio.run(all_of_it()) == 1


def test_the_progress_that_is_exported_is_the_file(tmp_path: Path) -> None:
    progress = tmp_path / "p.json"
    progress.write_bytes(answered("HS01"))
    said = ask(plays(captures(tmp_path), unavailable, progress), "/quiz/progress.json")
    assert said.json == json.loads(progress.read_bytes())
    assert "attachment" in said.headers["content-disposition"]


# ---------------------------------------------------------------- after a tour alone

TOUR_TOO = [one for one in questions.every() if one.instead]


@pytest.mark.parametrize("question", TOUR_TOO, ids=lambda one: one.id)
def test_what_shows_the_same_proves_it(question: Question) -> None:
    assert question.instead == "tour"
    (scenario,) = question.runs
    assert questions.prove(question, Runs({scenario: load_run(SAMPLE)})).holds


def test_after_a_tour_its_handshake_can_be_asked_about(tmp_path: Path) -> None:
    app = shows(captures(tmp_path))
    assert ask(app, "/quiz/progress").json["ready"] == len(TOUR_TOO) > 0
    opened = post(app, "/quiz/open", {"question": "HS01"}).json
    assert TOUR in post(app, f"/quiz/{opened['sitting']}/run").text
