"""What an engine is: something that gives a scenario its hosts, its wire and its sniffer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from lab.scenarios.base import Scenario
from lab.text import Text

PLAN_FOLDER = ".plan"
"""Below captures/: where the plan of the next run lies for the sniffer (lab/plan.py)."""

Say = Callable[[Text], None]
"""Tells the user one line of what is going on."""


class Check(Struct, frozen=True):
    """One line of ``lab doctor``: what was looked at, what was found, what to do about it."""

    name: Text
    good: bool
    found: Text
    remedy: Text | None = None


class Removed(Struct, frozen=True):
    """What ``down`` took away."""

    containers: int = 0
    networks: int = 0
    images: int = 0

    def __add__(self, other: Removed) -> Removed:
        """Both together."""
        return Removed(
            self.containers + other.containers,
            self.networks + other.networks,
            self.images + other.images,
        )


class Line(Struct, frozen=True):
    """One line that a host's program or the sniffer printed."""

    source: str  # "client", "server", "sniffer"
    words: str


class Engine(Protocol):
    """An engine runs scenarios; what they record lands in captures/ by the sniffer's hand."""

    name: str
    side_by_side: int  # runs that it can play at once

    def check(self) -> Iterator[Check]:
        """Look at everything the engine needs, one `Check` each; never raises."""

    def prepare(self, say: Say) -> None:
        """Make ready whatever a run needs (images); quick when it is there already."""

    def run(self, scenario: Scenario, show: Callable[[Line], None] | None = None) -> Path | None:
        """Play one scenario to its end, handing on each line as it is printed.

        Without ``show`` nobody sees them, and the sniffer tells no frame: that is quicker.
        Returns the folder of the run, if the engine knows which one it is.
        """

    def stop(self) -> None:
        """End a run that is on; its sniffer saves what it has."""

    def down(self, *, images: bool = False) -> Removed:
        """Remove what this checkout's lab made, and nothing else."""
