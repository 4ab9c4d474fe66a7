"""The quiz on the page grades as the terminal does, and gives nothing away before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab import questions
from lab.cli import main
from lab.cli._proofs import Bench
from lab.errors import NotAvailable
from lab.questions.base import Proof, Question
from lab.questions.runs import Runs
from lab.quiz.grading import Answers
from lab.text import Language
from lab.web.sittings import KEPT
from tests.played import evidence_of, run_folder
from tests.questions.test_grading import solved
from tests.web import plays, post

pytestmark = pytest.mark.namespaces

FIRST = questions.find("HS01")


@pytest.fixture
def question() -> Question:
    return FIRST


@pytest.fixture
def folder(folders: dict[str, Path]) -> Path:
    return folders[FIRST.runs[0]]


def sets(proof: Proof) -> Mapping[str, Answers]:
    """What learners hand in: as values the terminal's reader can type."""
    right = solved(FIRST, proof, Language.EN)
    values = {name: str(value) for name, value in right.values.items()}
    off = {name: str(int(value) + 1) for name, value in values.items()}
    base = partial(Answers, guess=1, confidence=95)
    return {
        "all right": base(values=values, text=right.text),
        "in Chinese": base(values=values, text=FIRST.answer.zh),
        "one off": base(values=off, text=""),
        "the other prediction": Answers(values=values, text="", guess=0, confidence=50),
        "half": base(values=dict(list(values.items())[:2]), text="SYN"),
        "nothing": base(),
        "what nobody can read": base(values=dict.fromkeys(values, "<b>?!</b>")),
        "words alone": base(text=right.text),
    }


def on_the_page(answers: Answers, folder: Path, progress: Path) -> dict[str, object]:
    """Taken through the page's addresses, one after the other; returns its verdict."""
    app = plays(folder.parent, lambda *_: folder, progress)
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    made = {"guess": answers.guess, "confidence": answers.confidence}
    post(app, f"/quiz/{sitting}/predict", made)
    post(app, f"/quiz/{sitting}/run")
    handed = {"values": dict(answers.values), "text": answers.text}
    verdict: dict[str, object] = post(app, f"/quiz/{sitting}/grade", handed).json
    return verdict


def in_the_terminal(
    answers: Answers, folder: Path, progress: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed, as a learner does."""
    found = {FIRST.runs[0]: (folder, evidence_of(folder))}
    monkeypatch.setattr(Bench, "gather", lambda *_: found)
    monkeypatch.setenv("LAB_PROGRESS", str(progress))
    assert answers.guess is not None
    typed = [str(answers.guess + 1), str(answers.confidence)]
    typed += [str(answers.values.get(ask.id, "")) for ask in FIRST.values]
    typed += [answers.text, *["no"] * 5]
    said = CliRunner().invoke(main, ["quiz", "HS01", "--lang", "en"], input="\n".join(typed) + "\n")
    assert said.exit_code == 0, said.output


NAMES = (
    "all right",
    "in Chinese",
    "one off",
    "the other prediction",
    "half",
    "nothing",
    "what nobody can read",
    "words alone",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_grades_as_the_terminal_does(
    name: str, proof: Proof, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = sets(proof)[name]
    on_the_page(answers, folder, tmp_path / "page.json")
    in_the_terminal(answers, folder, tmp_path / "terminal.json", monkeypatch)
    kept = []
    for who in ("page", "terminal"):
        (attempt,) = json.loads((tmp_path / f"{who}.json").read_text())["attempts"]
        kept.append({key: value for key, value in attempt.items() if key != "time"})
    assert kept[0] == kept[1]


def test_a_solved_question_scores_everything(proof: Proof, folder: Path, tmp_path: Path) -> None:
    verdict = on_the_page(sets(proof)["all right"], folder, tmp_path / "p.json")
    assert verdict["grade"]["score"] == 100  # type: ignore[index]


def test_the_frames_that_prove_it_are_lit(
    proof: Proof, runs: Runs, folder: Path, tmp_path: Path
) -> None:
    verdict = on_the_page(sets(proof)["nothing"], folder, tmp_path / "p.json")
    opening = [segment.number for segment in runs["tcp_lifecycle"].opening()]
    assert verdict["lit"] == [{"run": folder.name, "host": "client", "frames": opening}]


def test_what_was_said_is_marked_in_the_learners_words(
    proof: Proof, folder: Path, tmp_path: Path
) -> None:
    verdict = on_the_page(sets(proof)["all right"], folder, tmp_path / "p.json")
    pieces = verdict["text"]
    assert "said" in {mark for _, mark in pieces}  # type: ignore[attr-defined]


def test_a_question_gives_nothing_away_before_it_is_answered(folder: Path) -> None:
    app = plays(folder.parent, lambda *_: folder)
    opened = post(app, "/quiz/open", {"question": "HS01"}).text
    assert FIRST.answer.en[:30] not in opened
    assert FIRST.hints[0].en not in opened
    assert '"right"' not in opened


def test_a_prediction_cannot_be_changed_after_the_run(folder: Path, tmp_path: Path) -> None:
    app = plays(folder.parent, lambda *_: folder, tmp_path / "p.json")
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    post(app, f"/quiz/{sitting}/predict", {"guess": 0})
    post(app, f"/quiz/{sitting}/run")
    post(app, f"/quiz/{sitting}/predict", {"guess": 1})
    verdict = post(app, f"/quiz/{sitting}/grade", {"values": {}}).json
    assert verdict["prediction"]["true"] is False


def test_answers_are_graded_once(proof: Proof, folder: Path, tmp_path: Path) -> None:
    app = plays(folder.parent, lambda *_: folder, tmp_path / "p.json")
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    post(app, f"/quiz/{sitting}/run")
    post(app, f"/quiz/{sitting}/grade", {"values": {}})
    values = {name: str(value) for name, value in sets(proof)["all right"].values.items()}
    again = post(app, f"/quiz/{sitting}/grade", {"values": values}).json
    assert again["grade"]["score"] == 0
    assert len(json.loads((tmp_path / "p.json").read_text())["attempts"]) == 1


def test_hints_come_one_by_one_and_cost_points(folder: Path, tmp_path: Path) -> None:
    app = plays(folder.parent, lambda *_: folder, tmp_path / "p.json")
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    post(app, f"/quiz/{sitting}/run")
    told = [post(app, f"/quiz/{sitting}/hint").json["en"] for _ in range(3)]
    assert told[: len(FIRST.hints)] == [hint.en for hint in FIRST.hints]
    assert told[2].startswith("In another run it was so")
    assert post(app, f"/quiz/{sitting}/grade", {}).json["grade"]["hints"] == 3


def test_nothing_is_graded_before_the_run(folder: Path) -> None:
    app = plays(folder.parent, lambda *_: folder)
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    assert post(app, f"/quiz/{sitting}/grade", {}).status == 404


def test_self_marks_are_kept_beside_the_score(folder: Path, tmp_path: Path) -> None:
    app = plays(folder.parent, lambda *_: folder, tmp_path / "p.json")
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    post(app, f"/quiz/{sitting}/run")
    post(app, f"/quiz/{sitting}/grade", {"values": {}, "text": "?"})
    post(app, f"/quiz/{sitting}/cover", {"covered": [0, 2]})
    (attempt,) = json.loads((tmp_path / "p.json").read_text())["attempts"]
    assert attempt["covered"] == [0, 2]
    assert attempt["score"] == 0


def test_an_interview_is_a_chain_of_three(folder: Path) -> None:
    app = plays(folder.parent, lambda *_: folder)
    opened = post(app, "/quiz/open", {"interview": True}).json
    assert opened["interview"] is True
    assert len(opened["chain"]) == 2


def test_what_cannot_be_played_here_is_said(folder: Path) -> None:
    def play(*_: object) -> Path:
        raise NotAvailable(capability="x", reason="y")

    app = plays(folder.parent, play)
    sitting = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    said = post(app, f"/quiz/{sitting}/run")
    assert (said.status, said.json["error"][0]["en"]) == (501, "Not available here: x (y).")


def test_too_many_open_questions_close_the_oldest(folder: Path) -> None:
    app = plays(folder.parent, lambda *_: folder)
    first = post(app, "/quiz/open", {"question": "HS01"}).json["sitting"]
    for _ in range(KEPT):
        post(app, "/quiz/open", {"question": "HS01"})
    assert post(app, f"/quiz/{first}/run").status == 404


def test_the_diagnosis_room_gives_five_pieces_and_names_no_case(base: Path) -> None:
    folder = run_folder(base, "rst_refused")
    assert folder is not None
    app = plays(folder.parent, lambda *_: folder)
    case = post(app, "/room/open").json
    assert "rst_refused" not in json.dumps({**case, "causes": []})
    pieces = [
        post(app, f"/room/{case['case']}/piece", {"piece": one}).json for one, _ in case["pieces"]
    ]
    assert [one["left"] for one in pieces] == [4, 3, 2, 1, 0, 0]
    assert pieces[-1]["lines"] is None
    found = post(app, f"/room/{case['case']}/cause", {"cause": "zero_window"}).json
    assert found["run"] == folder.name
    assert post(app, f"/room/{case['case']}/cause", {"cause": "zero_window"}).status == 404


def test_an_interview_tells_what_the_words_lack_before_the_proof(
    folder: Path, tmp_path: Path
) -> None:
    app = plays(folder.parent, lambda *_: folder, tmp_path / "p.json")
    sitting = post(app, "/quiz/open", {"question": "HS01", "interview": True}).json["sitting"]
    told = post(app, f"/quiz/{sitting}/speak", {"text": "SYN, SYN-ACK, ACK"}).json
    post(app, f"/quiz/{sitting}/speak", {"text": FIRST.answer.en})  # too late
    post(app, f"/quiz/{sitting}/run")
    graded = post(app, f"/quiz/{sitting}/grade", {"values": {}, "text": FIRST.answer.en}).json[
        "grade"
    ]
    assert [one["said"] for one in told["ideas"]] == [one["said"] for one in graded["ideas"]]
    assert not all(one["said"] for one in told["ideas"])
