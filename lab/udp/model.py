"""What the analysis says of a UDP exchange: datagrams between one pair of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from lab.packets.addresses import Endpoint

if TYPE_CHECKING:  # a scenario's file is read without numpy
    import numpy as np
    from numpy.typing import NDArray


class Exchange(Struct, frozen=True):
    """All datagrams between two endpoints. Pairs are (client's, server's).

    The client is who sent the first datagram. UDP has no connection: this is bookkeeping.
    """

    stream: int  # counts from 0 in order of the first datagram, as udp.stream
    client: Endpoint
    server: Endpoint
    rows: NDArray[np.int64]  # indices into the capture's columns
    from_client: NDArray[np.bool_]  # one entry a row
    datagrams: tuple[int, int]
    octets: tuple[int, int]  # payload
    conn_state: str  # Zeek's: SF, S0, SHR
    errors: tuple[tuple[int, int], ...] = ()  # (ICMP frame number, number of the frame it answers)
