"""Distinct values and where they stand: `numpy.unique` without what else that loads (numpy.ma)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", bound=np.generic)


def distinct(values: NDArray[_Number]) -> NDArray[_Number]:
    """The distinct values, ascending."""
    ordered = np.sort(values, axis=None)
    return ordered[_begins(ordered)]


def counted(values: NDArray[_Number]) -> tuple[NDArray[_Number], NDArray[np.int64]]:
    """The distinct values, ascending, and how often each stands there."""
    ordered = np.sort(values, axis=None)
    begins = np.flatnonzero(_begins(ordered))
    return ordered[begins], np.diff(begins, append=len(ordered))


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
    begins = _begins(ordered)
    which = np.empty(len(values), np.int64)
    which[order] = np.cumsum(begins) - 1
    return ordered[begins], order[begins], which


def _begins(ordered: NDArray[_Number]) -> NDArray[np.bool_]:
    """Which entries differ from the one before."""
    found = np.ones(len(ordered), np.bool_)
    found[1:] = ordered[1:] != ordered[:-1]
    return found
