"""What the analysis says of a TCP connection: the words it uses and the record it makes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag, StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from lab.packets.addresses import Endpoint

if TYPE_CHECKING:  # a scenario's file is read without numpy
    import numpy as np
    from numpy.typing import NDArray


class State(StrEnum):
    """The states of RFC 9293 section 3.3.2, written as it writes them."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Handshake(StrEnum):
    """How a connection opened, as far as the capture shows it."""

    THREE_WAY = "three-way"  # SYN; SYN,ACK; ACK
    SIMULTANEOUS = "simultaneous open"  # SYN from both ends before either answered (Figure 8)
    REFUSED = "refused"  # SYN answered by RST
    UNANSWERED = "unanswered"  # SYN, repeated or not, and nothing back
    UNFINISHED = "unfinished"  # SYN and SYN,ACK, but no ACK of it
    NOT_SEEN = "not seen"  # the capture begins in the middle of the connection


class Teardown(StrEnum):
    """How a connection ended, as far as the capture shows it."""

    FOUR_SEGMENTS = "four segments"  # FIN; ACK; FIN; ACK
    THREE_SEGMENTS = "three segments"  # FIN; FIN,ACK of it; ACK
    SIMULTANEOUS = "simultaneous close"  # FINs cross: each was sent before the other was ACKed
    RESET = "reset"  # a RST after the handshake
    UNFINISHED = "unfinished"  # a FIN, but not both FINs acknowledged
    NOT_SEEN = "not seen"  # still open at the end of the capture, or it never opened


class Analysis(IntFlag):
    """What Wireshark says of a segment, under Wireshark's definitions (tcp.analysis.*)."""

    RETRANSMISSION = 1 << 0
    FAST_RETRANSMISSION = 1 << 1
    SPURIOUS_RETRANSMISSION = 1 << 2
    OUT_OF_ORDER = 1 << 3
    LOST_SEGMENT = 1 << 4
    ACK_LOST_SEGMENT = 1 << 5
    DUPLICATE_ACK = 1 << 6
    KEEP_ALIVE = 1 << 7
    KEEP_ALIVE_ACK = 1 << 8
    ZERO_WINDOW = 1 << 9
    WINDOW_UPDATE = 1 << 10
    WINDOW_FULL = 1 << 11
    ZERO_WINDOW_PROBE = 1 << 12
    ZERO_WINDOW_PROBE_ACK = 1 << 13
    REUSED_PORTS = 1 << 14


class Connection(Struct, frozen=True):
    """One TCP connection, as the capture shows it. Pairs are (client's, server's).

    The client is the originator: who sent the first SYN, else who sent the first segment.
    """

    stream: int  # counts from 0 in order of the first segment, as tcp.stream
    client: Endpoint
    server: Endpoint
    rows: NDArray[np.int64]  # indices into the capture's columns, in capture order
    from_client: NDArray[np.bool_]  # one entry a row
    isn: tuple[int | None, int | None]  # None: that SYN was not seen
    scale: tuple[int | None, int | None]  # window shift in force; None: not known, 0: none
    mss: tuple[int | None, int | None]  # as announced in the SYN
    handshake: Handshake
    handshake_frames: tuple[int, ...]  # frame numbers
    teardown: Teardown
    teardown_frames: tuple[int, ...]  # frame numbers
    states: tuple[State, State]  # of each end after the last frame
    conn_state: str  # Zeek's
    history: str  # Zeek's
    completeness: int  # Wireshark's tcp.completeness
    octets: tuple[int, int]  # payload sent, each octet of sequence space once
    rtt: int | None  # ns from the latest SYN to the first ACK after one (Wireshark's iRTT)
    flags: Mapping[int, Analysis]  # by frame number; frames without a flag are left out
    duplicate_acks: Mapping[int, int]  # frame number -> which duplicate it is (#1, #2, …)

    def flag_counts(self) -> dict[str, int]:
        """How many segments carry each analysis flag; flags that none carries are left out."""
        counts: dict[str, int] = {}
        for flags in self.flags.values():
            for flag in flags:
                name = str(flag.name).lower()
                counts[name] = counts.get(name, 0) + 1
        return counts
