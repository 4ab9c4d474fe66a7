"""Lay two sequences side by side so that as few of their members as possible stand alone."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Places = tuple[int | None, int | None]
"""Where the members of a row stand in the two sequences; None: the other one stands alone."""

LONGEST = 4096
"""Members aligned of each sequence; what comes later is paired by its place."""

APART, UNLIKE = 1, 3  # what it costs to leave one alone, and to pair what may not be paired


class Comparable(Protocol):
    """What can be aligned."""

    @property
    def key(self) -> Hashable:
        """Equal: the two are the same."""

    @property
    def kind(self) -> Hashable:
        """Equal: the two may stand side by side though they differ."""


def align(left: Sequence[Comparable], right: Sequence[Comparable]) -> Iterator[Places]:
    """Yield the rows, in order; a row of two that differ counts as much as one that is alone."""
    ours, theirs = left[:LONGEST], right[:LONGEST]
    price = _prices(ours, theirs)
    costs = _costs(price)
    i = j = 0
    while i < len(ours) or j < len(theirs):
        here = costs[i, j]
        both = i < len(ours) and j < len(theirs)
        if both and price[i, j] < UNLIKE and here == costs[i + 1, j + 1] + price[i, j]:
            yield i, j
            i, j = i + 1, j + 1
        elif i < len(ours) and here == costs[i + 1, j] + APART:
            yield i, None
            i += 1
        else:
            yield None, j
            j += 1
    for place in range(LONGEST, max(len(left), len(right))):
        yield place if place < len(left) else None, place if place < len(right) else None


def _prices(left: Sequence[Comparable], right: Sequence[Comparable]) -> NDArray[np.int8]:
    """What it costs to pair each of the one with each of the other."""
    keys, kinds = _numbered([*left, *right])
    here, there = slice(len(left)), slice(len(left), None)
    same = keys[here, None] == keys[None, there]
    like = kinds[here, None] == kinds[None, there]
    return np.where(same, 0, np.where(like, APART, UNLIKE)).astype(np.int8)


def _numbered(members: Sequence[Comparable]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Keys and kinds as numbers, equal where they are equal."""
    keys: dict[Hashable, int] = {}
    kinds: dict[Hashable, int] = {}
    return (
        np.array([keys.setdefault(one.key, len(keys)) for one in members], np.int32),
        np.array([kinds.setdefault(one.kind, len(kinds)) for one in members], np.int32),
    )


def _costs(price: NDArray[np.int8]) -> NDArray[np.int16]:
    """The least cost of all that follows i of the one and j of the other, row by row from the end.

    Leaving members of the second sequence alone costs their number, so that within a row the least
    is a running minimum.
    """
    rows, columns = price.shape
    costs = np.empty((rows + 1, columns + 1), np.int16)
    ahead = np.arange(columns, -1, -1, dtype=np.int16)
    costs[rows] = ahead
    for i in range(rows - 1, -1, -1):
        best = costs[i + 1] + APART
        best[:-1] = np.minimum(best[:-1], costs[i + 1, 1:] + price[i])
        costs[i] = np.minimum.accumulate((best - ahead)[::-1])[::-1] + ahead
    return costs
