"""What ``lab ask`` and ``lab quiz`` share: the runs that questions need, played where none is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import click

from lab.backends.base import Engine, Say
from lab.errors import LabError
from lab.evidence.run import Evidence
from lab.text import Language, Text

PLAYING = Text("playing {scenario}", "正在运行 {scenario}")
PLAYED = Text("played {count} of {total}: {scenario}", "已运行 {count}/{total}：{scenario}")


class Bench:
    """Where runs lie and how they are played."""

    def __init__(
        self,
        engine: str,
        language: Language,
        *,
        fresh: bool = False,
        seed: int | None = None,
        quiet: bool = False,
    ) -> None:
        """``fresh``: never take a run that is there; ``seed``: gives the hosts other addresses;
        ``quiet``: do not name what is played."""
        from lab.run import checkout

        self.root = checkout()
        self.captures = self.root / "captures"
        self._engine, self._language, self._fresh = engine, language, fresh
        self._seed, self._quiet = seed, quiet
        self._say: Say = lambda words: click.secho(words.say(language), dim=True, err=True)

    @cached_property
    def engine(self) -> Engine:
        """Chosen when the first run is played."""
        from lab.backends.choice import quickest

        engine = quickest(self._engine, self.root, self._language.value, self._say)
        engine.prepare(self._say)
        return engine

    def gather(
        self, scenarios: Iterable[str], *, anew: bool = False
    ) -> dict[str, tuple[Path, Evidence]]:
        """A run of each scenario; raises NotAvailable and whatever playing one can raise.

        ``anew``: play them all now, since those that are there do not prove what they should.
        """
        from lab.proving import gather

        return gather(self.captures, scenarios, self._play, fresh=anew or self._fresh)

    def _play(self, scenario: str) -> Path:
        from lab.proving import played

        if not self._quiet:
            self._say(PLAYING.fill(scenario=scenario))
        return played(
            self.engine, self.captures, scenario, self._say, self._language, seed=self._seed
        )

    def gather_all(
        self, scenarios: Iterable[str]
    ) -> Mapping[str, tuple[Path, Evidence] | LabError]:
        """The same for many at once, side by side; of those that failed, why."""
        names = list(dict.fromkeys(scenarios))
        engine, total = self.engine, len(names)
        found: dict[str, tuple[Path, Evidence] | LabError] = {}

        def one(name: str) -> None:
            from lab.proving import gather, played

            def play(scenario: str) -> Path:
                return played(engine, self.captures, scenario, _mute, self._language)

            try:
                found[name] = gather(self.captures, [name], play, fresh=self._fresh)[name]
            except LabError as error:
                found[name] = error
            self._say(PLAYED.fill(count=len(found), total=total, scenario=name))

        with ThreadPoolExecutor(engine.side_by_side) as pool:
            list(pool.map(one, names))
        return found


def _mute(_: object) -> None:
    """Say nothing of it."""
