"""``lab ask``: an interview question, answered, and proved by a run's own frames, calls and states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from lab.cli import _options as options
from lab.cli import _spoken as spoken
from lab.cli._usage import Misuse
from lab.text import Language, Text

if TYPE_CHECKING:
    from pathlib import Path

    from lab.cli._every import Mark
    from lab.errors import LabError
    from lab.evidence.run import Evidence
    from lab.questions.base import Question
    from lab.report.answers import Answered

    Got = Mapping[str, tuple[Path, Evidence] | LabError]

OTHERS = Text("Others that fit: {others}", "其他相近的问题：{others}")
UNNAMED = Text(
    "Name a question: HS01, or a few of its words. --list shows them all.",
    "请指定一个问题：HS01，或问题中的几个词。--list 列出全部问题。",
)
SUM = Text(
    "{proved} of {total} questions proved, {failed} not, {lacking} not available here, "
    "{settled} settled by a source alone",
    "{total} 个问题中 {proved} 个得到证明，{failed} 个没有，{lacking} 个在此处不可用，{settled} 个仅以文献为准",
)


@spoken.command(
    help=Text(
        "Answer a question and prove the answer: by its id (HS01), or in your own words.\n\n"
        "Takes the newest runs that can prove it, and plays the scenarios that are lacking. "
        "Exit code 0 if proved, 61 if not, 77 if this kernel or engine lacks what it is about.",
        "回答一个问题并证明答案：给出编号（HS01），或用自己的话提问。\n\n"
        "取用能证明它的最新运行，缺少的场景当场运行。"
        "退出码：0 已证明；61 未证明；77 本机内核或引擎缺少所需的能力。",
    )
)
@spoken.argument("words", nargs=-1, metavar=Text("[ID|WORDS]...", "[编号|词语]..."))
@spoken.option(
    "--list",
    "listed",
    is_flag=True,
    help=Text("Every question there is, a line each.", "列出全部问题，每行一个。"),
)
@spoken.option(
    "--all",
    "every",
    is_flag=True,
    help=Text("Prove the whole bank; a line each.", "证明整个题库，每题一行。"),
)
@spoken.option(
    "--fresh",
    is_flag=True,
    help=Text("Play the scenarios now, whatever runs there are.", "即使已有运行，也重新运行场景。"),
)
@options.as_json
@options.engine
@options.language
def command(
    words: tuple[str, ...],
    listed: bool,
    every: bool,
    fresh: bool,
    as_json: bool,
    engine: str,
    language: Language,
) -> None:
    if listed:
        _list(as_json=as_json, language=language)
    elif every:
        raise SystemExit(_prove_all(engine, language, fresh=fresh, as_json=as_json))
    elif not words:
        raise Misuse(UNNAMED)
    else:
        _answer(" ".join(words), engine, language, fresh=fresh, as_json=as_json)


def _list(*, as_json: bool, language: Language) -> None:
    from lab import questions
    from lab.cli import _output as output
    from lab.report import answers

    if as_json:
        output.write_json([answers.question_record(one) for one in questions.every()], indent=2)
    else:
        output.write(answers.draw_list(questions.every(), language, output.paint()))


def _answer(words: str, engine: str, language: Language, *, fresh: bool, as_json: bool) -> None:
    from lab.cli import _output as output
    from lab.cli._proofs import Bench
    from lab.errors import NotProved
    from lab.report import answers

    question, *others = _find(words)
    bench = Bench(engine, language, fresh=fresh)
    answered = _answered(question, bench.gather(question.runs))
    if question.prove and not answered.proof.holds:  # other runs may: kernels have their timers
        answered = _answered(question, bench.gather(question.runs, anew=True))
    if as_json:
        output.write_json(answers.answer_record(answered), indent=2)
    else:
        output.write(answers.draw_answer(answered, language, output.columns(), output.paint()))
        if others:
            click.echo()
            output.write(click.style(line, dim=True) for line in _named(others, language))
    if question.prove and not answered.proof.holds:
        broken = next(claim for claim in answered.proof.claims if not claim.holds)
        raise NotProved(question=question.id, claim=broken.words)


def _named(others: Sequence[Question], language: Language) -> list[str]:
    """Questions by id and words, on lines of the terminal's width."""
    from lab.cli import _output as output
    from lab.report.glyphs import fold

    first, *rest = (f"{one.id} {one.asks.say(language)}" for one in others)
    named = OTHERS.fill(others=first).say(language)
    return fold([named, *rest], output.columns(), " · ")


def _find(words: str) -> list[Question]:
    """The question that is meant, then others that fit; raises QuestionUnknown."""
    from lab import questions
    from lab.errors import QuestionUnknown
    from lab.questions.search import search

    try:
        return [questions.find(words)]
    except QuestionUnknown:
        found = search(words, questions.every(), most=4)
        if not found:
            raise
        return found


def _answered(question: Question, runs: Got) -> Answered:
    from lab import questions
    from lab.report.answers import answered

    found = {name: got for name, got in runs.items() if isinstance(got, tuple)}
    proof = questions.prove(question, questions.Runs({name: got[1] for name, got in found.items()}))
    return answered(question, proof, found)


# ---------------------------------------------------------------- the whole bank


def _prove_all(engine: str, language: Language, *, fresh: bool, as_json: bool) -> int:
    """Prove every question; a line each, or JSON; returns the exit code."""
    from lab import questions
    from lab.cli import _output as output
    from lab.cli._every import Mark
    from lab.cli._proofs import Bench
    from lab.errors import NotProved
    from lab.report.answers import answer_record

    known = questions.every()
    bench = Bench(engine, language, fresh=fresh)
    runs = dict(bench.gather_all(name for question in known for name in question.runs))
    marks: Counter[Mark | None] = Counter()
    records = []
    for question in known:
        if _is_unproved(question, runs):
            runs |= bench.gather(question.runs, anew=True)
        mark, line = _line(question, runs, language)
        marks[mark] += 1
        if as_json:
            records.append(
                {**answer_record(_answered(question, _of(question, runs))), "mark": mark}
            )
        else:
            click.echo(line)
    if as_json:
        output.write_json(records, indent=2)
    else:
        numbers = {
            "proved": marks[Mark.PASS],
            "failed": marks[Mark.FAIL],
            "lacking": marks[Mark.LACKING],
            "settled": marks[None],
        }
        click.echo(SUM.fill(**numbers, total=len(known)).say(language))
    return NotProved.exit_code if marks[Mark.FAIL] else 0


def _is_unproved(question: Question, runs: Got) -> bool:
    """Whether its runs are there and do not prove it: others may, for kernels have their timers."""
    there = all(isinstance(runs[name], tuple) for name in question.runs)
    return (
        bool(question.prove) and there and not _answered(question, _of(question, runs)).proof.holds
    )


def _of(question: Question, runs: Got) -> Got:
    return {name: runs[name] for name in question.runs}


def _line(question: Question, runs: Got, language: Language) -> tuple[Mark | None, str]:
    """What became of a question, and a line that says so."""
    from lab.cli._every import COLOURS

    asks = question.asks.say(language)
    if question.prove is None:
        return None, f"{'–':<4}  {question.id:<5} {asks}"
    mark, words = _mark(question, _of(question, runs))
    padded = click.style(f"{mark:<4}", fg=COLOURS[mark])
    tail = f"  {words.say(language)}" if words else f"  [{', '.join(question.runs)}]"
    return mark, f"{padded}  {question.id:<5} {asks}{tail}"


def _mark(question: Question, runs: Got) -> tuple[Mark, Text | None]:
    from lab.cli._every import Mark
    from lab.errors import LabError, NotAvailable

    for error in runs.values():
        if isinstance(error, LabError):
            mark = Mark.LACKING if isinstance(error, NotAvailable) else Mark.FAIL
            return mark, error.what.fill(**error.details)
    proof = _answered(question, runs).proof
    broken = next((claim.words for claim in proof.claims if not claim.holds), None)
    return (Mark.PASS if proof.holds else Mark.FAIL), broken
