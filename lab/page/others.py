"""Hosts that stand at neither end of a ladder: whose port a forged frame left, who else is addressed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from lab.evidence.run import Evidence
from lab.packets.kinds import Direction
from lab.page.frames import octets_of, view_of
from lab.page.geometry import WIRE, Arrow
from lab.report.events import FrameEvent
from lab.report.people import People

NOBODY = "?"
"""A router that no capture names."""


class Others:
    """Looks third hosts up; made once for a run."""

    def __init__(self, evidence: Evidence, who: People) -> None:
        """Ports beyond the two that were matched are read when a forged frame asks for them."""
        self._evidence, self._who = evidence, who

    def ends(self, event: FrameEvent, arrow: Arrow, letters: tuple[str, str]) -> tuple[str, str]:
        """The letters of the hosts at which an arrow begins and ends, where no line of theirs is
        drawn; else ""."""
        begins, ends = "", ""
        if arrow.begin == WIRE:
            begins = event.source if event.source not in letters else self._sender(event)
        if arrow.end == WIRE and not arrow.lost and event.target not in letters:
            ends = event.target
        return begins.strip(NOBODY), ends.strip(NOBODY)

    def _sender(self, event: FrameEvent) -> str:
        """Whose port a frame left that its sender's never sent."""
        if not self._sent:
            return ""
        view = view_of(self._evidence, event, self._who)
        return self._sent.get(octets_of(view.capture.frames, event.number - 1), "")

    @cached_property
    def _sent(self) -> Mapping[bytes, str]:
        """By octets: the letter of the third host whose port sent them."""
        found: dict[bytes, str] = {}
        for view in self._evidence.views[2:]:
            left = np.flatnonzero(view.capture.frames.direction == Direction.OUTBOUND)
            letter = self._who.letters.get(view.host, "")
            found |= {octets_of(view.capture.frames, row): letter for row in left.tolist()}
        return found
