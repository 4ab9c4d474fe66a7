"""A grade: a verdict for each value with the frame that proves it, ideas said and missed, points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.questions.base import Question, Source
from lab.quiz.grading import HINT, Answers, Grade, Judged, Mark
from lab.quiz.rubric import Explained, Found
from lab.report.answers import words
from lab.report.glyphs import fold, safe
from lab.report.terminal import Paint, plain
from lab.text import Language, Text

SCORE = Text(
    "{score} of 100: values {values}/70, explanation {explanation}/20, prediction {prediction}/10",
    "得分 {score}/100：取值 {values}/70，解释 {explanation}/20，预测 {prediction}/10",
)
HINTS = Text(", less {points} for hints", "，提示扣 {points} 分")
NOT_GRADABLE = Text("not gradable, and not wrong: {reason}", "无法评分，不算错：{reason}")
VALUE = Text("{asked}: {told}", "{asked}：{told}")
SAID = Text("you said: {idea}", "已说到：{idea}")
MISSED = Text("not said: {idea}", "未说到：{idea}")
CONTRADICTS = Text("this contradicts the run: {idea}", "与运行结果矛盾：{idea}")
CAME_TRUE = Text("Your prediction came true: {option}", "预测应验：{option}")
DID_NOT = Text(
    "You predicted: {option}. What happens: {right}", "你的预测：{option}。实际情况：{right}"
)
MARKS = {Mark.RIGHT: ("✓", "good"), Mark.WRONG: ("✗", "bad")}
OTHER = ("·", "warning")


def draw_grade(
    question: Question,
    grade: Grade,
    answers: Answers,
    language: Language,
    columns: int,
    paint: Paint = plain,
) -> Iterator[str]:
    """Yield the lines of one question's grade."""
    if reason := grade.ungradable or grade.fault:
        wording = NOT_GRADABLE.fill(reason=reason) if grade.ungradable else reason
        yield from fold([safe(wording.say(language))], columns)
        return
    for one in grade.values:
        yield from _value(question, one, language, columns, paint)
    yield from _prediction(question, answers, language, columns)
    if grade.explained and answers.text.strip():
        yield from draw_ideas(grade.explained, language, columns, paint)
    yield paint(score_line(grade, language), "good" if grade.passed else "warning")


def _value(
    question: Question, one: Judged, language: Language, columns: int, paint: Paint
) -> Iterator[str]:
    mark, style = MARKS.get(one.mark, OTHER)
    asked = next((ask.words.say(language) for ask in question.values if ask.id == one.id), one.id)
    told = VALUE.fill(asked=asked, told=one.words).say(language)
    lines = fold([safe(told)], columns - 2)
    yield f"{paint(mark, style)} {lines[0]}"
    yield from (f"  {line}" for line in lines[1:])
    for cite in one.right.cites[:2] if one.right else ():
        where = f" #{cite.where[0]}" if cite.source is Source.FRAME else ""
        yield paint(f"    {cite.run} {cite.host}{where}  {safe(cite.words)}", "faint")


def _prediction(
    question: Question, answers: Answers, language: Language, columns: int
) -> Iterator[str]:
    guess = question.guess
    if guess is None or answers.guess is None or not 0 <= answers.guess < len(guess.options):
        return
    option, right = guess.options[answers.guess], guess.options[guess.right]
    told = CAME_TRUE if answers.guess == guess.right else DID_NOT
    yield from fold([safe(told.fill(option=option, right=right).say(language))], columns)


def draw_ideas(
    found: Explained, language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """Yield what a learner's words say of what they should, and where they contradict the run."""

    def line(one: Found, told: Text, mark: str, style: str) -> Iterator[str]:
        lines = fold([told.fill(idea=one.idea.words).say(language)], columns - 2)
        yield f"{paint(mark, style)} {lines[0]}"
        yield from (f"  {rest}" for rest in lines[1:])

    for one in found.ideas:
        told, mark, style = (SAID, "✓", "good") if one.said else (MISSED, "·", "warning")
        yield from line(one, told, mark, style)
    for one in found.wrong:
        if one.said:
            yield from line(one, CONTRADICTS, "✗", "bad")


def score_line(grade: Grade, language: Language) -> str:
    """The points in one sentence."""
    values, explanation, prediction = (f"{points:g}" for points in grade.points)
    said = SCORE.fill(
        score=f"{grade.score:g}", values=values, explanation=explanation, prediction=prediction
    ).say(language)
    return said + (HINTS.fill(points=HINT * grade.hints).say(language) if grade.hints else "")


# ---------------------------------------------------------------- for programs


def grade_record(grade: Grade) -> dict[str, object]:
    """One question's grade, with the reason for each point."""
    reason = grade.ungradable or grade.fault
    found = grade.explained
    return {
        "question": grade.question,
        "gradable": grade.ungradable is None,
        "reason": words(reason) if reason else None,
        "score": grade.score,
        "passed": grade.passed,
        "points": dict(zip(("values", "explanation", "prediction"), grade.points, strict=True)),
        "hints": grade.hints,
        "prediction_came_true": grade.guessed,
        "values": [_value_record(one) for one in grade.values],
        "ideas": [_idea_record(one) for one in found.ideas] if found else [],
        "contradictions": [_idea_record(one) for one in found.wrong if one.said] if found else [],
    }


def _value_record(one: Judged) -> dict[str, object]:
    return {
        "id": one.id,
        "mark": one.mark.value,
        "given": one.given,
        "slip": one.slip.value if one.slip else None,
        "reason": words(one.words),
        "proved_by": [
            {
                "run": cite.run,
                "host": cite.host,
                "source": cite.source.value,
                "where": cite.where,
                "words": cite.words,
            }
            for cite in (one.right.cites if one.right else ())
        ],
    }


def _idea_record(one: Found) -> dict[str, object]:
    return {"idea": words(one.idea.words), "said": one.said, "at": one.spans}


CSV_COLUMNS = (
    "folder",
    "learner",
    "question",
    "score",
    "passed",
    "values",
    "explanation",
    "prediction",
    "hints",
    "reasons",
)


def csv_row(folder: str, learner: str, grade: Grade, language: Language) -> Sequence[object]:
    """One line of the CSV, under CSV_COLUMNS; a question that was not gradable has no score."""
    if reason := grade.ungradable or grade.fault:
        score = "" if grade.ungradable else 0
        told = NOT_GRADABLE.fill(reason=reason) if grade.ungradable else reason
        return (folder, learner, grade.question, score, "", "", "", "", "", told.say(language))
    numbers = (*grade.points, grade.hints)
    reasons = safe("; ".join(_reasons(grade, language)))
    return (folder, learner, grade.question, grade.score, grade.passed, *numbers, reasons)


def _reasons(grade: Grade, language: Language) -> Iterator[str]:
    """For each value, then for what the words say, miss and contradict, if there are any."""
    yield from (f"{one.id}: {one.words.say(language)}" for one in grade.values)
    found = grade.explained
    if found is None or not found.text:
        return
    for one in found.ideas:
        yield (SAID if one.said else MISSED).fill(idea=one.idea.words).say(language)
    for one in found.wrong:
        if one.said:
            yield CONTRADICTS.fill(idea=one.idea.words).say(language)
