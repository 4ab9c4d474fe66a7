"""The words of captures: protocols, directions, control bits, what may be wrong with a file.

Apart from the columns, so that who records frames does not have to load what analyses them.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from msgspec import Struct

from lab.text import Text


class Protocol(IntEnum):
    """What a frame carries above the link layer; the name of the innermost header decoded."""

    OTHER = 0
    ARP = 1
    ICMP = 2
    ICMPV6 = 3
    TCP = 4
    UDP = 5
    FRAGMENT = 6  # an IP fragment without a transport header, or of a segment not complete here


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


class Skipped(Struct, frozen=True):
    """pcapng blocks of one type that were not read."""

    kind: int
    count: int
    offset: int  # of the first: octets from the start of the (decompressed) file


class Damage(IntEnum):
    """Why reading stopped, or what had to be left out."""

    TRUNCATED = 1  # the file ends in the middle of a record
    IMPOSSIBLE = 2  # a record claims a length that cannot be


class Problem(Struct, frozen=True):
    """Something in the file that could not be read; never raised, always reported."""

    kind: Damage
    offset: int  # octets from the start of the (decompressed) file
    claim: Text
