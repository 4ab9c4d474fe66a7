"""Where the quiz's runs come from: played now, or the newest there are where nothing is played."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from lab.capture.folder import RUN, runs
from lab.errors import NoRunYet
from lab.evidence.run import Evidence
from lab.proving import gather, usable
from lab.web.playing import Player

Found: TypeAlias = Mapping[str, tuple[Path, Evidence]]
"""Runs with what they show, by scenario."""


class Bench:
    """The runs that questions are about."""

    def __init__(self, captures: Path, player: Player | None) -> None:
        """``player``: None if the page only shows."""
        self.captures, self._player = captures, player

    def gather(self, scenarios: Iterable[str], *, instead: str = "", shown: bool = True) -> Found:
        """A run of each, or of what shows the same; raises NoRunYet, OneAtATime, and what playing raises."""
        if self._player is None:
            return self._there_are(scenarios, instead)
        player = self._player
        return gather(
            self.captures, scenarios, lambda name: player.play(name, shown=shown), fresh=True
        )

    def another(self, runs: Found) -> Found:
        """Runs of the same scenarios with other numbers; raises what `gather` raises."""
        if self._player is not None:
            return self.gather(runs)
        return {name: self._newest(name, folder) for name, (folder, _) in runs.items()}

    def lacks(self) -> Lacks:
        """Tells what has to be played first, by what is there now."""
        return Lacks(None if self._player else _recorded(self.captures))

    def _there_are(self, scenarios: Iterable[str], instead: str) -> Found:
        try:
            return {name: self._newest(name) for name in scenarios}
        except NoRunYet:
            found = usable(self.captures, instead) if instead else None
            if found is None:
                raise
            return dict.fromkeys(scenarios, found)

    def _newest(self, scenario: str, but: Path | None = None) -> tuple[Path, Evidence]:
        found = usable(self.captures, scenario, but)
        if found is None:
            raise NoRunYet(scenario=scenario)
        return found


class Lacks:
    """Which scenarios have to be played before a question can be asked."""

    def __init__(self, there: frozenset[str] | None) -> None:
        """``there``: scenarios of which there are runs; None: any can be played."""
        self._there = there

    def __call__(self, scenarios: Iterable[str], instead: str = "") -> list[str]:
        """Those of which there is no run, none twice; none, if there is one of what shows the same."""
        if self._there is None or instead in self._there:
            return []
        return [
            name for name in dict.fromkeys(scenarios) if name.replace(":", ".") not in self._there
        ]


def _recorded(captures: Path) -> frozenset[str]:
    """The scenarios, as folders spell them, of which there are whole runs."""
    names = (RUN.fullmatch(path.name) for path in runs(captures))
    return frozenset(name[3] for name in names if name and not name[4])
