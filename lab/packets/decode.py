"""From records to columns: link, network and transport headers of all frames at once."""

from __future__ import annotations

from collections import deque
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lab.packets.each import Each, Stage, one_by_one, tell
from lab.packets.fragments import whole_segments
from lab.packets.frames import Frames
from lab.packets.layers import Draft, Rows, finished, new_draft
from lab.packets.link import DECODED, ETHERNET, link_layer
from lab.packets.network import network_layer
from lab.packets.pages import Trail
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
    draft = new_draft(octets, records)
    link_type = np.array([one.link_type for one in records.interfaces], np.int64)
    for value in DECODED:
        if len(records.start) and (described := link_type == value).any():
            rows = np.flatnonzero(described[records.interface])
            blocks = [rows[first : first + BLOCK] for first in range(0, len(rows), BLOCK)]
            trail = Trail(octets, len(records.start), partial(tell, each, Stage.DECODED))
            deque(each(partial(_block, draft, records.start, value, trail), blocks), maxlen=0)
    transport_layer(draft, whole_segments(draft))
    return finished(draft, records)


def _block(
    draft: Draft, start: NDArray[np.int64], link_type: int, trail: Trail, rows: Rows
) -> None:
    rest = rows
    if link_type == ETHERNET:
        rest = rows[~plain_segments(draft, rows, start[rows])]
    if len(rest):
        _decode(draft, link_layer(draft, rest, start[rest], link_type))
    trail.reached(int(start[rows[0]]))


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
