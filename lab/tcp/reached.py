"""How far each direction's data had been acknowledged, at any segment of chosen streams."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from lab.tcp.columns import LIFT, Ints, Mask, Segments, Standing, running


class Reached(Struct, frozen=True):
    """The highest acknowledgment so far: after each segment of the streams that are looked at."""

    at: Ints  # positions of all their segments, ascending
    stream: Ints  # of each of them
    of: tuple[Ints, Ints]  # what has been acknowledged of either end's data
    lifted: tuple[Ints, Ints]  # the same, each stream's above those of the streams before it

    def before(self, positions: Ints, second: Mask) -> Ints:
        """What has been acknowledged of the senders' data when they send these segments."""
        place = np.searchsorted(self.at, positions)
        return np.where(second, self.of[1][place], self.of[0][place])

    def passes(self, direction: int, number: int, never: int) -> int:
        """The first position at which more than ``number`` is acknowledged of a direction's data.

        ``never`` if there is none.
        """
        stream, side = divmod(direction, 2)
        place = int(self.lifted[side].searchsorted(number + (stream << LIFT), side="right"))
        if place == len(self.at) or self.stream[place] != stream:
            return never
        return int(self.at[place])


def reach(s: Segments, stand: Standing, at: Ints) -> Reached:
    """Follow the acknowledgments of the streams to which these segments, all of them, belong."""
    second, stream = s.second[at], stand.stream[at]
    acks = stand.acks[at] & stand.heard[at]  # before the other end has sent, there is nothing
    values = stand.acknowledgment[at]
    firsts, seconds = (running(values, acks & (second != side), stream) for side in (False, True))
    lift = stream << LIFT
    return Reached(at, stream, (firsts, seconds), (firsts + lift, seconds + lift))
