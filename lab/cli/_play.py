"""What ``lab up`` and ``lab run`` share: play a scenario, print as it happens, sum up."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from lab.backends.base import Line, Say
from lab.cli._narration import Narration
from lab.errors import LabError, RunIncomplete
from lab.text import Language, Text, same

if TYPE_CHECKING:  # numpy: imported when it is needed
    from lab.backends.begun import Begun
    from lab.evidence.run import Evidence
    from lab.report.verdict import Verdict

CAPTURES = Text("captures: {folder}", "抓包文件：{folder}")
LOOK = Text(
    "again: lab show · in Wireshark: wireshark {file} · clean up: make down",
    "再看一遍：lab show · 用 Wireshark：wireshark {file} · 清理：make down",
)
AGAIN = Text("the machine was too busy to show it: once more", "机器太忙，未能展示：再来一次")
COLOURS = {"sniffer": "yellow", "server": "magenta", "client": "cyan"}


def play_and_tell(
    scenario: str, engine: str, language: Language, ahead: Begun | None = None
) -> int:
    """Play a scenario on an engine; print what happens, the account, where it lies.

    ``ahead``: a keeper of namespaces that was forked when the command began.
    """
    from lab import scenarios
    from lab.backends.choice import choose
    from lab.run import TRIES, checkout, play

    root = checkout()
    say, wanted = _say(language), scenarios.find(scenario)
    chosen = choose(engine, root, language.value, say, ahead)
    captures, left = root / "captures", TRIES
    while True:
        show = _Show(wanted.topology.names, captures, language)
        folder = play(chosen, wanted, captures, say, show)
        seen = show.seen if show.seen and show.seen.folder == folder else look(folder, language)
        code, left = summarise(folder, language, seen), left - 1
        if not (left and seen.judged and seen.judged.late):
            return code
        say(AGAIN)


def play_every(engine: str, language: Language) -> int:
    """Play every scenario on an engine, as long as somebody reads; returns the exit code."""
    from lab.backends.choice import choose
    from lab.cli import _every
    from lab.run import checkout

    def say(words: Text) -> None:
        click.secho(words.say(language), dim=True)

    root = checkout()
    return _every.play_every(choose(engine, root, language.value, say), root, language, say)


class Seen(NamedTuple):
    """What is to be said of a run."""

    folder: Path
    evidence: Evidence
    judged: Verdict | None
    lines: list[str]


def look(folder: Path, language: Language) -> Seen:
    """Look at a run that is over; raises LabError if it cannot be read."""
    from lab.analyze import load_run
    from lab.capture.tracing import await_kernel_log
    from lab.cli import _output
    from lab.report.account import account, judge

    await_kernel_log(folder)
    evidence = load_run(folder)
    judged = judge(evidence)
    lines = account(evidence, judged, language, _output.columns(), _output.paint())
    return Seen(folder, evidence, judged, list(lines))


def summarise(folder: Path, language: Language, seen: Seen | None = None) -> int:
    """Print a run's account and where it lies, and save it there; ``seen``: it was looked at already.

    Returns 0, or the exit code of what is wrong with the run; raises RunIncomplete.
    """
    from lab.saving import save_account

    if seen is None or seen.folder != folder:
        seen = look(folder, language)
    _, evidence, judged, lines = seen
    where = CAPTURES.fill(folder=_near(folder)).say(language)
    again = LOOK.fill(file=_near(folder / evidence.view.file)).say(language)
    _print("\n".join(("", *lines, "", where, again)))
    save_account(folder, evidence, judged, language)
    if not evidence.manifest.complete:
        raise RunIncomplete(folder=folder.name, reason=same(evidence.manifest.reason))
    return judged.exit_code if judged else 0


def _near(path: Path) -> Path:
    """From captures/ on, as it is called in the checkout, whatever the container calls it.

    Whole for whoever plays a scenario from another folder.
    """
    from lab.checkout import checkout

    if path.is_relative_to(checkout()) and checkout() != Path.cwd():
        return path
    parts = path.parts
    return Path(*parts[parts.index("captures") :]) if "captures" in parts else path


def _say(language: Language) -> Say:
    return lambda words: _print(click.style(words.say(language), dim=True))


class _Show:
    """Prints the lines of the hosts, and tells of the sniffer's reports."""

    def __init__(self, hosts: tuple[str, ...], captures: Path, language: Language) -> None:
        self._narration = Narration(hosts, language, partial(_echo, "sniffer"))
        self._captures, self._language = captures, language
        self.seen: Seen | None = None

    def __call__(self, line: Line) -> None:
        if line.source != "sniffer":
            _echo(line.source, line.words)
            return
        self._narration.hear(line.words, self._captures)
        if line.words.startswith("@saved\t"):
            self._look(self._captures / line.words.split("\t")[1])

    def _look(self, folder: Path) -> None:
        """Look at the run while its namespaces go, for which the kernel needs as long."""
        with suppress(LabError):  # said where it is to be printed
            self.seen = look(folder, self._language)


def _echo(source: str, words: str) -> None:
    _print(f"{click.style(f'{source:<7} │', fg=COLOURS.get(source))} {words}")


def _print(words: str) -> None:
    """Print to whoever reads; the run goes on, and is saved, though he (head, less) has left."""
    try:
        click.echo(words)
    except BrokenPipeError:
        from lab.cli._output import say_no_more

        say_no_more()
