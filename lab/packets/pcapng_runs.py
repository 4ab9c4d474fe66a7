"""Runs of enhanced packet blocks: most of what a large pcapng file is made of."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from lab.packets.chains import Chain
from lab.packets.pages import release_if_large, window_of
from lab.packets.pcapng_codes import ENHANCED_PACKET

SMALLEST = 32
_ELSEWHERE = 1 << 40
"""A step that leads out of any file: there the run ends."""


def enhanced_run(octets: memoryview, first: int, order: str) -> NDArray[np.int64]:
    """The offsets of enhanced packet blocks from ``first`` on, and at the end where to go on.

    The block at ``first`` must be one. What is found is what following the lengths one by one
    would have found; where a run ends early, others may follow.
    """
    word = np.frombuffer(octets, np.dtype(order + "u4"), len(octets) // 4)

    def sizes(at: NDArray[np.int64]) -> NDArray[np.int64]:
        index = at >> 2
        size: NDArray[np.int64] = word[index + 1].astype(np.int64)
        size[(word[index] != ENHANCED_PACKET) | (size < SMALLEST) | (size & 3 != 0)] = _ELSEWHERE
        return size

    def likely(at: NDArray[np.int64]) -> NDArray[np.bool_]:
        index = at >> 2
        kind: NDArray[np.bool_] = word[index] == ENHANCED_PACKET
        rows = np.flatnonzero(kind)
        rows_at = index[rows]
        room, captured = word[rows_at + 1], word[np.minimum(rows_at + 5, len(word) - 1)]
        kind[rows] = (room >= SMALLEST) & (room < 1 << 28) & (room - SMALLEST >= captured)
        return kind

    leave = partial(release_if_large, octets)
    chain = Chain(sizes, likely, align=4, leave=leave, largest=window_of(octets))
    run = [np.array([first])]
    for part in chain.parts(first, len(octets) - SMALLEST):
        ends = np.flatnonzero(sizes(part[:-1]) == _ELSEWHERE)
        run[-1:] = run[-1][:-1], part[: ends[0] + 1] if len(ends) else part
        if len(ends):
            break
    return np.concatenate(run)
