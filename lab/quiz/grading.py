"""Grades: values against the runs, words against the rubric, a prediction for having been made.

Values count 70 %, the explanation 20 %, the prediction 10 %. Only the values decide whether a
question is passed. What cannot be graded (frames missing, a promise broken) is never wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from lab import questions
from lab.questions.base import Ask, Missing, Question, Right, Slip, Source, Unit, Value
from lab.questions.runs import Runs
from lab.quiz.rubric import Explained, explained
from lab.quiz.slips import WORDS
from lab.quiz.values import Unreadable, read, written
from lab.text import Text

VALUES, EXPLANATION, PREDICTION = 70, 20, 10  # points of a hundred
HINT = 2  # points that each hint costs
NUMBERS = {Unit.SEQUENCE, Unit.COUNT, Unit.OCTETS}

RIGHT = Text("right: {right}", "正确：{right}")
RELATIVE = Text(
    "right: {right}, given relative to the ISN", "正确：{right}（以相对 ISN 的形式给出）"
)
WRONG = Text("{given} is not it; the run shows {right}.", "{given} 不对；运行显示的是 {right}。")
MISSING = Text("not answered; the run shows {right}.", "未作答；运行显示的是 {right}。")
UNREADABLE = Text("{given} cannot be read: {expected}.", "无法识别 {given}：{expected}。")
UNKNOWN = Text("the question asks for no such value", "题目没有要求这一项")
SETTLED = Text("no experiment can settle it, only its source", "没有实验能判定，只能以文献为准")
UNPROVED = Text("this run does not prove it: {claim}", "这次运行未能证明：{claim}")
SHOWN = 60  # characters of a value that are repeated to the learner


class Mark(StrEnum):
    """What became of one value."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"  # a value that nobody asked for; it costs nothing


class Answers(Struct, frozen=True, kw_only=True):
    """What a learner hands in for one question."""

    values: Mapping[str, object] = {}  # as they were typed, by the id of what is asked
    text: str = ""
    guess: int | None = None  # index of the predicted option; None: no prediction was made
    confidence: int | None = None  # 50, 75, 95 %
    hints: int = 0  # that were looked at
    covered: tuple[int, ...] = ()  # ideas that the learner says are in the text: not scored


class Judged(Struct, frozen=True):
    """One value and what became of it; ``right`` has the frames that prove it."""

    id: str
    mark: Mark
    words: Text
    given: str = ""
    right: Right | None = None
    slip: Slip | None = None


class Grade(Struct, frozen=True):
    """One question's grade. ``ungradable``: why there is none; the points are then 0."""

    question: str
    values: tuple[Judged, ...] = ()
    explained: Explained | None = None
    points: tuple[float, float, float] = (0.0, 0.0, 0.0)  # values, explanation, prediction
    hints: int = 0
    guessed: bool | None = None  # whether the prediction came true; None: none was made
    ungradable: Text | None = None
    fault: Text | None = None  # why nothing could be read of what was handed in

    @property
    def score(self) -> float:
        """Of a hundred, hints taken off."""
        return max(0.0, sum(self.points) - HINT * self.hints) if sum(self.points) else 0.0

    @property
    def passed(self) -> bool:
        """Every asked value is right: words alone pass nothing."""
        asked = [one for one in self.values if one.mark is not Mark.UNKNOWN]
        return bool(asked) and all(one.mark is Mark.RIGHT for one in asked)


def grade(question: Question, answers: Answers, runs: Runs, unusable: Text | None = None) -> Grade:
    """Grade one question's answers on the runs they are about.

    Args:
        question: what was asked.
        answers: what was handed in.
        runs: those that the learner looked at.
        unusable: why these runs prove nothing, if that is known already.
    """
    if unusable is not None:
        return Grade(question.id, ungradable=unusable)
    if question.prove is None:
        return Grade(question.id, ungradable=SETTLED)
    proof = questions.prove(question, runs)
    if not proof.holds:
        broken = next((claim.words for claim in proof.claims if not claim.holds), question.asks)
        return Grade(question.id, ungradable=UNPROVED.fill(claim=broken))
    judged = tuple(_judge_all(question, proof.key, answers.values, runs))
    found = explained(question, answers.text)
    return Grade(
        question=question.id,
        values=judged,
        explained=found,
        points=_points(question, judged, found, answers),
        hints=min(max(answers.hints, 0), 3),
        guessed=_came_true(question, answers.guess),
    )


def _points(
    question: Question, judged: tuple[Judged, ...], found: Explained, answers: Answers
) -> tuple[float, float, float]:
    right = sum(one.mark is Mark.RIGHT for one in judged) / max(1, len(question.values))
    predicted = _came_true(question, answers.guess) is not None
    return (
        round(VALUES * right, 2),
        round(EXPLANATION * found.share, 2),
        float(PREDICTION * predicted),
    )


def _came_true(question: Question, guess: int | None) -> bool | None:
    known = question.guess is not None and guess is not None
    if not known or not 0 <= guess < len(question.guess.options):  # type: ignore[operator, union-attr]
        return None
    return guess == question.guess.right  # type: ignore[union-attr]


def _judge_all(
    question: Question, key: Mapping[str, Right], given: Mapping[str, object], runs: Runs
) -> Iterator[Judged]:
    for ask in question.values:
        yield judge(ask, key[ask.id], given.get(ask.id), runs)
    known = {ask.id for ask in question.values}
    for name in given:
        if name not in known:
            yield Judged(str(name)[:SHOWN], Mark.UNKNOWN, UNKNOWN)


def judge(ask: Ask, right: Right, given: object, runs: Runs) -> Judged:
    """Judge one value: right, or wrong with what is known of the slip."""
    shown = written(ask.unit, right.accepted[0])
    if given is None or (isinstance(given, str) and not given.strip()):
        return Judged(ask.id, Mark.MISSING, MISSING.fill(right=shown), right=right)
    typed = str(given)[:SHOWN]
    try:
        value = read(ask, given)
    except Unreadable as error:
        words = UNREADABLE.fill(given=typed, expected=error.words)
        return Judged(ask.id, Mark.UNREADABLE, words, typed, right)
    if _is_right(ask.unit, right, value):
        words = RELATIVE if value == right.relative and value not in right.accepted else RIGHT
        return Judged(ask.id, Mark.RIGHT, words.fill(right=shown), typed, right)
    slip = _slip(ask, right, value, runs)
    words = WRONG.fill(given=typed, right=shown)
    if slip:
        told = WORDS[slip]
        words = Text(f"{words.en} {told.en}", f"{words.zh}{told.zh}")
    return Judged(ask.id, Mark.WRONG, words, typed, right, slip)


def _is_right(unit: Unit, right: Right, value: Value) -> bool:
    if isinstance(value, int):
        first = right.accepted[0]
        near = isinstance(first, int) and abs(value - first) <= right.tolerance
        return near or value in right.accepted or value == right.relative
    return value in {_plain(unit, one) for one in right.accepted}


def _plain(unit: Unit, value: Value) -> Value:
    """A right value, spelled as a learner's is once it has been read."""
    if isinstance(value, str) and unit in (Unit.NAME, Unit.ERROR, Unit.STATE, Unit.HEX):
        return read(Ask("", WRONG, unit), value)
    return value


def _slip(ask: Ask, right: Right, value: Value, runs: Runs) -> Slip | None:
    for slip, wrong in right.slips:
        if value == wrong or value == _plain(ask.unit, wrong):
            return slip
    if ask.unit is Unit.FRAME and value in tuple(_elsewhere(right, runs)):
        return Slip.OTHER_CAPTURE
    first = right.accepted[0]
    if ask.unit not in NUMBERS or not isinstance(value, int) or not isinstance(first, int):
        return None
    if ask.unit is Unit.SEQUENCE and value == (right.relative or 0) - 1:
        return Slip.SYN_COUNTS_ONE
    return Slip.OFF_BY_ONE if abs(value - first) == 1 else None


def _elsewhere(right: Right, runs: Runs) -> Iterator[int]:
    """The numbers that the right frames have in the other host's capture."""
    for cite in right.cites:
        if cite.source is Source.FRAME:
            try:
                other = runs[cite.run].twin(cite.host, int(cite.where[0]))
            except Missing:
                continue
            if other is not None:
                yield other
