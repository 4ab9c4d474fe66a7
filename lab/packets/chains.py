"""Follow a chain of records, each of which says only how long it is, at many places at once.

Where a record begins is known only from the one before it: a loop, and in Python a slow one. So
the file is cut into parts; in each a place is guessed at which a record seems to begin; then all
parts are followed together, a step of each at a time, as arrays. A guess is believed only if the
part before it arrives at exactly that place: so what is found is what the loop would have found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.distinct import distinct

Offsets = NDArray[np.int64]

LANES = 1024
PART = 16 * 1024  # octets of a part, at least
STRIDE, REACH = 256, 8192  # octets of a part in which a beginning is looked for: at a time, in all
CERTAIN = 3  # records in a row that have to look right
WINDOW, GROWTH, LARGEST_WINDOW = 1 << 22, 64, 1 << 29  # octets that are followed at once


def _stay(begin: int, end: int) -> None:
    """Nothing has to be done."""


class Chain(Struct, frozen=True):
    """How the records of one file follow each other."""

    sizes: Callable[[Offsets], NDArray[np.integer]]  # whole length of each record; never 0
    likely: Callable[[Offsets], NDArray[np.bool_]]  # may it begin here? cheap, and mostly right
    align: int = 1  # records begin at multiples of it
    leave: Callable[[int, int], None] = _stay  # told from where to where all has been found
    largest: int = LARGEST_WINDOW  # octets that may be followed at once

    def follow(self, first: int, stop: int) -> Offsets:
        """The offsets of records from ``first`` on, and at the end the one where to go on.

        That is the first at or beyond ``stop``, or one after which the parts did not meet.
        """
        parts = [np.array([first]), *self.parts(first, stop)]
        return np.concatenate([*(part[:-1] for part in parts), parts[-1][-1:]])

    def parts(self, first: int, stop: int) -> Iterator[Offsets]:
        """The same part after part; the last offset of each is the first of the next.

        Much is followed at once only after little has been: where guesses fail, little is lost.
        """
        largest = min(self.largest, LARGEST_WINDOW)
        at, window = first, min(WINDOW, largest)
        while at < stop and window:
            end = min(at + window, stop)
            begin = at
            part = self._window(begin, end)
            at = int(part[-1])
            yield part
            self.leave(begin, at)
            window = min(GROWTH * window, largest) if at >= end else 0

    def _window(self, first: int, stop: int) -> Offsets:
        lanes = max(1, min(LANES, (stop - first) // PART))
        cuts = first + (stop - first) * np.arange(1, lanes, dtype=np.int64) // lanes
        begins = np.concatenate(([first], self._guess(cuts // self.align * self.align, stop)))
        found, count, arrived = self._walk(begins, np.append(begins[1:], stop))
        apart = np.flatnonzero(arrived[:-1] != begins[1:])
        last = int(apart[0]) if len(apart) else len(begins) - 1
        end = int(count[: last + 1].sum())
        found[end] = arrived[last]
        return found[: end + 1]

    def _walk(self, begins: Offsets, ends: Offsets) -> tuple[Offsets, Offsets, Offsets]:
        """Follow all lanes: (offsets in order and room for one, how many each has, where it arrived)."""
        arrived, count, steps = begins.copy(), np.zeros(len(begins), np.int64), []
        lanes, at, limit = np.arange(len(begins)), begins, ends
        while len(at):
            steps.append((lanes, at))
            at = at + self.sizes(at)
            inside = at < limit
            if np.count_nonzero(inside) < len(at):
                arrived[lanes], count[lanes] = at, len(steps)
                lanes, at, limit = lanes[inside], at[inside], limit[inside]
        return _in_order(steps, count), count, arrived

    def _guess(self, cuts: Offsets, stop: int) -> Offsets:
        """For each part the first offset at which records seem to begin, if there is one."""
        found = np.full(len(cuts), -1, np.int64)
        steps = np.arange(0, STRIDE, self.align)
        for near in range(0, REACH, STRIDE):
            left = np.flatnonzero(found < 0)
            if not len(left):
                break
            offsets = (cuts[left, None] + near + steps).ravel()
            right = self._look_right(offsets, stop)[::-1]
            found[left[right // len(steps)]] = offsets[right]  # a lane's first comes last: it stays
        return distinct(found[(found >= 0) & (found < stop)])

    def _look_right(self, offsets: Offsets, stop: int) -> NDArray[np.int64]:
        """Which offsets begin a chain that looks right for some records, or up to the stop."""
        rows, at = np.arange(len(offsets)), offsets
        for _ in range(CERTAIN):
            asked = np.minimum(at, stop - 1)
            right = self.likely(asked) | (at >= stop)
            rows, at = rows[right], at[right] + self.sizes(asked[right])
        return rows


def _in_order(steps: list[tuple[Offsets, Offsets]], count: Offsets) -> Offsets:
    """The offsets met, lane after lane, and room for one; ``count``: how many each lane has."""
    before = np.cumsum(count) - count
    found = np.empty(int(count.sum()) + 1, np.int64)
    lanes, places = None, before
    for step, (lane, at) in enumerate(steps):
        if lane is not lanes:
            lanes, places = lane, before[lane] + step
        found[places] = at
        places += 1
    return found
