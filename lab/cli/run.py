"""``lab run``: play one scenario, or all of them."""

from __future__ import annotations

import click

from lab.cli import _options
from lab.cli import _spoken as spoken
from lab.cli._usage import Misuse
from lab.text import Language, Text

ALL = Text("--all plays every scenario: name none.", "--all 会运行全部场景，请不要再指定场景名。")


@spoken.command(
    help=Text(
        "Play a scenario (the tour if none is named) and say whether it kept its promises.",
        "运行一个场景（不指定则为 tour），并说明它是否兑现承诺。",
    )
)
@spoken.argument("scenario", metavar=Text("[NAME[:VARIANT]]", "[场景名[:变体]]"), default="")
@spoken.option(
    "--all",
    "every",
    is_flag=True,
    help=Text("Play every scenario; one line each.", "运行全部场景，每个一行。"),
)
@_options.engine
@_options.language
@click.pass_context
def command(
    context: click.Context, scenario: str, every: bool, engine: str, language: Language
) -> None:
    if every and scenario:
        raise Misuse(ALL)
    from lab.cli._play import play_and_tell, play_every

    context.exit(
        play_every(engine, language)
        if every
        else play_and_tell(scenario or "tour", engine, language, context.obj)
    )
