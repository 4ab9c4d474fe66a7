"""The plain case, all layers at once: TCP in IPv4 without options in untagged Ethernet.

Most frames of most captures are of this kind, and reading their three headers in one go takes
half the time. What is found is what reading layer after layer finds; any frame that is odd in
any way is left to that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.packets.addresses import V4_MAPPED
from lab.packets.frames import Protocol
from lab.packets.layers import Draft, Rows
from lab.packets.network import IPV4_HEADER, TCP
from lab.packets.shims import IPV4
from lab.packets.transport import TCP_HEADER

_NETWORK, _TRANSPORT = 14, 34  # where these headers begin
_WITHOUT_OPTIONS = 0x45  # version 4, five words

_HEADERS = np.dtype(
    [("addresses", "V12"), ("type", ">u2"), ("ip", IPV4_HEADER), ("tcp", TCP_HEADER)]
)


def plain_segments(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Read those of these Ethernet frames that are plain; which they were."""
    held = at + _HEADERS.itemsize <= draft.cut[_together(rows)]
    if not held.all():
        rows, at = rows[held], at[held]
    header = draft.headers(_HEADERS, at)
    ip, tcp = header["ip"], header["tcp"]
    total, size = ip["length"].astype(np.int64), (tcp["flags"] >> 12).astype(np.int64) * 4
    end, payload, place = at + _NETWORK + total, at + _TRANSPORT + size, _together(rows)
    plain = (header["type"] == IPV4) & (ip["version"] == _WITHOUT_OPTIONS)
    plain &= (ip["protocol"] == TCP) & (ip["fragment"] & np.uint16(0x3FFF) == 0)
    plain &= (end <= draft.end[place]) & (payload <= end) & (size >= TCP_HEADER.itemsize)
    plain &= payload <= draft.cut[place]
    if not plain.all():
        rows, at, end, payload, ip, tcp = (
            column[plain] for column in (rows, at, end, payload, ip, tcp)
        )
        place = _together(rows)
    _fill(draft, place, at, ip, tcp)
    draft.payload[place], draft.payload_length[place] = payload, end - payload
    draft.end[place] = end
    held[held] = plain
    return held


def _together(rows: Rows) -> Rows | slice:
    """The rows as a slice if they follow each other: ten times as fast to read and to fill."""
    if not len(rows) or rows[-1] - rows[0] + 1 != len(rows):
        return rows
    return slice(int(rows[0]), int(rows[-1]) + 1)


def _fill(
    draft: Draft,
    rows: Rows | slice,
    at: NDArray[np.int64],
    ip: NDArray[np.void],
    tcp: NDArray[np.void],
) -> None:
    draft.protocol[rows], draft.ip_version[rows] = Protocol.TCP, 4
    draft.network[rows], draft.transport[rows] = at + _NETWORK, at + _TRANSPORT
    draft.source[rows, 1] = ip["source"] | np.uint64(V4_MAPPED)
    draft.destination[rows, 1] = ip["destination"] | np.uint64(V4_MAPPED)
    draft.source_port[rows], draft.destination_port[rows] = tcp["source"], tcp["destination"]
    draft.sequence[rows], draft.acknowledgment[rows] = tcp["sequence"], tcp["acknowledgment"]
    draft.flags[rows] = tcp["flags"] & np.uint16(0x01FF)
    draft.window[rows] = tcp["window"]
