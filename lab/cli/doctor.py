"""``lab doctor``: what this machine can do, and what to do about what it cannot."""

from __future__ import annotations

import click

from lab.backends.base import Check, Engine
from lab.cli import _options
from lab.cli import _spoken as spoken
from lab.text import Language, Text

READY = Text("The lab can run here, with: {engines}", "本机可以运行实验室，可用引擎：{engines}")
NOT_READY = Text(
    "The lab cannot run here yet: see the lines marked FAIL",
    "本机还不能运行实验室：见标有 FAIL 的各行",
)
CHECK = Text("{name}: {found}", "{name}：{found}")
REMEDY = Text("      → {remedy}", "      → {remedy}")


@spoken.command(
    help=Text(
        "Check what each engine needs, a line each: cause and remedy.\n\n"
        "Exit code 0 if one of them can run.",
        "逐项检查各引擎所需的条件：原因与解决办法。\n\n退出码：0 表示至少有一个引擎可用。",
    )
)
@_options.language
@click.pass_context
def command(context: click.Context, language: Language) -> None:
    from lab.backends.docker import DockerEngine
    from lab.backends.namespaces import NamespacesEngine
    from lab.run import checkout

    engines = (DockerEngine(checkout()), NamespacesEngine(checkout()))
    fit = [engine.name for engine in engines if _look(engine, language)]
    ready = READY.fill(engines=", ".join(fit)) if fit else NOT_READY
    click.echo(ready.say(language))
    context.exit(0 if fit else 1)


def _look(engine: Engine, language: Language) -> bool:
    """Print all that an engine needs; whether it has it."""
    click.secho(f"{engine.name}", bold=True)
    checks = list(engine.check())
    for check in checks:
        _tell(check, language)
    return all(check.good for check in checks)


def _tell(check: Check, language: Language) -> None:
    mark = (
        click.style("ok  ", fg="green") if check.good else click.style("FAIL", fg="red", bold=True)
    )
    click.echo(f"{mark}  {CHECK.fill(name=check.name, found=check.found).say(language)}")
    if check.remedy:
        click.echo(REMEDY.fill(remedy=check.remedy).say(language))
