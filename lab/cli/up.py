"""``lab up``: bring the lab up, play the tour, show what happened."""

from __future__ import annotations

import click

from lab.cli import _options
from lab.cli import _spoken as spoken
from lab.cli._play import play_and_tell
from lab.text import Language, Text


@spoken.command(
    help=Text(
        "Bring the lab up and play the tour; then its ladder, its verdict, and where the captures "
        "are.\n\nExit code 0 if everything that the tour promises was seen.",
        "启动实验室并运行 tour，然后给出时序图、结论和抓包文件的位置。\n\n"
        "退出码：0 表示 tour 的承诺全部兑现。",
    )
)
@_options.engine
@_options.language
@click.pass_context
def command(context: click.Context, engine: str, language: Language) -> None:
    context.exit(play_and_tell("tour", engine, language, context.obj))
