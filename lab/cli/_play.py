"""What ``lab up`` and ``lab run`` share: play a scenario, print as it happens, sum up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread

import click

from lab.backends.base import Engine, Line, Say
from lab.errors import LabError, PromiseBroken, RunIncomplete
from lab.text import Language, Text, same

CAPTURES = Text("captures: {folder}", "抓包文件：{folder}")
LOOK = Text(
    "again: lab show · in Wireshark: wireshark {file} · clean up: make down",
    "再看一遍：lab show · 用 Wireshark：wireshark {file} · 清理：make down",
)
BROKEN = Text("{promise}: {seen}", "{promise}：{seen}")
EVERY = Text(
    "{kept} of {total} scenarios kept their promises", "{total} 个场景中有 {kept} 个兑现了承诺"
)
COLOURS = {"sniffer": "yellow", "server": "magenta", "client": "cyan"}


def play_and_tell(scenario: str, engine: str, language: Language) -> int:
    """Play a scenario on an engine; print what happens, the account, where it lies."""
    from lab import scenarios
    from lab.backends.choice import choose
    from lab.run import checkout, play

    root = checkout()
    say, wanted = _say(language), scenarios.find(scenario)
    chosen = choose(engine, root, language.value, say)
    folder = play(chosen, wanted, root / "captures", say, _Show())
    return summarise(folder, language)


def play_every(engine: str, language: Language) -> int:
    """Play every scenario; a line each: PASS, FAIL with the first promise broken, or the error."""
    from lab import scenarios
    from lab.backends.choice import choose
    from lab.run import checkout

    root = checkout()
    chosen = choose(engine, root, language.value, _say(language))
    chosen.prepare(_say(language))
    broken = 0
    with ThreadPoolExecutor(chosen.side_by_side) as pool:
        for name, words in pool.map(partial(_verdict, chosen, root), scenarios.names()):
            broken += words is not None
            mark = (
                click.style("PASS", fg="green") if words is None else click.style("FAIL", fg="red")
            )
            click.echo(f"{mark}  {name}  {words.say(language) if words else ''}".rstrip())
    total = len(scenarios.names())
    click.echo(EVERY.fill(kept=total - broken, total=total).say(language))
    return PromiseBroken.exit_code if broken else 0


def _verdict(engine: Engine, root: Path, name: str) -> tuple[str, Text | None]:
    """Play one scenario; None if it kept all its promises, else what was wrong."""
    from lab import scenarios
    from lab.analyze import load_run
    from lab.report.account import judge
    from lab.run import play

    try:
        folder = play(engine, scenarios.find(name), root / "captures", _mute, _mute)
        judged = judge(load_run(folder))
    except LabError as error:
        return name, error.what.fill(**error.details)
    if judged is None or judged.kept:
        return name, None
    wrong = next(row for row in judged.rows if not row.kept)
    return name, BROKEN.fill(promise=wrong.promise, seen=wrong.seen)


def _mute(_: object) -> None:
    """Say nothing of it."""


def summarise(folder: Path, language: Language) -> int:
    """Print a run's account and where it lies; 0, or the exit code of what is wrong with it."""
    from lab.analyze import load_run
    from lab.cli import _output
    from lab.report.account import account, judge

    evidence = load_run(folder)
    judged = judge(evidence)
    click.echo()
    _output.write(account(evidence, judged, language, _output.columns(), _output.paint()))
    click.echo()
    click.echo(CAPTURES.fill(folder=_near(folder)).say(language))
    click.echo(LOOK.fill(file=_near(folder / evidence.view.file)).say(language))
    if not evidence.manifest.complete:
        raise RunIncomplete(folder=folder.name, reason=same(evidence.manifest.reason))
    return 0 if judged is None or judged.kept else PromiseBroken.exit_code


def _near(path: Path) -> Path:
    """From captures/ on, as it is called in the checkout, whatever the container calls it."""
    parts = path.parts
    return Path(*parts[parts.index("captures") :]) if "captures" in parts else path


def _say(language: Language) -> Say:
    return lambda words: click.secho(words.say(language), dim=True)


class _Show:
    """Prints the lines of hosts and sniffer; loads what the account needs once they have begun."""

    def __init__(self) -> None:
        self._load: Thread | None = None

    def __call__(self, line: Line) -> None:
        if self._load is None:
            self._load = Thread(target=import_module, args=("lab.report.account",), daemon=True)
            self._load.start()
        prefix = click.style(f"{line.source:<7} │", fg=COLOURS.get(line.source))
        click.echo(f"{prefix} {line.words}")
