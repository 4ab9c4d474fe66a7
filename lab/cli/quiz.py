"""``lab quiz``: predict, run, answer with evidence from that very run, see why."""

from __future__ import annotations

from pathlib import Path

import click

from lab.cli import _options as options
from lab.cli import _spoken as spoken
from lab.text import Language, Text


@spoken.command(
    help=Text(
        "Be asked: the questions named (HS01), else what is due for review, then what is new.\n\n"
        "Each question asks for a prediction, plays its scenario afresh, and grades what you find in "
        "the run. '?' shows a hint, an empty line skips. Progress is kept in one local file "
        "(LAB_PROGRESS).",
        "答题：指定的题目（HS01）；未指定则先做到期的复习，再做新题。\n\n"
        "每题先请你预测，再重新运行场景，最后批改你在运行中找到的证据。"
        "输入 '?' 看提示，空行跳过。进度保存在本机的一个文件中（LAB_PROGRESS）。",
    )
)
@spoken.argument("questions", nargs=-1, metavar=Text("[QUESTION]...", "[题目]..."))
@spoken.option(
    "--interview",
    is_flag=True,
    help=Text(
        "Answer in words against the clock, then prove it.", "限时用自己的话作答，然后给出证明。"
    ),
)
@spoken.option(
    "--diagnose",
    is_flag=True,
    help=Text("Symptoms only: find the cause.", "只给症状，请找出原因。"),
)
@spoken.option(
    "--progress",
    "shown",
    is_flag=True,
    help=Text("What you have shown, and what is due.", "已掌握的内容，以及到期的复习。"),
)
@spoken.option(
    "--export",
    "target",
    metavar=Text("FOLDER", "目录"),
    type=click.Path(path_type=Path),
    help=Text("Write an exercise folder for another.", "为他人生成练习目录。"),
)
@spoken.option(
    "--learner",
    metavar=Text("NAME", "姓名"),
    default="",
    help=Text("For whom the exercise is.", "做练习的人。"),
)
@spoken.option(
    "--seed",
    metavar=Text("N", "数字"),
    type=int,
    default=None,
    help=Text(
        "Randomises the exercise; one for each learner.", "练习的随机种子，每位学习者各用一个。"
    ),
)
@options.as_json
@options.engine
@options.language
def command(
    questions: tuple[str, ...],
    interview: bool,
    diagnose: bool,
    shown: bool,
    target: Path | None,
    learner: str,
    seed: int | None,
    as_json: bool,
    engine: str,
    language: Language,
) -> None:
    from lab.cli import _asking, _room

    if shown:
        _asking.show_progress(language, as_json=as_json)
    elif target is not None:
        _asking.export(questions, target, learner, seed, engine, language)
    elif diagnose:
        _room.diagnose(engine, language)
    else:
        _asking.ask(questions, engine, language, interview=interview)
