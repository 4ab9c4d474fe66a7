"""What a comparison of two runs holds."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from lab.evidence.sightings import Sighting
from lab.report.difference.steps import Step
from lab.text import Text

RUNS = ("A", "B")
"""What the two runs are called."""


class Mark(StrEnum):
    """How the two steps of a row compare."""

    SAME = "="
    OPEN = "·"  # not the same, but the scenario that both play leaves it open
    TIME = "~"  # the same at another time
    OTHER = "!"


class Row(Struct, frozen=True):
    """One step of each run; None: the other one stands alone."""

    mark: Mark
    left: Step | None
    right: Step | None


class About(StrEnum):
    """What a sentence is about."""

    OPENING = "handshake"
    CLOSING = "teardown"
    STATE = "state"
    CALLS = "calls"
    COUNTERS = "counters"


class Told(Struct, frozen=True):
    """A difference in words."""

    about: About
    words: Text


class Pair(Struct, frozen=True):
    """One exchange of each run, side by side; None: only the other run has it."""

    title: Text
    left: Sighting | None
    right: Sighting | None
    rows: tuple[Row, ...]
    told: tuple[Told, ...]

    @property
    def alike(self) -> bool:
        return not self.told and all(row.mark in (Mark.SAME, Mark.OPEN) for row in self.rows)


class First(Struct, frozen=True):
    """Where the first difference stands."""

    pair: int
    row: int  # of that pair
    words: Text


class Difference(Struct, frozen=True):
    """All that differs between two runs."""

    pairs: tuple[Pair, ...]
    told: tuple[Told, ...]  # about no exchange
    first: First | None  # among the steps

    @property
    def alike(self) -> bool:
        return not self.told and all(pair.alike for pair in self.pairs)
