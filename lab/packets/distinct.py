"""Distinct values and where they stand: `numpy.unique` without what else that loads (numpy.ma)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", bound=np.generic)


def distinct(values: NDArray[_Number]) -> NDArray[_Number]:
    """The distinct values, ascending."""
    ordered = np.sort(values, axis=None)
    return ordered[begins(ordered)]


def counted(values: NDArray[_Number]) -> tuple[NDArray[_Number], NDArray[np.int64]]:
    """The distinct values, ascending, and how often each stands there."""
    ordered = np.sort(values, axis=None)
    places = np.flatnonzero(begins(ordered))
    return ordered[places], np.diff(places, append=len(ordered))


def either(first: NDArray[_Number], second: NDArray[_Number]) -> NDArray[_Number]:
    """The distinct values of both together, ascending."""
    return distinct(np.concatenate((first, second)))


def ranked(values: NDArray[_Number]) -> tuple[NDArray[_Number], NDArray[np.int64]]:
    """The distinct values, ascending, and of each entry which of them it is."""
    found, _, which = _grouped(values, np.argsort(values))
    return found, which


def grouped(
    values: NDArray[_Number],
) -> tuple[NDArray[_Number], NDArray[np.int64], NDArray[np.int64]]:
    """As `ranked`, and between the two where each value stands first."""
    return _grouped(values, np.argsort(values, kind="stable"))


def _grouped(
    values: NDArray[_Number], order: NDArray[np.int64]
) -> tuple[NDArray[_Number], NDArray[np.int64], NDArray[np.int64]]:
    ordered = values[order]
    new = begins(ordered)
    which = np.empty(len(values), np.int64)
    which[order] = np.cumsum(new) - 1
    return ordered[new], order[new], which


def begins(ordered: NDArray[_Number]) -> NDArray[np.bool_]:
    """Which entries differ from the one before."""
    found = np.ones(len(ordered), np.bool_)
    found[1:] = ordered[1:] != ordered[:-1]
    return found


def among(values: NDArray[_Number], wanted: NDArray[_Number] | Sequence[int]) -> NDArray[np.bool_]:
    """Which of the values are among the wanted: `numpy.isin`."""
    if not len(wanted):
        return np.zeros(values.shape, np.bool_)
    ordered = np.sort(wanted)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: NDArray[np.bool_] = ordered[place] == values
    return found
