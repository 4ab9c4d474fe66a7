"""The quiz in the terminal: what is read from and written to the learner."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from time import time_ns

import click
from msgspec.structs import replace

from lab import questions
from lab.cli import _output as output
from lab.cli._proofs import Bench
from lab.errors import NotAvailable, Stopped
from lab.evidence.run import Evidence
from lab.learner import load_progress, progress_file, save_progress
from lab.questions.base import Ask, Question
from lab.questions.runs import Runs
from lab.quiz import interview as interviews
from lab.quiz.grading import Answers, Grade, grade
from lab.quiz.hints import MOST, hint
from lab.quiz.progress import Progress, due, encode_progress, recorded
from lab.quiz.rubric import explained
from lab.quiz.stages import STAGES, is_open, stage_of, upcoming
from lab.quiz.values import ONE_OF
from lab.report.answers import answered, draw_answer
from lab.report.glyphs import safe
from lab.report.grades import draw_grade, draw_ideas
from lab.report.ladder import ladder
from lab.report.terminal import draw
from lab.text import Language, Text

PREDICT = Text("Your prediction (its number)", "你的预测（编号）")
SURE = Text("How sure are you: 50, 75 or 95 %", "把握有多大：50、75 还是 95（%）")
SPOKEN = Text(
    "Answer in words, as you would say it; you have 90 seconds", "用自己的话回答，限时 90 秒"
)
TOOK = Text("{seconds} s; the clock allows 90", "用时 {seconds} 秒；限时 90 秒")
WHY = Text("Why? In your own words (empty: skip)", "为什么？用自己的话说明（留空则跳过）")
COVERED = Text(
    "Did you cover it in other words: {idea}? (yes/no; not scored)",
    "是否用别的话说到了：{idea}？（yes/no，不计分）",
)
AGAIN = Text("Next question? (yes/no)", "下一题？（yes/no）")
REVIEW = {
    "review": Text("due for review", "该复习了"),
    "new": Text("new", "新题"),
}
LOOK = Text("the same again: lab show {run}", "再看一遍：lab show {run}")
DONE = Text(
    "{passed} of {total} questions passed, {due} due for review now; {file}",
    "已通过 {passed}/{total} 题，现有 {due} 题待复习；{file}",
)
CLOSED = Text("(opens after stage {after})", "（通过阶段 {after} 后开放）")
NO_MORE = Text("Nothing is due, and there is no new question.", "没有到期的复习，也没有新题了。")
SKIPPED = Text("{question} is left out: {reason}", "跳过 {question}：{reason}")
THERE = Text("it is there already", "它已经存在")
WRITTEN = Text("exercise for {learner}: {folder}", "{learner} 的练习：{folder}")
THEN = Text(
    "Fill in {form} ({sheet} says how), then: lab grade {folder}",
    "填写 {form}（说明见 {sheet}），然后执行：lab grade {folder}",
)
SURENESS = (50, 75, 95)
EXERCISE = 3  # questions of an exercise, if none is named


def ask(names: Sequence[str], engine: str, language: Language, *, interview: bool) -> None:
    """Ask the questions that are named, or what is up next, until there is enough."""
    path = progress_file(os.environ)
    progress = load_progress(path)
    bench = Bench(engine, language, fresh=True)
    named = _named(names, interview=interview)
    chosen = bool(named)
    seen: set[str] = set()  # what could not be graded, or not be played, does not come again
    while True:
        begun = time_ns()
        following = ("", named.pop(0)) if named else _upcoming(progress, seen, begun)
        if following is None:
            click.echo(NO_MORE.say(language))
            return
        why, question = following
        seen.add(question.id)
        try:
            answers, graded = _ask_one(question, why, bench, language, spoken=interview)
        except NotAvailable as error:
            if chosen:
                raise
            words = SKIPPED.fill(question=question.id, reason=error.what.fill(**error.details))
            click.echo(words.say(language))
            continue
        now = time_ns()
        progress = recorded(  # another terminal or the page may have added to it meanwhile
            load_progress(path),
            question,
            graded,
            answers,
            now=now,
            spent=now - begun,
            interview=interview,
        )
        save_progress(path, progress)
        if not named and (chosen or not _confirmed(AGAIN, language)):
            return


def _named(names: Sequence[str], *, interview: bool) -> list[Question]:
    """The questions that are named; for an interview the chain that the first one begins."""
    named = [questions.find(name) for name in names]
    if not interview:
        return named
    known = {one.id: one for one in questions.every()}
    first = named[0] if named else known[random.choice(interviews.CHAINS)[0]]  # noqa: S311
    return list(interviews.chain(first, known))


def _upcoming(progress: Progress, seen: set[str], now: int) -> tuple[str, Question] | None:
    """What to ask next, with why; nothing of what was asked in this sitting."""
    found = upcoming(progress, questions.every(), now)
    return next((one for one in found if one[1].id not in seen), None)


def _ask_one(
    question: Question, why: str, bench: Bench, language: Language, *, spoken: bool
) -> tuple[Answers, Grade]:
    """One question from the prediction to the verdict."""
    head = f"{question.id}  {question.asks.say(language)}"
    click.secho(head + (f"  [{REVIEW[why].say(language)}]" if why else ""), bold=True)
    answers = Answers()
    if spoken:
        answers = replace(answers, text=_speak(question, language))
    answers = _predict(question, answers, language)
    found = bench.gather(question.runs)
    runs = Runs({name: got[1] for name, got in found.items()})
    for folder, evidence in found.values():
        _show(folder, evidence, language)
    answers = _answer(question, answers, bench, language)
    if not spoken:
        answers = replace(answers, text=_read(WHY.say(language)))
    graded = grade(question, answers, runs)
    width, paint = output.columns(), output.paint()
    click.echo()
    output.write(draw_grade(question, graded, answers, language, width, paint))
    answers = _self_marks(graded, answers, language)
    proof = questions.prove(question, runs)
    click.echo()
    output.write(draw_answer(answered(question, proof, found), language, width, paint))
    return answers, graded


def _speak(question: Question, language: Language) -> str:
    """An answer in words against the clock, and what it lacks; the proof comes after it."""
    begun = time_ns()
    text = _read(SPOKEN.say(language))
    click.secho(TOOK.fill(seconds=(time_ns() - begun) // 10**9).say(language), dim=True)
    found = explained(question, text)
    output.write(draw_ideas(found, language, output.columns(), output.paint()))
    return text


def _predict(question: Question, answers: Answers, language: Language) -> Answers:
    if question.guess is None:
        return answers
    click.echo(question.guess.words.say(language))
    for number, option in enumerate(question.guess.options, 1):
        click.echo(f"  {number}  {option.say(language)}")
    numbers = range(1, len(question.guess.options) + 1)
    chosen = _number(PREDICT.say(language), numbers, language)
    if chosen is None:
        return answers
    sure = _number(SURE.say(language), SURENESS, language)
    return replace(answers, guess=chosen - 1, confidence=sure)


def _show(folder: Path, evidence: Evidence, language: Language) -> None:
    click.echo()
    output.write(draw(ladder(evidence), language, output.columns(), output.paint()))
    click.secho(LOOK.fill(run=folder.name).say(language), dim=True)
    click.echo()


def _answer(question: Question, answers: Answers, bench: Bench, language: Language) -> Answers:
    values, hints = {}, 0
    for asked in question.values:
        given = _read(_prompt(asked, language))
        while given.strip() in ("?", "？"):
            click.secho(_hint(question, hints, bench, language), dim=True)
            hints = min(hints + 1, MOST)
            given = _read(_prompt(asked, language))
        values[asked.id] = given
    return replace(answers, values=values, hints=hints)


def _prompt(asked: Ask, language: Language) -> str:
    listed = "; ".join(f"{name} = {words.say(language)}" for name, words in asked.choices)
    return asked.words.say(language) + (f" ({listed})" if listed else "")


def _hint(question: Question, nth: int, bench: Bench, language: Language) -> str:
    """The nth hint; the last is an example from a run that is played for it."""
    other = None
    if nth == len(question.hints):
        played = bench.gather(question.runs)
        other = questions.prove(question, Runs({name: got[1] for name, got in played.items()}))
    return hint(question, nth, other).say(language)


def _self_marks(graded: Grade, answers: Answers, language: Language) -> Answers:
    if graded.explained is None or not answers.text.strip():
        return answers
    covered = tuple(
        index
        for index, one in enumerate(graded.explained.ideas)
        if not one.said and _confirmed(COVERED.fill(idea=one.idea.words), language)
    )
    return replace(answers, covered=covered)


# ---------------------------------------------------------------- reading


def _read(prompt: str) -> str:
    """One line; the end of the input ends the quiz."""
    try:
        typed: str = click.prompt(safe(prompt), default="", show_default=False)
    except click.Abort:
        raise Stopped from None
    return typed


def _number(prompt: str, allowed: Sequence[int], language: Language) -> int | None:
    """One of the numbers that are allowed; None if the line is left empty."""
    while typed := _read(prompt).strip().rstrip("%％ "):
        if typed.isdecimal() and int(typed) in allowed:
            return int(typed)
        known = ", ".join(map(str, allowed))
        click.echo(ONE_OF.fill(known=known).say(language))
    return None


def _confirmed(words: Text, language: Language) -> bool:
    return _read(words.say(language)).strip().lower() in ("y", "yes", "是", "1")


# ---------------------------------------------------------------- progress and exercises


def show_progress(language: Language, *, as_json: bool) -> None:
    """Stage by stage what was passed; as JSON the whole file, to be kept or moved."""
    path = progress_file(os.environ)
    progress = load_progress(path)
    if as_json:
        click.echo(encode_progress(progress), nl=False)
        return
    known = [one for one in questions.every() if one.values]
    passed = progress.passed()
    for number, stage in enumerate(STAGES):
        there = {one.id for one in known if stage_of(one) == number}
        tail = ""
        if stage.after is not None and not is_open(number, progress, known):
            tail = f"  {CLOSED.fill(after=stage.after).say(language)}"
        share = f"{len(there & passed):>3}/{len(there)}"
        click.echo(f"{number}  {share:>7}  {stage.title.say(language)}{tail}")
    waiting = len(due(progress, known, time_ns()))
    numbers = {"passed": len(passed), "total": len(known), "due": waiting, "file": path}
    click.echo(DONE.fill(**numbers).say(language))


def export(
    names: Sequence[str],
    target: Path,
    learner: str,
    seed: int | None,
    engine: str,
    language: Language,
) -> None:
    """Play the scenarios of some questions and write an exercise folder."""
    from lab.errors import NotWritten
    from lab.exercise import export as write

    asked = [questions.find(name) for name in names] or _chosen(seed)
    if target.exists():
        raise NotWritten(file=target, detail=THERE)
    bench = Bench(engine, language, fresh=True, seed=seed)
    scenarios = dict.fromkeys(name for one in asked for name in one.runs)
    folders = {name: got[0] for name, got in bench.gather(scenarios).items()}
    try:
        write(target, learner or target.name, asked, folders, language, seed)
    except OSError as error:
        raise NotWritten(file=target, detail=error.strerror) from error
    click.echo(WRITTEN.fill(learner=learner or target.name, folder=target).say(language))
    then = THEN.fill(form=target / "answers.yaml", sheet="QUESTIONS.md", folder=target)
    click.echo(then.say(language))


def _chosen(seed: int | None) -> list[Question]:
    """Some core questions, chosen by the learner's seed."""
    core = [one for one in questions.every() if one.core and one.values]
    return random.Random(seed).sample(core, min(EXERCISE, len(core)))  # noqa: S311
