"""``lab grade``: exercise folders that were handed in, any number of them, into CSV or JSON."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.cli import _options as options
from lab.cli import _spoken as spoken
from lab.text import Language, Text

if TYPE_CHECKING:
    from lab.exercise import Graded

FEW = 8  # folders: below, starting further processes costs more than it saves
LINE = Text("{learner}  {score}  ({folder})", "{learner}  {score}（{folder}）")
REFUSED = Text("{learner}  not graded: {reason}", "{learner}  未批改：{reason}")
NOTHING = Text("nothing was gradable", "没有可评分的题目")
GAPS = {Language.EN: " ", Language.ZH: ""}
"""What stands between sentences on one line."""


@spoken.command(
    help=Text(
        "Grade exercise folders (see `lab quiz --export`), with the reason for each point.\n\n"
        "Exit code 0 if every folder could be graded, 64 if one could not.",
        "批改练习目录（见 `lab quiz --export`），并说明每一分的理由。\n\n"
        "退出码：0 全部批改完毕；64 有目录无法批改。",
    )
)
@spoken.argument(
    "folders",
    metavar=Text("FOLDER...", "目录..."),
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@spoken.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help=Text("A line a question, with the reasons.", "输出 CSV，每题一行，附理由。"),
)
@options.as_json
@options.language
def command(folders: tuple[Path, ...], as_csv: bool, as_json: bool, language: Language) -> None:
    from lab.errors import ExerciseDamaged

    graded = list(_graded(folders))
    if as_json:
        _write_json(graded)
    elif as_csv:
        _write_csv(graded, language)
    else:
        _write(graded, language)
    if any(one.refused for one in graded):
        raise SystemExit(ExerciseDamaged.exit_code)


def _graded(folders: Sequence[Path]) -> Iterator[Graded]:
    from lab.exercise import grade_folder

    if len(folders) < FEW:
        yield from map(grade_folder, folders)
        return
    with ProcessPoolExecutor() as pool:
        yield from pool.map(grade_folder, folders, chunksize=4)


def _write(graded: Sequence[Graded], language: Language) -> None:
    from lab import questions
    from lab.cli import _output as output
    from lab.quiz.grading import Answers
    from lab.report.grades import draw_grade

    for one in graded:
        if one.refused:
            reason = GAPS[language].join(one.refused.lines(language))
            click.echo(REFUSED.fill(learner=one.learner, reason=reason).say(language))
            continue
        score = NOTHING.say(language) if one.score is None else f"{one.score:.1f}"
        click.secho(
            LINE.fill(learner=one.learner, score=score, folder=one.folder).say(language), bold=True
        )
        for stray in one.strays:
            click.echo(stray.say(language))
        for grade in one.grades:
            question = questions.find(grade.question)
            click.echo(f"{question.id}  {question.asks.say(language)}")
            width, paint = output.columns(), output.paint()
            output.write(draw_grade(question, grade, Answers(), language, width, paint))


def _write_csv(graded: Sequence[Graded], language: Language) -> None:
    from lab.report.grades import CSV_COLUMNS, csv_row

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for one in graded:
        if one.refused:
            reason = GAPS[language].join(one.refused.lines(language))
            writer.writerow((one.folder, one.learner, *[""] * (len(CSV_COLUMNS) - 3), reason))
        for grade in one.grades:
            writer.writerow(csv_row(one.folder, one.learner, grade, language))


def _write_json(graded: Sequence[Graded]) -> None:
    from lab.cli import _output as output
    from lab.report.grades import grade_record

    output.write_json(
        [
            {
                "folder": one.folder,
                "learner": one.learner,
                "refused": one.refused.lines(Language.EN) if one.refused else None,
                "score": one.score,
                "not_asked": [stray.say(Language.EN) for stray in one.strays],
                "questions": [grade_record(grade) for grade in one.grades],
            }
            for one in graded
        ],
        indent=2,
    )
