"""When each frame passed the ports of both its ends, from the match of two captures."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from lab.evidence.account import account
from lab.evidence.run import Evidence
from lab.page.frames import octets_of
from lab.page.geometry import Journey
from lab.report import fates
from lab.report.events import FrameEvent
from lab.report.people import People

LOST = (fates.LOST.en, fates.LOST_BY.en.partition("{")[0])
FORGED = fates.FORGED.en.partition("{")[0]


class Journeys:
    """Looks journeys up; made once for a run."""

    def __init__(self, evidence: Evidence, who: People) -> None:
        """One capture alone tells only when its own port saw a frame."""
        self._ports = [who.letters.get(view.host, "") for view in evidence.views[:2]]
        self._transit: dict[int, int] = {}
        self._copies: dict[int, list[int]] = {}
        if match := evidence.match:
            self._transit = dict(zip(match.first.tolist(), match.transit.tolist(), strict=True))
            self._copies = _copies(evidence)

    def of(self, event: FrameEvent, left: str, right: str) -> Journey:
        """The journey of a frame of a section between two ends, by their letters."""
        rightward = event.source == left or (event.target == right and event.source != right)
        lost = any(word.en.startswith(LOST) for word in event.words)
        forged = any(word.en.startswith(FORGED) for word in event.words)
        forged |= event.source not in (left, right)
        seen = event.elsewhere or self._ports[0]
        sent, arrived = self._times(event, at_left=seen != right, rightward=rightward)
        copies = self._copies.get(event.number - 1, ()) if not event.elsewhere else ()
        if sent is None and {left, right} == set(self._ports) and not lost:
            forged = True  # a copy that the wire made, too, begins there
        astray = arrived is None and event.target not in (left, right)
        return Journey(rightward, sent, arrived, lost, forged, tuple(copies), astray)

    def _times(
        self, event: FrameEvent, *, at_left: bool, rightward: bool
    ) -> tuple[int | None, int | None]:
        """When it passed its sender's port, and when its receiver's."""
        is_sender = at_left == rightward
        known = None if event.elsewhere else self._transit.get(event.number - 1)
        if known is None:
            return (event.time, None) if is_sender else (None, event.time)
        there = event.time + known
        early, late = min(event.time, there), max(event.time, there)
        return (early, late) if (known >= 0) == is_sender else (event.time, event.time)


def _copies(evidence: Evidence) -> dict[int, list[int]]:
    """By row of the first view: when further copies of a frame arrived at the second port."""
    told, match = account(evidence), evidence.match
    if told is None or match is None or not len(told.forth.doubled):
        return {}
    second = evidence.views[1].capture.frames
    arrived = {octets_of(second, row): one for one, row in _pairs(match.first, match.second)}
    found: dict[int, list[int]] = defaultdict(list)
    for row in told.forth.doubled.tolist():
        if (one := arrived.get(octets_of(second, row))) is not None:
            found[one].append(int(second.time[row]))
    return found


def _pairs(first: NDArray[np.int64], second: NDArray[np.int64]) -> zip[tuple[int, int]]:
    return zip(first.tolist(), second.tolist(), strict=True)
