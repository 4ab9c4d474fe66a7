"""Progress: what is recorded, what comes back when, and a file that may be damaged."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lab import questions
from lab.errors import ProgressDamaged
from lab.quiz.grading import Answers, Grade, Judged, Mark
from lab.quiz.progress import (
    A_DAY,
    Progress,
    decode_progress,
    due,
    encode_progress,
    interleaved,
    recorded,
)
from lab.quiz.stages import upcoming
from lab.text import same

EVERY = [one for one in questions.every() if one.values]
FIRST = questions.find("HS01")
DAY, NOON = 86_400 * 10**9, 1_795_262_400 * 10**9
QUICKLY = 10**9


def graded(*, right: bool, guessed: bool | None = True, hints: int = 0) -> Grade:
    mark = Mark.RIGHT if right else Mark.WRONG
    value = Judged("syn", mark, same("-"))
    return Grade("HS01", (value,), points=(70.0, 0.0, 10.0), guessed=guessed, hints=hints)


def after(grade: Grade, confidence: int = 75, progress: Progress | None = None) -> Progress:
    answers = Answers(confidence=confidence, hints=grade.hints)
    before = progress or Progress()
    return recorded(before, FIRST, grade, answers, now=NOON, spent=QUICKLY)


def days_until_due(progress: Progress) -> int:
    return next(day for day in range(1000) if due(progress, EVERY, NOON + day * DAY))


def test_what_is_known_better_comes_back_later() -> None:
    wrong = days_until_due(after(graded(right=False)))
    hard = days_until_due(after(graded(right=True, hints=1)))
    good = days_until_due(after(graded(right=True)))
    easy = days_until_due(after(graded(right=True), confidence=95))
    assert 1 == wrong <= hard < good < easy


def test_who_was_sure_and_wrong_is_asked_the_next_day() -> None:
    assert days_until_due(after(graded(right=True, guessed=False), confidence=95)) == 1


def test_what_could_not_be_graded_leaves_no_trace() -> None:
    assert after(Grade("HS01", ungradable=same("frames are missing"))) == Progress()


def test_an_answer_passes_the_question_only_if_it_is_right() -> None:
    failed = after(graded(right=False))
    assert failed.passed() == frozenset()
    assert after(graded(right=True), progress=failed).passed() == {"HS01"}


def test_no_more_than_a_days_reviews_are_due() -> None:
    progress = Progress()
    for question in EVERY[: A_DAY + 10]:
        progress = recorded(
            progress, question, graded(right=False), Answers(), now=NOON, spent=QUICKLY
        )
    assert len(due(progress, EVERY, NOON + 3 * DAY)) == min(A_DAY, len(EVERY))


def test_neighbours_are_of_different_groups_where_that_can_be() -> None:
    chosen = [one for one in EVERY if one.group in ("HS", "TD")][:12]
    ordered = interleaved(chosen)
    assert sorted(one.id for one in ordered) == sorted(one.id for one in chosen)
    changes = sum(a.group != b.group for a, b in pairwise(ordered))
    fewest = min(sum(one.group == group for one in chosen) for group in ("HS", "TD"))
    assert changes >= fewest


def test_what_is_due_is_asked_before_what_is_new() -> None:
    progress = after(graded(right=False))
    later = upcoming(progress, EVERY, NOON + 2 * DAY)
    assert later[0] == ("review", FIRST)
    assert {why for why, _ in later[1:]} == {"new"}
    assert FIRST not in [one for _, one in later[1:]]


def test_a_file_is_read_back_as_it_was_written() -> None:
    progress = after(graded(right=True))
    assert decode_progress(encode_progress(progress), "progress.json") == progress


def test_a_file_of_an_older_version_lacks_what_was_added_since() -> None:
    older = b'{"attempts": [{"time": 1, "question": "HS01", "kind": "locate", "score": 1.0, "passed": true}]}'
    assert decode_progress(older, "progress.json").passed() == {"HS01"}


@pytest.mark.parametrize(
    "octets",
    [b"", b"{", b"[]", b'{"format": 99}', b'{"cards": {"HS01/locate": {"due": "never"}}}'],
)
def test_a_damaged_file_is_named_and_left_alone(octets: bytes) -> None:
    with pytest.raises(ProgressDamaged) as caught:
        decode_progress(octets, "progress.json")
    assert caught.value.details["file"] == "progress.json"
