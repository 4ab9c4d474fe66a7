"""From a capture's columns to its UDP exchanges, with the ICMP errors that answered them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lab.packets.frames import ABSENT, Capture, Frames, Protocol
from lab.packets.pairs import ends, pairs, sent_by_first
from lab.udp.errors import errors
from lab.udp.model import Exchange

LIKELY_SERVER_PORTS = frozenset(
    {53, 67, 88, 123, 137, 161, 162, 389, 443, 514, 1434, 1812, 3544, 4011, 4789, 5060, 5353, 5355}
    | {2123, 2152, 3389, 5072, 6081}
)
"""The UDP ports for which Zeek's base scripts register an analyser."""


def exchanges(capture: Capture) -> tuple[Exchange, ...]:
    """Every UDP exchange of a capture, in order of its first datagram (udp.stream)."""
    frames = capture.frames
    rows = np.flatnonzero((frames.protocol == Protocol.UDP) & (frames.transport != ABSENT))
    answered = errors(frames, rows)
    return tuple(_exchange(frames, i, part, answered) for i, part in enumerate(pairs(frames, rows)))


def _exchange(
    frames: Frames, number: int, rows: NDArray[np.int64], answered: Mapping[int, list[int]]
) -> Exchange:
    client, server = ends(frames, int(rows[0]))
    from_client = sent_by_first(frames, rows)
    length = frames.payload_length[rows].astype(np.int64)
    datagrams = int(from_client.sum()), int((~from_client).sum())
    return Exchange(
        stream=number,
        client=client,
        server=server,
        rows=rows,
        from_client=from_client,
        datagrams=datagrams,
        octets=(int(length[from_client].sum()), int(length[~from_client].sum())),
        conn_state=_conn_state(datagrams, client.port, server.port),
        errors=tuple(
            (icmp + 1, row + 1) for row in rows.tolist() for icmp in answered.get(row, ())
        ),
    )


def _conn_state(datagrams: tuple[int, int], client: int, server: int) -> str:
    """SF: both sent. One-sided: S0, or SHR where the port says that it was the server."""
    if all(datagrams):
        return "SF"
    from_server = client in LIKELY_SERVER_PORTS and (
        server not in LIKELY_SERVER_PORTS or client < server
    )
    return "SHR" if from_server else "S0"
