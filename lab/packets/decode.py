"""From records to columns: link, network and transport headers of all frames at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.packets.frames import Frames
from lab.packets.layers import Draft, finished, new_draft
from lab.packets.link import DECODED, link_layer
from lab.packets.network import network_layer
from lab.packets.records import Records
from lab.packets.transport import transport_layer


def decode(octets: NDArray[np.uint8], records: Records) -> Frames:
    """Fill the columns of `Frames`; never raises, whatever the octets."""
    draft = new_draft(octets, records)
    link_type = np.array([each.link_type for each in records.interfaces], np.int64)
    for value in DECODED:
        if len(records.start) and (described := link_type == value).any():
            _decode(draft, records, np.flatnonzero(described[records.interface]), value)
    return finished(draft, records)


def _decode(draft: Draft, records: Records, rows: NDArray[np.int64], link_type: int) -> None:
    linked = link_layer(draft, records.start, rows, link_type)
    transport_layer(draft, network_layer(draft, linked))
