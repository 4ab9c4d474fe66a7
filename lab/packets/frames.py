"""A capture as columns: entry i of every array belongs to frame number i + 1.

One path for twenty frames and for twenty million: arrays are computed for all frames at once,
and a row object (`lab.packets.rows.Frame`) is made only for what is shown.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.text import Text

ABSENT = -1
"""In an offset column: this frame has no such header."""


class Protocol(IntEnum):
    """What a frame carries above the link layer; the name of the innermost header decoded."""

    OTHER = 0
    ARP = 1
    ICMP = 2
    ICMPV6 = 3
    TCP = 4
    UDP = 5
    FRAGMENT = 6  # an IP fragment other than the first: it has no transport header


class Direction(IntEnum):
    """As pcapng's epb_flags bits 0-1 say it: seen from the interface's own host."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


class Flags(IntFlag):
    """TCP control bits (RFC 9293 section 3.1, RFC 3168; AE: RFC 9768)."""

    FIN = 0x001
    SYN = 0x002
    RST = 0x004
    PSH = 0x008
    ACK = 0x010
    URG = 0x020
    ECE = 0x040
    CWR = 0x080
    AE = 0x100


class Interface(Struct, frozen=True):
    """One interface of a capture, in file order."""

    link_type: int  # LINKTYPE_ value: 1 Ethernet, 101 raw IP, 113 Linux cooked, …
    snap_length: int = 0  # 0: no limit
    name: str = ""
    description: str = ""
    received: int | None = None  # pcapng isb_ifrecv: frames the kernel saw
    dropped: int | None = None  # pcapng isb_ifdrop: frames the kernel could not keep


class Damage(IntEnum):
    """Why reading stopped, or what had to be left out."""

    TRUNCATED = 1  # the file ends in the middle of a record
    IMPOSSIBLE = 2  # a record claims a length that cannot be


class Problem(Struct, frozen=True):
    """Something in the file that could not be read; never raised, always reported."""

    kind: Damage
    offset: int  # octets from the start of the (decompressed) file
    claim: Text


class Frames(Struct, frozen=True):
    """The columns. All arrays have one entry a frame.

    Offsets (``network``, ``transport``, ``payload``) count from the start of ``octets``, the
    whole file; ABSENT where the frame has no such header or it was cut off. Numbers of headers
    that are absent are 0.
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

    def __len__(self) -> int:
        return len(self.time)


class Capture(Struct, frozen=True):
    """One capture file, read: its columns, its interfaces, its comments, what was wrong."""

    frames: Frames
    interfaces: tuple[Interface, ...] = ()
    comments: tuple[tuple[int, str], ...] = ()  # (frame number, comment)
    problems: tuple[Problem, ...] = ()
    file_format: str = "pcapng"  # "pcap" or "pcapng"
