"""By what a frame is known again elsewhere: its octets, or what is left of them after the way.

Each function gives one name a row, None where it has none to give. Frames of two captures with
the same name are the same frame.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lab.packets.frames import ABSENT, Capture, Flags, Frames, Protocol
from lab.wire.touched import Touched, digest

Rows: TypeAlias = NDArray[np.int64]
Names: TypeAlias = list[Hashable | None]
Identity: TypeAlias = Callable[[Capture, Rows], Names]

IPV4_HEADER, IPV6_HEADER = 20, 40


def by_octets(capture: Capture, rows: Rows) -> Names:
    """The 64-bit hash of all its octets: no frame is held."""
    frames = capture.frames
    octets, start = frames.octets.data, frames.start[rows]
    ends = (start + frames.captured[rows]).tolist()
    return [hash(bytes(octets[a:b])) for a, b in zip(start.tolist(), ends, strict=True)]


def by_packet(capture: Capture, rows: Rows) -> Names:
    """The hash of the IP packet without what every router rewrites: the frame around it, TTL or hop
    limit with the header checksum (RFC 1812 section 5.3.1), and DSCP and ECN (RFC 2474, RFC 3168)."""
    return [_packet(capture.frames, row) for row in rows.tolist()]


def _packet(frames: Frames, row: int) -> int | None:
    version, at = int(frames.ip_version[row]), int(frames.network[row])
    if not version or at == ABSENT:
        return None
    end = int(frames.start[row]) + int(frames.captured[row])
    octets = bytearray(frames.octets[at:end].tobytes())
    if version == 4:
        length = int.from_bytes(octets[2:4], "big")
        octets[1:2], octets[8:9], octets[10:12] = b"\0", b"\0", b"\0\0"
    else:
        length = IPV6_HEADER + int.from_bytes(octets[4:6], "big")
        octets[0:2], octets[7:8] = b"\x60" + bytes([octets[1] & 0x0F]), b"\0"
    return hash(bytes(octets[: length or None]))


def by_initial_number(capture: Capture, rows: Rows) -> Names:
    """A SYN by its ends and numbers: a middlebox may rewrite its options (MSS clamping), but a
    32-bit initial sequence number does not come twice."""
    frames = capture.frames
    syn = (frames.protocol[rows] == Protocol.TCP) & ((frames.flags[rows] & int(Flags.SYN)) != 0)
    return [
        _syn(frames, row) if is_syn else None
        for row, is_syn in zip(rows.tolist(), syn.tolist(), strict=True)
    ]


def _syn(frames: Frames, row: int) -> Hashable:
    return (
        *frames.source[row].tolist(),
        *frames.destination[row].tolist(),
        int(frames.source_port[row]),
        int(frames.destination_port[row]),
        int(frames.sequence[row]),
        int(frames.acknowledgment[row]),
    )


def by_wire_log(touched: Collection[Touched]) -> Identity:
    """A frame that the lab's wire rewrote, by what it was sent as; the log knows both."""
    sent = {one.arriving: one.digest for one in touched if one.arriving not in {"", one.digest}}
    wanted = set(sent.values())

    def names(capture: Capture, rows: Rows) -> Names:
        if not sent:
            return [None] * len(rows)
        octets, start = capture.frames.octets.data, capture.frames.start[rows]
        ends = (start + capture.frames.captured[rows]).tolist()
        found = [digest(octets[a:b]) for a, b in zip(start.tolist(), ends, strict=True)]
        return [sent.get(name, name if name in wanted else None) for name in found]

    return names
