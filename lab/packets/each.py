"""How the parts of a large task are gone through, and how far it is: `tell`, if anyone listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Protocol, TypeVar

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


class Each(Protocol):
    """`map`, or what does the same on several processors; NumPy lets threads work side by side."""

    def __call__(
        self, do: Callable[[_Part], _Result], parts: Iterable[_Part], /
    ) -> Iterable[_Result]:
        """Results in the order of the parts."""


def one_by_one(do: Callable[[_Part], _Result], parts: Iterable[_Part], /) -> Iterable[_Result]:
    """One part after another."""
    return map(do, parts)


class Stage(Enum):
    """What is done with a capture file, in this order."""

    FETCHED = auto()  # its octets
    RECORDED = auto()  # where its frames lie, and what their records say
    DECODED = auto()  # its frames
    ANALYSED = auto()  # its connections


Told = Callable[[Stage, float], None]
"""Hears which share of a stage is done, 0 to 1; from any thread, not always more than before."""


class Watched:
    """An `Each` that does as another does, and passes on how far the work is."""

    def __init__(self, each: Each, told: Told) -> None:
        self._each, self.told = each, told

    def __call__(
        self, do: Callable[[_Part], _Result], parts: Iterable[_Part], /
    ) -> Iterable[_Result]:
        """Results in the order of the parts."""
        return self._each(do, parts)


def tell(each: Each, stage: Stage, share: float) -> None:
    """Say how far a stage is, to whom it may concern."""
    if isinstance(each, Watched):
        each.told(stage, share)
