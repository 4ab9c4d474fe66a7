"""Grouping frames by the pair of endpoints between which they travelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.packets.addresses import Endpoint, address_text
from lab.packets.distinct import grouped, ranked
from lab.packets.frames import Frames


def pairs(frames: Frames, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split ``rows`` by unordered endpoint pair, groups in order of their first frame.

    Args:
        frames: the capture's columns.
        rows: indices into them, ascending.

    Returns:
        One ascending index array a pair.
    """
    if not len(rows):
        return []
    ends = _endpoint_ids(frames, rows)
    low, high = ends.min(axis=0), ends.max(axis=0)
    _, first, group = grouped(low << 32 | high)
    order = np.argsort(group, kind="stable")
    parts = np.split(rows[order], np.cumsum(np.bincount(group))[:-1])
    return [parts[i] for i in np.argsort(first)]


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


def sent_by_first(frames: Frames, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of one pair's frames travel the same way as the first of them; shape (rows,)."""
    first = rows[0]
    same = frames.source_port[rows] == frames.source_port[first]
    same &= frames.destination_port[rows] == frames.destination_port[first]
    same &= (frames.source[rows] == frames.source[first]).all(axis=1)
    same &= (frames.destination[rows] == frames.destination[first]).all(axis=1)
    return np.asarray(same, dtype=np.bool_)
