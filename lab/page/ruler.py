"""The octets that an ACK speaks of, laid out as a ruler: a cell a stretch, as wide as it can be.

What it acknowledges anew comes first, then, of an ACK with SACK blocks, what is missing and held.
Stretches are given from an ACK number on, and end before their last number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

from lab.page.scene import Cell
from lab.units import MODULUS

MOST = 8
"""Cells of one kind; what is between the first and the last few is drawn as one."""

LEAST = 6.0
"""Per cent that a cell takes at least."""

Sent = tuple[int, int, str]
"""A segment: its first number, the number after it, the key of its frame."""


def cells(kind: str, begin: int, end: int, sent: Iterable[Sent], base: int) -> tuple[Cell, ...]:
    """A stretch, cut where a segment begins, each part with the frames that carried it.

    ``base``: what turns its numbers into relative ones.
    """
    inside = [one for one in sent if one[0] < end and begin < one[1]]
    cuts = {edge for one in inside for edge in one[:2] if begin < edge < end}
    found = [
        Cell(kind, left, right, tuple(key for a, b, key in inside if a < right and left < b))
        for left, right in pairwise(sorted({begin, end} | cuts))
    ]
    joined = [
        Cell(kind, (base + group[0].begin) % MODULUS, (base + group[-1].end) % MODULUS, frames)
        for frames, run in groupby(found, key=lambda cell: cell.frames)
        if (group := list(run))
    ]
    return tuple(_few(joined))


def _few(some: list[Cell]) -> list[Cell]:
    if len(some) <= MOST:
        return some
    half = MOST // 2
    hidden = some[half:-half]
    frames = tuple(dict.fromkeys(key for cell in hidden for key in cell.frames))
    middle = Cell(hidden[0].kind, hidden[0].begin, hidden[-1].end, frames)
    return [*some[:half], middle, *some[-half:]]


def widths(some: Sequence[Cell]) -> list[float]:
    """Per cent of each cell: in proportion to its octets, but none too narrow to be read."""
    octets = [(cell.end - cell.begin) % MODULUS for cell in some]
    least = min(LEAST, 50 / len(some))
    share = (100 - least * len(some)) / sum(octets)
    return [least + share * count for count in octets]
