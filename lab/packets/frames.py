"""A capture as columns: entry i of every array belongs to frame number i + 1.

One path for twenty frames and for twenty million: arrays are computed for all frames at once,
and a row object (`lab.packets.rows.Frame`) is made only for what is shown.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.kinds import Damage as Damage
from lab.packets.kinds import Direction as Direction
from lab.packets.kinds import Flags as Flags
from lab.packets.kinds import Interface as Interface
from lab.packets.kinds import Problem as Problem
from lab.packets.kinds import Protocol as Protocol
from lab.packets.kinds import Skipped as Skipped

NO_ROWS: NDArray[np.int64] = np.zeros(0, np.int64)

ABSENT = -1
"""In an offset column: this frame has no such header."""


class Frames(Struct, frozen=True):
    """The columns. All arrays have one entry a frame.

    Offsets (``network``, ``transport``, ``payload``) count from the start of ``octets``, the
    whole file; ABSENT where the frame has no such header or it was cut off. Numbers of headers
    that are absent are 0. All are of the innermost packet: tunnels are looked into. A segment
    that came in IP fragments stands in the frame that completes it: its header lies in another
    frame, the first fragment's, and its payload, in pieces, has a length and no place. Of one that was captured only in part, nothing tells the
    length: the frame with its header is ``unmeasured``.
    """

    octets: NDArray[np.uint8]  # the file itself, not a column
    time: NDArray[np.int64]  # ns since 1970-01-01 UTC
    interface: NDArray[np.int32]
    direction: NDArray[np.uint8]  # Direction
    start: NDArray[np.int64]  # offset of the frame's first octet
    captured: NDArray[np.int32]  # octets in the file
    length: NDArray[np.int32]  # octets on the wire
    protocol: NDArray[np.uint8]  # Protocol
    ip_version: NDArray[np.uint8]  # 4, 6, or 0
    network: NDArray[np.int64]  # offset of the (innermost) IP or ARP header
    transport: NDArray[np.int64]  # offset of the TCP, UDP or ICMP header
    payload: NDArray[np.int64]  # offset of what follows the transport header
    payload_length: NDArray[np.int32]  # octets by the IP length field, not by what was captured
    source: NDArray[np.uint64]  # (n, 2): high and low half; IPv4 as ::ffff:a.b.c.d
    destination: NDArray[np.uint64]  # (n, 2)
    source_port: NDArray[np.uint16]
    destination_port: NDArray[np.uint16]
    sequence: NDArray[np.uint32]
    acknowledgment: NDArray[np.uint32]
    flags: NDArray[np.uint16]  # Flags
    window: NDArray[np.uint16]  # the field, unscaled
    malformed: NDArray[np.bool_]  # a header contradicts itself (cut by the snap length is no fault)
    fragments: NDArray[np.int64] = NO_ROWS  # no column: rows with a fragment at any layer
    unmeasured: NDArray[np.int64] = NO_ROWS  # no column: segments whose length nothing tells

    def __len__(self) -> int:
        return len(self.time)


class Capture(Struct, frozen=True):
    """One capture file, read: its columns, its interfaces, its comments, what was wrong."""

    frames: Frames
    interfaces: tuple[Interface, ...] = ()
    comments: tuple[tuple[int, str], ...] = ()  # (frame number, comment)
    problems: tuple[Problem, ...] = ()
    file_format: str = "pcapng"  # "pcap" or "pcapng"
    skipped: tuple[Skipped, ...] = ()  # a pcapng's blocks that were not read, by type
    tls_sessions: int = 0  # of how many a pcapng holds the secrets
