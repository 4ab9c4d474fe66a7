"""Runs for questions: the newest that can serve, or one that is played now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

from msgspec.structs import replace

from lab.analyze import load_run
from lab.backends.base import Engine, Say
from lab.capture.folder import RUN
from lab.errors import LabError, NotAvailable
from lab.evidence.run import Evidence
from lab.report.account import judge
from lab.report.verdict import Verdict
from lab.run import play
from lab.saving import save_account
from lab.scenarios import find
from lab.scenarios.base import Scenario
from lab.text import Language, Text
from lab.topology import FIRST_HOST

SPREAD = 80  # numbers from which the first host's is drawn by a seed
RUNS_LOOKED_AT = 3
"""Of one scenario, newest first: should the newest have been played under a bad star."""


def usable(captures: Path, scenario: str, but: Path | None = None) -> tuple[Path, Evidence] | None:
    """The newest run of a scenario, other than ``but``, that kept its promises and lacks no frame."""
    others = [folder for folder in _newest_first(captures, scenario) if folder != but]
    for folder in others[:RUNS_LOOKED_AT]:
        try:
            evidence = load_run(folder)
        except LabError:
            continue
        if why_not(evidence, judge(evidence)) is None:
            return folder, evidence
    return None


def why_not(evidence: Evidence, judged: Verdict | None) -> Text | None:
    """Why a run proves nothing, and answers about it are not gradable; None: it will do."""
    if judged is None or not evidence.manifest.complete:
        return Text("the run is incomplete", "该次运行不完整")
    if judged.unavailable:
        return judged.unavailable
    if evidence.manifest.dropped:
        return Text("the capture lacks frames", "抓包缺帧")
    broken = next((row for row in judged.rows if not row.kept), None)
    words = Text("promise not kept: {promise} ({seen})", "承诺未兑现：{promise}（{seen}）")
    return words.fill(promise=broken.promise, seen=broken.seen) if broken else None


def played(
    engine: Engine,
    captures: Path,
    scenario: str,
    say: Say,
    language: Language,
    seed: int | None = None,
) -> Path:
    """Play a scenario without showing it, and save its account; returns its folder.

    ``seed`` gives the hosts other addresses, so that a learner's run is like no other's.
    Raises NotAvailable, naming the capability, and what `lab.run.play` raises.
    """
    folder = play(engine, _seeded(find(scenario), seed), captures, say)
    evidence = load_run(folder)
    judged = judge(evidence)
    save_account(folder, evidence, judged, language)
    if lacking := evidence.manifest.unavailable:
        raise NotAvailable(capability=lacking.capability, reason=lacking.reason)
    return folder


def _seeded(scenario: Scenario, seed: int | None) -> Scenario:
    if seed is None:
        return scenario
    first = FIRST_HOST + Random(seed).randrange(SPREAD)  # noqa: S311
    return replace(scenario, topology=replace(scenario.topology, first_host=first))


def gather(
    captures: Path, scenarios: Iterable[str], play_now: Callable[[str], Path], *, fresh: bool
) -> dict[str, tuple[Path, Evidence]]:
    """A run of each scenario: a usable one if there is (unless ``fresh``), else played now.

    A run whose promises were broken is played once more: timers of real kernels.
    """
    found = {}
    for name in scenarios:
        known = None if fresh else usable(captures, name)
        found[name] = known or _fresh(name, play_now)
    return found


def _fresh(name: str, play_now: Callable[[str], Path]) -> tuple[Path, Evidence]:
    folder = play_now(name)
    evidence = load_run(folder)
    if why_not(evidence, judge(evidence)) is not None:
        folder = play_now(name)
        evidence = load_run(folder)
    return folder, evidence


def _newest_first(captures: Path, scenario: str) -> list[Path]:
    """The complete runs of a scenario, newest first."""
    name = scenario.replace(":", ".")
    runs = [
        (found[1], int(found[2] or 1), path)
        for path in captures.glob(f"*-{name}")
        if (found := RUN.fullmatch(path.name)) and found[3] == name and not found[4]
    ]
    return [path for _, _, path in sorted(runs, reverse=True)]
