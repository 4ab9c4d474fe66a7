"""The commands: asked by id or in words, quizzed by what is typed, graded by the dozen."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from time import time_ns

import pytest
from click.testing import CliRunner, Result

from lab import questions
from lab.cli import main
from lab.cli._proofs import Bench
from lab.cli.ask import _named
from lab.errors import NotAvailable
from lab.exercise import export
from lab.quiz.grading import Answers, Grade, Judged, Mark
from lab.quiz.progress import Progress, encode_progress, recorded
from lab.report.glyphs import width
from lab.text import Language
from tests.played import checkout_of, run_folder

FIRST = questions.find("HS01")


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch, base: Path, tmp_path: Path) -> Path:
    """Whose progress is kept in a file of the test's own; what is played lies in a test's checkout."""
    monkeypatch.setattr("lab.run.checkout", lambda: checkout_of(base).root)
    monkeypatch.setenv("LAB_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setenv("LAB_ENGINE", "namespaces")
    monkeypatch.setenv("LAB_LANG", "en")
    return tmp_path / "progress.json"


def lab(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=typed, catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("hs01", "HS01"),
        (" HS01 ", "HS01"),
        ("which segments flags and numbers does the three-way handshake have", "HS01"),
        ("三次握手的过程", "HS01"),
        ("why three and not two", "HS03"),
        ("为什么不是两次握手", "HS03"),
        ("hanshake segmnts flags numbers three-way", "HS01"),
        ("hs1", "HS01"),
        ("ＨＳ-01", "HS01"),
        ("e08", "E8"),
        ("close wait", "TD07"),
        ("retransmision timout", "RT02"),
        ("粘包怎么办", "BS01"),
    ],
)
def test_a_question_is_found_by_its_id_or_in_other_words(words: str, found: str) -> None:
    from lab.cli.ask import _find

    assert _find(words)[0].id == found


@pytest.mark.parametrize(
    "words", ["xyzzy", "?!", "the of and", "蓝色大象", "the weather today", "为什么"]
)
def test_what_no_question_is_about_is_said(words: str, learner: Path) -> None:
    said = lab("ask", words)
    assert said.exit_code == 60
    assert words in said.stderr


def test_every_question_is_listed_for_programs_too(learner: Path) -> None:
    listed = json.loads(lab("ask", "--list", "--json").stdout)
    assert {one["id"] for one in listed} == {one.id for one in questions.every()}
    assert all(one["asks"]["zh"] for one in listed)


@pytest.mark.namespaces
def test_an_answer_comes_with_its_proof(learner: Path) -> None:
    answer = json.loads(lab("ask", "HS01", "--json", "--fresh").stdout)
    assert answer["proved"]
    assert all(claim["evidence"] for claim in answer["claims"])
    assert list(answer["runs"]) == ["tcp_lifecycle"]


@pytest.mark.namespaces
def test_a_quiz_asks_grades_and_keeps_the_progress(learner: Path) -> None:
    typed = "\n".join(["2", "75", "?", "3", "no", "", "", "", "syn, syn,ack, ack", "yes", "yes"])
    said = lab("quiz", "HS01", typed=f"{typed}\n")
    assert said.exit_code == 0, said.output
    assert FIRST.hints[0].en in said.stdout
    assert "Your prediction came true" in said.stdout
    assert "cannot be read" in said.stdout
    (attempt,) = json.loads(learner.read_text())["attempts"]
    assert attempt["question"] == "HS01"
    assert not attempt["passed"]
    assert attempt["hints"] == 1


@pytest.mark.namespaces
def test_a_quiz_that_is_left_ends_in_one_line(learner: Path) -> None:
    said = lab("quiz", "HS01", typed="2\n")
    assert said.exit_code == 130
    assert not learner.exists()


def test_where_everything_is_known_and_nothing_due_the_quiz_says_so(learner: Path) -> None:
    progress = Progress()
    sure = Grade("", values=(Judged("x", Mark.RIGHT, FIRST.asks),), points=(70.0, 20.0, 10.0))
    for one in questions.every():
        progress = recorded(progress, one, sure, Answers(), now=time_ns(), spent=1)
    learner.write_bytes(encode_progress(progress))
    said = lab("quiz")
    assert said.exit_code == 0
    assert "no new question" in said.stdout


def test_a_quiz_goes_on_past_what_cannot_be_played_here(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> None:
        raise NotAvailable(capability="x", reason="y")

    monkeypatch.setattr(Bench, "gather", lacking)
    said = lab("quiz", typed="\n\n\n")
    assert said.stdout.count("Not available here: x (y)") >= 2
    assert said.exit_code == 130


def test_a_question_that_no_experiment_settles_is_not_said_to_have_failed(learner: Path) -> None:
    said = lab("quiz", "E14", typed="\n")
    assert said.exit_code == 0
    assert "only its source" in said.stdout


@pytest.mark.namespaces
def test_a_number_that_was_not_offered_is_said_and_asked_again(learner: Path) -> None:
    said = lab("quiz", "HS01", typed="7\n2\n95 %\n")
    assert "1, 2, 3" in said.stdout
    assert said.stdout.count("How sure are you") == 1


def test_a_progress_file_that_is_a_folder_is_named(learner: Path) -> None:
    learner.mkdir()
    said = lab("quiz", "--progress")
    assert (said.exit_code, str(learner) in said.stderr) == (62, True)


def test_a_damaged_progress_file_is_left_as_it_is(learner: Path) -> None:
    learner.write_text("{")
    said = lab("quiz", "--progress")
    assert said.exit_code == 62
    assert str(learner) in said.stderr
    assert learner.read_text() == "{"


def test_progress_is_shown_stage_by_stage_and_exported(learner: Path) -> None:
    shown = lab("quiz", "--progress")
    assert shown.exit_code == 0
    assert "0 of" in shown.stdout
    assert json.loads(lab("quiz", "--progress", "--json").stdout)["format"] == 1


@pytest.mark.namespaces
def test_folders_are_graded_by_the_dozen_a_line_a_question(
    base: Path, tmp_path: Path, learner: Path
) -> None:
    folder = run_folder(base, "tcp_lifecycle")
    assert folder
    names = [f"learner{number}" for number in range(12)]
    for name in names:
        export(tmp_path / name, name, [FIRST], {"tcp_lifecycle": folder}, Language.EN)
    (tmp_path / "learner3" / "answers.yaml").unlink()
    said = lab("grade", "--csv", *(str(tmp_path / name) for name in names))
    rows = list(csv.DictReader(said.stdout.splitlines()))
    assert said.exit_code == 64
    assert [row["learner"] for row in rows] == names
    assert [row["score"] for row in rows].count("0.0") == 11
    assert "answers.yaml" in rows[3]["reasons"]


@pytest.mark.namespaces
def test_the_csv_gives_the_reasons_for_the_words_too(
    base: Path, tmp_path: Path, learner: Path
) -> None:
    folder = run_folder(base, "tcp_lifecycle")
    assert folder
    export(tmp_path / "ex", "Anna", [FIRST], {"tcp_lifecycle": folder}, Language.EN)
    form = tmp_path / "ex" / "answers.yaml"
    words = f"{FIRST.ideas[0].words.en}. {FIRST.wrong[0].words.en}"
    form.write_text(form.read_text().replace("    text:", f"    text: {words}"))
    (row,) = csv.DictReader(lab("grade", "--csv", str(tmp_path / "ex")).stdout.splitlines())
    assert f"you said: {FIRST.ideas[0].words.en}" in row["reasons"]
    assert f"not said: {FIRST.ideas[1].words.en}" in row["reasons"]
    assert f"contradicts the run: {FIRST.wrong[0].words.en}" in row["reasons"]


@pytest.mark.parametrize("language", Language)
def test_other_questions_that_fit_are_no_wider_than_the_terminal(
    language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    lines = _named(questions.every()[:4], language)
    assert len(lines) > 1
    assert max(map(width, lines)) <= 70


@pytest.mark.namespaces
def test_an_exercise_is_written_and_graded(learner: Path, tmp_path: Path) -> None:
    target = tmp_path / "ex"
    written = lab("quiz", "--export", str(target), "--learner", "Anna", "--seed", "7", "HS01")
    assert written.exit_code == 0, written.output
    assert f"Fill in {target / 'answers.yaml'}" in written.stdout
    assert f"lab grade {target}" in written.stdout
    graded = json.loads(lab("grade", "--json", str(target)).stdout)
    assert graded[0]["learner"] == "Anna"
    assert graded[0]["score"] == 0
    again = lab("quiz", "--export", str(target), "HS01")
    assert again.exit_code == 51


@pytest.mark.namespaces
def test_learners_with_other_seeds_have_other_addresses(learner: Path, tmp_path: Path) -> None:
    addresses = set()
    for seed in ("1", "2"):
        lab("quiz", "--export", str(tmp_path / seed), "--seed", seed, "HS01")
        (manifest,) = tmp_path.glob(f"{seed}/runs/*/run.json")
        addresses.add(tuple(json.loads(manifest.read_text())["hosts"][0]["addresses"]))
    assert len(addresses) == 2


@pytest.mark.namespaces
def test_an_exercise_keeps_its_seed(learner: Path, tmp_path: Path) -> None:
    lab("quiz", "--export", str(tmp_path / "ex"), "--seed", "7", "HS01")
    assert json.loads((tmp_path / "ex" / "exercise.json").read_text())["seed"] == 7


@pytest.mark.namespaces
def test_an_interview_is_a_chain_that_begins_with_words(learner: Path) -> None:
    said = lab("quiz", "--interview", "HS01", typed="SYN, then SYN,ACK, then ACK\n")
    assert "90" in said.stdout
    assert f"you said: {FIRST.ideas[0].words.en}" in said.stdout
    assert f"not said: {FIRST.ideas[1].words.en}" in said.stdout
    assert said.exit_code == 130


@pytest.mark.namespaces
def test_a_diagnosis_ends_with_the_cause(learner: Path) -> None:
    said = lab("quiz", "--diagnose", typed="Sockets\nnonsense\n1\n")
    assert said.exit_code == 0, said.output
    assert "What the client's program saw" in said.stdout
    assert said.stdout.count("neither a piece of evidence") == 1
    assert "lab show" in said.stdout
