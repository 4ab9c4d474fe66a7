"""The diagnosis room's rules: whoever needs less evidence scores more."""

from __future__ import annotations

import pytest

from lab import questions, scenarios
from lab.quiz.diagnosis import CAUSES, MOST, PRICE, Piece, judged
from lab.quiz.hints import NONE_LEFT, hint
from lab.quiz.interview import CHAINS, LENGTH, chain

KNOWN = {one.id: one for one in questions.every()}


@pytest.mark.parametrize("scenario", CAUSES)
def test_behind_every_cause_is_a_scenario(scenario: str) -> None:
    assert scenarios.find(scenario)


def test_each_piece_costs_and_a_wrong_cause_scores_nothing() -> None:
    pieces = list(Piece)[:MOST]
    assert judged("rst_refused", "rst_refused", []).score == 100
    assert judged("rst_refused", "rst_refused", pieces).score == 100 - MOST * PRICE
    assert judged("rst_refused", "rst_refused", [Piece.CALLS, Piece.CALLS]).score == 100 - PRICE
    assert judged("rst_refused", "zero_window", []).score == 0


@pytest.mark.parametrize("ids", CHAINS)
def test_a_chain_is_asked_as_interviewers_do(ids: tuple[str, ...]) -> None:
    assert tuple(one.id for one in chain(KNOWN[ids[0]], KNOWN)) == ids


def test_another_question_is_followed_by_those_it_leads_to() -> None:
    found = chain(KNOWN["HS02"], KNOWN)
    assert 1 < len(found) <= LENGTH
    assert len(set(found)) == len(found)


def test_the_third_hint_is_an_example_and_there_is_no_fourth() -> None:
    question = KNOWN["HS01"]
    assert [hint(question, nth) for nth in (0, 1)] == list(question.hints)
    assert hint(question, 2) == NONE_LEFT  # without another run
    assert hint(question, 3) == NONE_LEFT
