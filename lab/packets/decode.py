"""From records to columns: link, network and transport headers of all frames at once."""

from __future__ import annotations

from collections import deque
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lab.packets.distinct import distinct
from lab.packets.each import Each, Stage, one_by_one, tell
from lab.packets.fragments import whole_segments
from lab.packets.frames import Frames
from lab.packets.layers import Draft, Rows, begin, finished, new_draft
from lab.packets.link import DECODED, ETHERNET, link_layer
from lab.packets.network import network_layer
from lab.packets.pages import Trail, frames_of
from lab.packets.plain import plain_segments
from lab.packets.records import Records
from lab.packets.shims import Linked
from lab.packets.transport import transport_layer
from lab.packets.tunnels import inside_datagrams, inside_packets

DEEPEST_TUNNEL = 8
"""Packets inside packets that are looked into; deeper ones stay closed."""

BLOCK = 1 << 14
"""Frames decoded together: what is fetched of them stays in the processor's cache."""


def decode(octets: NDArray[np.uint8], records: Records, each: Each = one_by_one) -> Frames:
    """Fill the columns of `Frames`; never raises, whatever the octets."""
    draft, count = new_draft(octets, records), len(records.start)
    link_type = np.array([one.link_type for one in records.interfaces], np.int64)
    trail = Trail(octets, count, partial(tell, each, Stage.DECODED))
    together = frames_of(octets, count, BLOCK)
    blocks = [slice(at, min(at + together, count)) for at in range(0, count, together)]
    deque(each(partial(_block, draft, records, link_type, trail), blocks), maxlen=0)
    transport_layer(draft, whole_segments(draft))
    return finished(draft, records)


def _block(
    draft: Draft, records: Records, link_type: NDArray[np.int64], trail: Trail, some: slice
) -> None:
    begin(draft, records, some)
    rows, types = np.arange(some.start, some.stop), link_type[records.interface[some]]
    for value in distinct(types).tolist():
        if value in DECODED:
            _of_type(draft, rows[types == value], records.start, value)
    trail.reached(int(records.start[some.start]), int(draft.cut[some.stop - 1]))


def _of_type(draft: Draft, rows: Rows, start: NDArray[np.int64], link_type: int) -> None:
    if link_type == ETHERNET:
        rows = rows[~plain_segments(draft, rows, start[rows])]
    if len(rows):
        _decode(draft, link_layer(draft, rows, start[rows], link_type))


def _decode(draft: Draft, linked: Linked) -> None:
    """Read packets, and those inside them, until there are none."""
    for _ in range(DEEPEST_TUNNEL):
        carried, inner = inside_packets(draft, network_layer(draft, linked))
        transport_layer(draft, carried)
        deeper = [inner, inside_datagrams(draft, carried.rows)]
        found = [each for each in deeper if each is not None and len(each.rows)]
        if not found:
            break
        linked = found[0].joined(*found[1:])
