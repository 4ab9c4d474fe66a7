"""The words of every question: complete, in both languages, and agreeing with each other."""

from __future__ import annotations

import re

import pytest

from lab import questions, scenarios
from lab.questions.base import GROUPS, Question, Unit
from lab.quiz.rubric import explained, normalised
from lab.text import Language, Text

EVERY = questions.every()
CHINESE = re.compile(r"[一-鿿]")


def named(question: Question) -> str:
    return question.id


def test_no_two_questions_share_an_id() -> None:
    ids = [one.id for one in EVERY]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("question", EVERY, ids=named)
def test_a_question_names_what_there_is(question: Question) -> None:
    known = {one.id for one in EVERY}
    assert question.group in GROUPS
    assert question.sources
    assert set(question.then) <= known - {question.id}
    for name in question.runs:
        assert scenarios.find(name)
    assert (question.prove is None) == (not question.runs)


@pytest.mark.parametrize("question", EVERY, ids=named)
def test_a_question_is_worded_in_both_languages(question: Question) -> None:
    for text in _texts(question):
        assert text.en
        assert not CHINESE.search(text.en)
        assert text.zh
    assert CHINESE.search(question.asks.zh)
    assert CHINESE.search(question.answer.zh)


@pytest.mark.parametrize("question", [one for one in EVERY if one.values], ids=named)
def test_a_question_that_is_graded_has_what_a_quiz_needs(question: Question) -> None:
    assert 2 <= len(question.ideas) <= 5
    assert question.wrong
    assert question.guess
    assert 0 <= question.guess.right < len(question.guess.options) >= 2
    assert len(question.hints) == 2
    assert len({ask.id for ask in question.values}) == len(question.values)
    for ask in question.values:
        assert bool(ask.choices) == (ask.unit in (Unit.ORDER, Unit.CHOICE))


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("question", [one for one in EVERY if one.ideas], ids=named)
def test_the_answer_itself_says_every_idea_and_nothing_wrong(
    question: Question, language: Language
) -> None:
    found = explained(question, question.answer.say(language))
    assert not [one.idea.words.en for one in found.ideas if not one.said]
    assert not [one.idea.words.en for one in found.wrong if one.said]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("question", [one for one in EVERY if one.ideas], ids=named)
def test_the_words_of_an_idea_are_recognised_as_that_idea(
    question: Question, language: Language
) -> None:
    for idea in (*question.ideas, *question.wrong):
        words = normalised(idea.words.say(language))
        assert any(re.search(pattern, words, re.I) for pattern in idea.patterns), words


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("question", [one for one in EVERY if one.wrong], ids=named)
def test_a_contradiction_costs_what_an_idea_gives(question: Question, language: Language) -> None:
    answer = question.answer.say(language)
    contradicted = explained(question, f"{answer} {question.wrong[0].words.say(language)}")
    assert contradicted.share < explained(question, answer).share == 1


def _texts(question: Question) -> list[Text]:
    guess = question.guess
    return [
        question.asks,
        question.answer,
        *(ask.words for ask in question.values),
        *(words for ask in question.values for _, words in ask.choices),
        *(idea.words for idea in (*question.ideas, *question.wrong)),
        *((guess.words, *guess.options) if guess else ()),
        *question.hints,
        *(text for text in (question.claim, question.truth) if text),
    ]
