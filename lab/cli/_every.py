"""``lab run --all``: every scenario, a line each, as many at once as the engine can play."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.backends.base import Engine, Say
from lab.cli._output import say_no_more
from lab.errors import LabError, NotAvailable, PromiseBroken
from lab.text import Language, Text, same

if TYPE_CHECKING:
    from lab.report.verdict import Verdict

CUT_SHORT = 141
"""Exit code if whoever read has left: 128 and SIGPIPE, as a shell says of any program."""


class Mark(StrEnum):
    """What became of a scenario."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    LACKING = "N/A"  # neither: its kernel or engine lacks what it is about


COLOURS = {Mark.PASS: "green", Mark.FAIL: "red", Mark.LACKING: "yellow"}
BROKEN = Text("{promise}: {seen}", "{promise}：{seen}")
SUM = Text(
    "{kept} of {total} scenarios kept their promises, {broken} did not, {lacking} are not available here",
    "{total} 个场景中有 {kept} 个兑现了承诺，{broken} 个没有，{lacking} 个在此处不可用",
)


def play_every(engine: Engine, root: Path, language: Language, say: Say) -> int:
    """Play every scenario; a line each, then their number; returns the exit code.

    When whoever reads (head) has left, those that are on are played to their end and saved.
    """
    from lab import scenarios

    engine.prepare(say)
    names = scenarios.names()
    marks: Counter[Mark] = Counter()
    with ThreadPoolExecutor(engine.side_by_side) as pool:
        outcomes = pool.map(partial(outcome, engine, root, language), names)
        try:
            for name, (mark, words) in zip(names, outcomes, strict=True):
                marks[mark] += 1
                padded = click.style(f"{mark:<4}", fg=COLOURS[mark])
                click.echo(f"{padded}  {name}  {words.say(language)}".rstrip())
        except BrokenPipeError:
            pool.shutdown(wait=False, cancel_futures=True)
            say_no_more()
            return PromiseBroken.exit_code if marks[Mark.FAIL] else CUT_SHORT
    kept, broken, lacking = (marks[mark] for mark in Mark)
    numbers = {"kept": kept, "broken": broken, "lacking": lacking, "total": len(names)}
    click.echo(SUM.fill(**numbers).say(language))
    return PromiseBroken.exit_code if broken else 0


def outcome(engine: Engine, root: Path, language: Language, name: str) -> tuple[Mark, Text]:
    """Play one scenario: what became of it, and the first promise broken, or the error."""
    from lab.run import TRIES

    try:
        for _ in range(TRIES):
            judged = _judged(engine, root, language, name)
            if judged is None or not judged.late:
                break
    except NotAvailable as error:
        return Mark.LACKING, error.what.fill(**error.details)
    except LabError as error:
        return Mark.FAIL, error.what.fill(**error.details)
    except Exception as error:  # a fault of ours in one must not hide the others
        return Mark.FAIL, same(f"{type(error).__name__}: {error}")
    if judged is None or judged.kept:
        return Mark.PASS, same("")
    if judged.unavailable:
        return Mark.LACKING, judged.unavailable
    wrong = next(row for row in judged.rows if not row.kept)
    return Mark.FAIL, BROKEN.fill(promise=wrong.promise, seen=wrong.seen)


def _judged(engine: Engine, root: Path, language: Language, name: str) -> Verdict | None:
    """Play one scenario and save its account; its verdict. Raises LabError."""
    from lab import scenarios
    from lab.analyze import load_run
    from lab.report.account import judge
    from lab.run import play
    from lab.saving import save_account

    folder = play(engine, scenarios.find(name), root / "captures", _mute)
    evidence = load_run(folder)
    judged = judge(evidence)
    save_account(folder, evidence, judged, language)
    return judged


def _mute(_: object) -> None:
    """Say nothing of it."""
