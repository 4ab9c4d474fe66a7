"""``lab run``: play one scenario, or all of them."""

from __future__ import annotations

import click

from lab.cli import _options
from lab.text import Language


@click.command("run")
@click.argument("scenario", metavar="[NAME[:VARIANT]]", default="")
@click.option("--all", "every", is_flag=True, help="Play every scenario; one line each.")
@_options.engine
@_options.language
@click.pass_context
def command(
    context: click.Context, scenario: str, every: bool, engine: str, language: Language
) -> None:
    """Play a scenario (the tour if none is named) and say whether it kept its promises."""
    if every and scenario:
        raise click.UsageError("--all plays every scenario: name none.")
    from lab.cli._play import play_and_tell, play_every

    context.exit(
        play_every(engine, language)
        if every
        else play_and_tell(scenario or "tour", engine, language, context.obj)
    )
