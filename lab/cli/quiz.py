"""``lab quiz``: predict, run, answer with evidence from that very run, see why."""

from __future__ import annotations

from pathlib import Path

import click

from lab.cli import _options as options
from lab.text import Language


@click.command()
@click.argument("questions", nargs=-1, metavar="[QUESTION]...")
@click.option("--interview", is_flag=True, help="Answer in words against the clock, then prove it.")
@click.option("--diagnose", is_flag=True, help="Symptoms only: find the cause.")
@click.option("--progress", "shown", is_flag=True, help="What you have shown, and what is due.")
@click.option(
    "--export",
    "target",
    type=click.Path(path_type=Path),
    help="Write an exercise folder for another.",
)
@click.option("--learner", default="", help="For whom the exercise is.")
@click.option(
    "--seed", type=int, default=None, help="Randomises the exercise; one for each learner."
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
    """Be asked: the questions named (HS01), else what is due for review, then what is new.

    Each question asks for a prediction, plays its scenario afresh, and grades what you find in the
    run. '?' shows a hint, an empty line skips. Progress is kept in one local file (LAB_PROGRESS).
    """
    from lab.cli import _asking, _room

    if shown:
        _asking.show_progress(language, as_json=as_json)
    elif target is not None:
        _asking.export(questions, target, learner, seed, engine, language)
    elif diagnose:
        _room.diagnose(engine, language)
    else:
        _asking.ask(questions, engine, language, interview=interview)
