"""Grouping frames by the pair of endpoints between which they travelled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.packets.addresses import Endpoint, address_text
from lab.packets.distinct import grouped, ranked
from lab.packets.frames import Frames


class Pairs(NamedTuple):
    """Frames sorted by unordered pair of endpoints, pairs in order of their first frame."""

    order: NDArray[np.int64]  # positions, pair after pair, each ascending
    first: NDArray[np.int64]  # where each pair begins among them
    by_first: NDArray[np.bool_]  # sent by the end that sent the first of its pair; as ``order``


def pairs(frames: Frames, rows: NDArray[np.int64]) -> Pairs:
    """Sort ``rows``, indices into the columns, ascending, by the endpoints between which they went."""
    ends = _endpoint_ids(frames, rows)
    low, high = ends.min(axis=0), ends.max(axis=0)
    _, begin, group = grouped(low << 32 | high)
    place = np.empty_like(begin)
    place[np.argsort(begin)] = np.arange(len(begin))
    order = np.argsort(place[group], kind="stable")
    counts = np.bincount(place[group], minlength=len(begin))
    first = np.cumsum(counts) - counts
    senders = ends[0, order]
    return Pairs(order, first, senders == np.repeat(senders[first], counts))


def _endpoint_ids(frames: Frames, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the endpoints densely: shape (2, rows), sources then destinations."""
    addresses = np.concatenate([frames.source[rows], frames.destination[rows]])
    ports = np.concatenate([frames.source_port[rows], frames.destination_port[rows]])
    address = _dense(_dense(addresses[:, 0]) << 32 | _dense(addresses[:, 1]))
    return _dense(address << 16 | ports).reshape(2, -1)


def _dense(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """Replace each value by its rank among the distinct ones: exact, and small enough to pack."""
    ranks: NDArray[np.int64] = ranked(values)[1]
    return ranks


def ends(frames: Frames, row: int) -> tuple[Endpoint, Endpoint]:
    """Sender and receiver of one frame."""
    return (
        Endpoint(_address(frames.source[row]), int(frames.source_port[row])),
        Endpoint(_address(frames.destination[row]), int(frames.destination_port[row])),
    )


def _address(halves: NDArray[np.uint64]) -> str:
    return address_text(int(halves[0]), int(halves[1]))
