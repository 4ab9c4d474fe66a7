"""Every question grades as it should: solved, off by one, empty, of another run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from lab import questions
from lab.exercise import export, grade_folder
from lab.questions.base import Ask, Proof, Question, Right, Unit, Value
from lab.questions.runs import Runs
from lab.quiz.grading import Answers, Mark, grade
from lab.text import Language

pytestmark = pytest.mark.namespaces

GRADED = [one for one in questions.every() if one.values and one.runs]
ANOTHER = {
    Unit.STATE: "CLOSING",
    Unit.ERROR: "EXDEV",
    Unit.NAME: "nobody",
    Unit.HEX: "00ff00ff00",
}


def named(question: Question) -> str:
    return question.id


def solved(question: Question, proof: Proof, language: Language) -> Answers:
    """What somebody would hand in who has understood."""
    assert question.guess
    return Answers(
        values={ask.id: spelled(ask, proof.key[ask.id].accepted[0]) for ask in question.values},
        text=question.answer.say(language),
        guess=question.guess.right,
        confidence=75,
    )


def spelled(ask: Ask, value: Value) -> object:
    """A span is typed with its unit; a bare number would count as milliseconds."""
    if ask.unit is Unit.SPAN:
        return f"{value} ns"
    return list(value) if isinstance(value, tuple) else value


def wrong(ask: Ask, right: Right) -> object:
    """One off; where a value is no number, another of its kind."""
    first = right.accepted[0]
    if isinstance(first, tuple):
        return list(reversed(first))
    if ask.unit is Unit.CHOICE:
        return next(name for name, _ in ask.choices if name not in right.accepted)
    if isinstance(first, str):
        return ANOTHER[ask.unit]
    value = first + right.tolerance + 1
    while value in right.accepted or value == right.relative:
        value += 1
    return spelled(ask, value)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("question", GRADED, ids=named)
def test_a_solved_set_scores_a_hundred(
    question: Question, proof: Proof, runs: Runs, language: Language
) -> None:
    graded = grade(question, solved(question, proof, language), runs)
    assert graded.ungradable is None
    assert not [one.words.en for one in graded.values if one.mark is not Mark.RIGHT]
    assert graded.score == 100
    assert graded.passed


@pytest.mark.parametrize("question", GRADED, ids=named)
def test_values_that_are_one_off_score_nothing(
    question: Question, proof: Proof, runs: Runs
) -> None:
    values = {ask.id: wrong(ask, proof.key[ask.id]) for ask in question.values}
    graded = grade(question, Answers(values=values), runs)
    assert {one.mark for one in graded.values} == {Mark.WRONG}
    assert graded.score == 0
    assert not graded.passed


@pytest.mark.parametrize("question", GRADED, ids=named)
def test_an_empty_set_scores_nothing(question: Question, runs: Runs) -> None:
    graded = grade(question, Answers(), runs)
    assert {one.mark for one in graded.values} == {Mark.MISSING}
    assert graded.score == 0


@pytest.mark.parametrize("question", GRADED, ids=named)
def test_words_alone_pass_no_question(question: Question, proof: Proof, runs: Runs) -> None:
    text = solved(question, proof, Language.EN).text
    graded = grade(question, Answers(text=text), runs)
    assert graded.score == 20
    assert not graded.passed


@pytest.mark.parametrize("question", GRADED, ids=named)
def test_answers_about_another_run_are_refused(
    question: Question, folders: Mapping[str, Path], proof: Proof, tmp_path: Path
) -> None:
    exercise = export(tmp_path / "own", "Anna", [question], folders, Language.EN)
    form = {
        "exercise": "0" * len(exercise.binding),
        "answers": {question.id: {"values": dict(solved(question, proof, Language.EN).values)}},
    }
    answers = tmp_path / "own" / "answers.yaml"
    answers.write_text(yaml.safe_dump(form, allow_unicode=True))
    foreign = grade_folder(tmp_path / "own")
    answers.write_text(yaml.safe_dump({**form, "exercise": exercise.binding}, allow_unicode=True))
    own = grade_folder(tmp_path / "own")
    assert foreign.refused is not None
    assert foreign.score is None
    assert own.score == 70
