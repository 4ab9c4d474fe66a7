"""From records to columns: link, network and transport headers of all frames at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.packets.fragments import whole_segments
from lab.packets.frames import Frames
from lab.packets.layers import Draft, Rows, finished, new_draft
from lab.packets.link import DECODED, ETHERNET, link_layer
from lab.packets.network import network_layer
from lab.packets.plain import plain_segments
from lab.packets.records import Records
from lab.packets.shims import Linked
from lab.packets.transport import transport_layer
from lab.packets.tunnels import inside_datagrams, inside_packets

DEEPEST_TUNNEL = 8
"""Packets inside packets that are looked into; deeper ones stay closed."""

BLOCK = 1 << 14
"""Frames decoded together: what is fetched of them stays in the processor's cache."""


def decode(octets: NDArray[np.uint8], records: Records) -> Frames:
    """Fill the columns of `Frames`; never raises, whatever the octets."""
    draft = new_draft(octets, records)
    link_type = np.array([each.link_type for each in records.interfaces], np.int64)
    for value in DECODED:
        if len(records.start) and (described := link_type == value).any():
            rows = np.flatnonzero(described[records.interface])
            for first in range(0, len(rows), BLOCK):
                _block(draft, rows[first : first + BLOCK], records.start, value)
    transport_layer(draft, whole_segments(draft))
    return finished(draft, records)


def _block(draft: Draft, rows: Rows, start: NDArray[np.int64], link_type: int) -> None:
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
