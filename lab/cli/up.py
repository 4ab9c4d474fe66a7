"""``lab up``: bring the lab up, play the tour, show what happened."""

from __future__ import annotations

import click

from lab.cli import _options
from lab.cli._play import play_and_tell
from lab.text import Language


@click.command("up")
@_options.engine
@_options.language
@click.pass_context
def command(context: click.Context, engine: str, language: Language) -> None:
    """Bring the lab up and play the tour; then its ladder, its verdict, and where the captures are.

    Exit code 0 if everything that the tour promises was seen.
    """
    context.exit(play_and_tell("tour", engine, language, context.obj))
