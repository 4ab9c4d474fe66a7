"""Two captures of the same traffic, from wherever: one evidence, with every frame matched."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.evidence.manifest import Manifest
from lab.evidence.run import Evidence, View
from lab.evidence.vantage import Match, match_views


def merge(first: View, second: View) -> Evidence:
    """Put two foreign captures together; `lab.evidence.account.account` says what lay between.

    Only the time that both cover counts: a frame before the first or after the last one that both
    have is in neither ``only_first`` nor ``only_second``. Captures that share nothing give a match
    without pairs.
    """
    match = match_views(first.capture, second.capture)
    match = replace(
        match,
        only_first=_within(match.only_first, match.first),
        only_second=_within(match.only_second, match.second),
    )
    return Evidence(Manifest(scenario="", engine="", started=0), (first, second), match=match)


def same_traffic(match: Match) -> bool:
    """Whether two captures show the same traffic at all."""
    return len(match.first) > 0


def _within(rows: NDArray[np.int64], both: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(both):
        return np.empty(0, np.int64)
    inside: NDArray[np.int64] = rows[(rows > both.min()) & (rows < both.max())]
    return inside
