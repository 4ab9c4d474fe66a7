"""Two captures of one wire, taken at both ends: which frames both saw, which only one."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.packets.frames import Capture
from lab.packets.rows import frame


class Match(Struct, frozen=True):
    """Indices into the columns of two captures; all arrays ascend by the first capture's order.

    A frame in ``only_first`` that was on its way to the second vantage point was lost between.
    """

    first: NDArray[np.int64]  # entry k of first and entry k of second are the same frame
    second: NDArray[np.int64]
    only_first: NDArray[np.int64]
    only_second: NDArray[np.int64]
    transit: NDArray[np.int64]  # ns from the first vantage point to the second; negative: back


def match_views(first: Capture, second: Capture) -> Match:
    """Pair the frames that are octet for octet the same, in time linear in both captures.

    The k-th occurrence of the same octets in one capture is the k-th in the other, so frames
    repeated on the wire (ARP requests, retransmissions with equal headers) pair in order.
    """
    seen: dict[int, int] = {}
    ours, theirs = _occurrences(first, seen), _occurrences(second, seen)
    _, here, there = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    order = np.argsort(here)
    here, there = here[order], there[order]
    return Match(
        first=here,
        second=there,
        only_first=_others(len(ours), here),
        only_second=_others(len(theirs), there),
        transit=second.frames.time[there] - first.frames.time[here],
    )


def between_hosts(
    match: Match, first: Capture, second: Capture, links: Collection[str], since: int, until: int
) -> Match:
    """Leave out what no loss can explain: frames alone in one capture that no host sent (a switch
    speaks to one port only), or from a time when just one of the two ports was recorded.

    ``links``: the hosts' MAC addresses (none known: every frame counts); times in ns.
    """
    return replace(
        match,
        only_first=_expected(first, match.only_first, links, since, until),
        only_second=_expected(second, match.only_second, links, since, until),
    )


def _expected(
    capture: Capture, rows: NDArray[np.int64], links: Collection[str], since: int, until: int
) -> NDArray[np.int64]:
    time = capture.frames.time[rows]
    rows = rows[(time >= since) & (time <= until)]
    if not links:
        return rows
    sent = [frame(capture, int(row)).link_source in links for row in rows]
    return rows[np.array(sent, np.bool_)]


def _occurrences(capture: Capture, seen: dict[int, int]) -> NDArray[np.int64]:
    """One number a frame, unique in this capture: which octets (high half), which occurrence.

    ``seen`` numbers the octets across captures, by their 64-bit hash: it holds no frames.
    """
    frames = capture.frames
    octets = frames.octets.data
    ends = (frames.start + frames.captured).tolist()
    kinds = np.array(
        [
            seen.setdefault(hash(bytes(octets[begin:end])), len(seen))
            for begin, end in zip(frames.start.tolist(), ends, strict=True)
        ],
        np.int64,
    )
    order = np.argsort(kinds, kind="stable")
    begins = np.flatnonzero(np.diff(kinds[order], prepend=-1))
    sizes = np.diff(begins, append=len(kinds))
    rank = np.empty(len(kinds), np.int64)
    rank[order] = np.arange(len(kinds)) - np.repeat(begins, sizes)
    return kinds << 32 | rank


def _others(count: int, taken: NDArray[np.int64]) -> NDArray[np.int64]:
    left = np.ones(count, np.bool_)
    left[taken] = False
    return np.flatnonzero(left)
