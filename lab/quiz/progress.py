"""What a learner has shown, and what comes back when: spaced by FSRS, a local file, no account.

What is remembered is a fact with a proof: a question and its kind. A review is answered from memory
and proved on a fresh run, whose numbers are others. Times are ns since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec
from fsrs import Card, Rating, Scheduler
from msgspec import Struct
from msgspec.structs import replace

from lab.errors import ProgressDamaged
from lab.questions.base import Question
from lab.quiz.grading import Answers, Grade

FORMAT = 1
A_DAY = 20  # reviews at most
CERTAIN = 95  # %: who is wrong and was so sure is asked again the next day
QUICK = 60 * 10**9  # ns within which an answer counts as quick
SECOND = 10**9
SCHEDULER = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)

CardRecord: TypeAlias = dict[str, Any]


class Attempt(Struct, frozen=True, kw_only=True):
    """One graded answer."""

    time: int
    question: str
    kind: str
    score: float
    passed: bool
    guessed: bool | None = None
    confidence: int | None = None
    hints: int = 0
    covered: tuple[int, ...] = ()  # ideas that the learner claims; not scored
    interview: bool = False


class Progress(Struct, frozen=True, kw_only=True):
    """Everything about one learner."""

    format: int = FORMAT
    cards: dict[str, CardRecord] = {}  # FSRS's, by fact
    attempts: tuple[Attempt, ...] = ()  # in order of time

    def passed(self) -> frozenset[str]:
        """The questions that were passed at least once."""
        return frozenset(one.question for one in self.attempts if one.passed)


def encode_progress(progress: Progress) -> bytes:
    """As it is kept and exported."""
    return msgspec.json.format(msgspec.json.encode(progress), indent=1) + b"\n"


def decode_progress(octets: bytes, file: object) -> Progress:
    """Read a learner's file; raises ProgressDamaged, naming ``file``.

    One of an older version lacks what was added since; one of a newer version is left alone.
    """
    try:
        progress = msgspec.json.decode(octets, type=Progress)
        for card in progress.cards.values():
            Card.from_dict(card)  # type: ignore[arg-type]
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise ProgressDamaged(file=file, detail=f"{type(error).__name__}: {error}") from error
    if progress.format > FORMAT:
        raise ProgressDamaged(file=file, detail=f"format {progress.format} > {FORMAT}")
    return replace(progress, format=FORMAT)


def fact(question: Question) -> str:
    """What is remembered of a question."""
    return f"{question.id}/{question.kind}"


def rating(grade: Grade, answers: Answers, spent: int) -> Rating:
    """From evidence: wrong; right with hints; right; right, quick and sure of it."""
    if not grade.passed:
        return Rating.Again
    if grade.hints:
        return Rating.Hard
    sure = (answers.confidence or 0) >= CERTAIN and grade.guessed is not False
    return Rating.Easy if sure and spent <= QUICK else Rating.Good


def recorded(
    progress: Progress,
    question: Question,
    grade: Grade,
    answers: Answers,
    *,
    now: int,
    spent: int,
    interview: bool = False,
) -> Progress:
    """The progress with one more attempt; what could not be graded leaves no trace."""
    if grade.ungradable is not None:
        return progress
    attempt = Attempt(
        time=now,
        question=question.id,
        kind=question.kind.value,
        score=grade.score,
        passed=grade.passed,
        guessed=grade.guessed,
        confidence=answers.confidence,
        hints=grade.hints,
        covered=answers.covered,
        interview=interview,
    )
    card = _reviewed(progress.cards.get(fact(question)), rating(grade, answers, spent), now)
    if was_overconfident(attempt):
        card["due"] = (_moment(now) + timedelta(days=1)).isoformat()
    cards = {**progress.cards, fact(question): card}
    return replace(progress, cards=cards, attempts=(*progress.attempts, attempt))


def was_overconfident(attempt: Attempt) -> bool:
    """Sure, and wrong: confronted with it, people correct such errors best."""
    wrong = attempt.guessed is False or not attempt.passed
    return wrong and (attempt.confidence or 0) >= CERTAIN


def due(progress: Progress, questions: Sequence[Question], now: int) -> list[Question]:
    """What is to be reviewed today, in order: errors that were made with confidence first.

    At most A_DAY a day; groups alternate, and no scenario comes twice in a row if that can be.
    """
    today = _moment(now).date()
    done = sum(_moment(one.time).date() == today for one in progress.attempts)
    known = {fact(one): one for one in questions}
    waiting = [
        (not _overconfident_last(progress, known[name]), card["due"], known[name])
        for name, card in progress.cards.items()
        if name in known and datetime.fromisoformat(card["due"]) <= _moment(now)
    ]
    waiting.sort(key=lambda one: one[:2])
    return interleaved([one for _, _, one in waiting])[: max(0, A_DAY - done)]


def interleaved(questions: Sequence[Question]) -> list[Question]:
    """The same questions, neighbours of different groups and scenarios as far as that can be."""
    left, ordered = list(questions), list[Question]()
    while left:
        before = ordered[-1] if ordered else None
        left_out = [one for one in left if before is None or not _alike(one, before)]
        nearest = next((one for one in left_out if not before or one.group != before.group), None)
        ordered.append(nearest or (left_out or left)[0])
        left.remove(ordered[-1])
    return ordered


def _alike(one: Question, other: Question) -> bool:
    return bool(set(one.runs) & set(other.runs))


def _overconfident_last(progress: Progress, question: Question) -> bool:
    last = [one for one in progress.attempts if one.question == question.id][-1:]
    return bool(last) and was_overconfident(last[0])


def _reviewed(card: Mapping[str, Any] | None, rated: Rating, now: int) -> CardRecord:
    moment = _moment(now)
    old = Card.from_dict(card) if card else Card(card_id=now, due=moment)  # type: ignore[arg-type]
    return dict(SCHEDULER.review_card(old, rated, moment)[0].to_dict())


def _moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / SECOND, UTC)
