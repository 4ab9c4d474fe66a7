"""The form that is handed out and what comes back: YAML, read as plain data and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from lab.errors import AnswersUnreadable
from lab.questions.base import Ask, Guess, Question, Unit
from lab.quiz.grading import Answers
from lab.quiz.plain_yaml import TWICE, NotPlain, mended, parse
from lab.quiz.rubric import normalised
from lab.text import Language, Text

HEAD = Text(
    "Fill in what stands after each colon; leave the exercise line as it is.",
    "请在每个冒号后填写；exercise 一行不要改动。",
)
PREDICTION = Text("made before you looked: its number", "看结果之前作出的预测：填编号")
CONFIDENCE = Text("50, 75 or 95 (percent)", "50、75 或 95（百分比）")
IN_WORDS = Text("why, in your own words", "用自己的话说明原因")
LONGEST = 1 << 18  # octets of a form that are read
QUESTION = re.compile(r" {1,8}([A-Z]{1,2}\d+):\s*(#.*)?$")
BINDING = re.compile(r"^exercise: *[\"']?([0-9a-f]+)", re.M)
NOT_MAPPING = Text("'name: value' is expected", "此处应为“名称: 值”")
NOT_UTF8 = Text("it is not UTF-8: save it as such", "不是 UTF-8，请以该编码保存")
TOO_LONG = Text("more than {most} octets", "超过 {most} 字节")


class Handed(Struct, frozen=True):
    """A form that was handed in: whatever it holds, by question."""

    binding: str
    answers: Mapping[str, Mapping[str, Any]]
    faults: Mapping[str, AnswersUnreadable] = {}  # of the answers that could not be read

    def of(self, question: Question) -> Answers:
        """The answers to one question; what is no answer counts as none."""
        given = self.answers.get(question.id, {})
        values = given.get("values") or {}
        return Answers(
            values=values if isinstance(values, dict) else {"values": values},
            text=str(given.get("text") or ""),
            guess=_option(given.get("prediction"), question.guess),
            confidence=_number(given.get("confidence")),
            hints=_number(given.get("hints")) or 0,
        )

    def strays(self, asked: Sequence[Question]) -> tuple[str, ...]:
        """What was answered without having been asked."""
        known = {question.id for question in asked}
        return tuple(name for name in (*self.answers, *self.faults) if name not in known)


def blank_form(asked: Sequence[Question], binding: str, language: Language) -> str:
    """The form for some questions, as YAML with what is asked in comments."""
    return "\n".join((*_head(binding, language), *_questions(asked, language), ""))


def _head(binding: str, language: Language) -> Iterator[str]:
    yield f"# {HEAD.say(language)}"
    yield f"exercise: {binding}"
    yield "answers:"


def _questions(asked: Sequence[Question], language: Language) -> Iterator[str]:
    for question in asked:
        yield f"  # {question.asks.say(language)}"
        yield f"  {question.id}:"
        if question.guess:
            yield f"    # {question.guess.words.say(language)}"
            for number, option in enumerate(question.guess.options, 1):
                yield f"    #   {number}  {option.say(language)}"
            yield f"    prediction:  # {PREDICTION.say(language)}"
            yield f"    confidence:  # {CONFIDENCE.say(language)}"
        yield "    values:"
        for ask in question.values:
            yield f"      {ask.id}:  # {ask.words.say(language)}{_choices(ask, language)}"
        yield f"    text:  # {IN_WORDS.say(language)}"


def _choices(ask: Ask, language: Language) -> str:
    """What may be chosen, by id."""
    listed = "; ".join(f"{name} = {words.say(language)}" for name, words in ask.choices)
    joint = " → " if ask.unit is Unit.ORDER else ": "
    return f"{joint}{listed}" if listed else ""


def read_form(octets: bytes, file: object) -> Handed:
    """Read what was handed in; raises AnswersUnreadable, naming ``file`` and the line.

    Where only some answers cannot be read, the others are.
    """
    if len(octets) > LONGEST:
        raise AnswersUnreadable(file=file, line=1, detail=TOO_LONG.fill(most=LONGEST))
    try:
        text = mended(octets.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise AnswersUnreadable(file=file, line=line, detail=NOT_UTF8) from error
    try:
        told = _mapping(text, file, 0)
    except AnswersUnreadable as fault:
        return _piecemeal(text, file, fault)
    answers = told.get("answers") or {}
    if not isinstance(answers, dict):
        raise AnswersUnreadable(file=file, line=_line_of("answers", text), detail=NOT_MAPPING)
    return _handed(str(told.get("exercise") or ""), answers, text, file)


def _mapping(text: str, file: object, before: int) -> dict[str, Any]:
    """One YAML mapping of plain data; ``before``: lines that stand before it in the file."""
    try:
        told = parse(text)
    except NotPlain as error:
        line = error.line + before
        raise AnswersUnreadable(file=file, line=line, detail=error.words) from error
    if not isinstance(told, dict):
        raise AnswersUnreadable(file=file, line=1 + before, detail=NOT_MAPPING)
    return told


def _piecemeal(text: str, file: object, fault: AnswersUnreadable) -> Handed:
    """The answers of a damaged form one by one; raises ``fault`` if there is none to be found."""
    lines = text.splitlines(keepends=True)
    begins = [i for i, line in enumerate(lines) if QUESTION.match(line)]
    binding = BINDING.search(text)
    if not begins or not binding:
        raise fault
    answers: dict[str, Any] = {}
    faults: dict[str, AnswersUnreadable] = {}
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        name = lines[begin].strip().partition(":")[0]
        if name in answers:
            detail = TWICE.fill(name=name)
            faults[name] = AnswersUnreadable(file=file, line=begin + 1, detail=detail)
        try:
            answers |= _mapping("".join(lines[begin:end]), file, begin)
        except AnswersUnreadable as error:
            faults[name] = error
    whole = _handed(binding[1], answers, text, file)
    return Handed(whole.binding, whole.answers, {**whole.faults, **faults})


def _handed(binding: str, told: Mapping[str, Any], text: str, file: object) -> Handed:
    """By question; what is no mapping is a fault of its own, what is left empty nothing."""
    answers: dict[str, dict[str, Any]] = {}
    faults: dict[str, AnswersUnreadable] = {}
    for given, what in told.items():
        name = given.strip().upper()
        detail = TWICE.fill(name=name) if name in answers else NOT_MAPPING
        if isinstance(what, dict) and name not in answers:
            answers[name] = what
        elif what is not None:
            faults[name] = AnswersUnreadable(file=file, line=_line_of(given, text), detail=detail)
    return Handed(binding, answers, faults)


def _line_of(name: str, text: str) -> int:
    """Where a name stands, counted from 1; the first line if that cannot be told."""
    found = re.search(rf"^ *{re.escape(name)} *:", text, re.M)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _number(given: object) -> int | None:
    try:
        return int(str(given).strip().rstrip("%％. "))
    except ValueError:
        return None


def _option(given: object, guess: Guess | None) -> int | None:
    """A prediction by its number, counted from 1 on paper, or in its own words."""
    number = _number(given)
    if guess is None or (number is not None and 1 <= number <= len(guess.options)):
        return None if number is None else number - 1
    said = "" if given is None else normalised(str(given))  # "none" is what some options say
    spelled = [(normalised(one.en), normalised(one.zh)) for one in guess.options]
    return next((index for index, both in enumerate(spelled) if said in both), None)
