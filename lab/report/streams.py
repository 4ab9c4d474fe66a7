"""What the ends of a connection said to each other, where the ladder can name it: TLS so far."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lab.packets.frames import ABSENT, Frames
from lab.report import tls
from lab.tcp.model import Connection
from lab.tcp.numbers import Numbers
from lab.text import Text

LONGEST = 1 << 20
"""Octets of a direction that are read; what comes later has no name."""


def namer(
    frames: Frames, connection: Connection, shown: Numbers
) -> Callable[[int], tuple[Text, ...]]:
    """Return what names the contents of the segment at a position; nothing that it does not know."""
    if connection.isn[0] is None or not _begins_as_tls(frames, connection):
        return lambda index: ()
    streams = {side: stream(frames, connection, shown, by_client=side) for side in (True, False)}
    version = tls.version_of(streams[False])
    found = {side: tls.records(octets, version) for side, octets in streams.items()}

    def name(index: int) -> tuple[Text, ...]:
        begin = int(shown.sequence[index]) - 1
        records = found[bool(connection.from_client[index])]
        return tuple(tls.told(records, begin, begin + int(shown.length[index])))

    return name


def _begins_as_tls(frames: Frames, connection: Connection) -> bool:
    carrying = (frames.payload_length[connection.rows] > 0) & connection.from_client
    rows = connection.rows[carrying]
    return bool(len(rows)) and tls.is_tls(payload(frames, int(rows[0])))


def stream(frames: Frames, connection: Connection, shown: Numbers, *, by_client: bool) -> bytes:
    """The octets that one end sent, in order, as far as the capture has them without a hole."""
    mine = np.flatnonzero((connection.from_client == by_client) & (shown.length > 0))
    octets = bytearray()
    for index in mine[np.argsort(shown.sequence[mine], kind="stable")].tolist():
        at = int(shown.sequence[index]) - 1
        carried = payload(frames, int(connection.rows[index]))
        if at > len(octets) or len(octets) > LONGEST:
            break
        octets += carried[len(octets) - at :]
    return bytes(octets)


def payload(frames: Frames, row: int) -> bytes:
    """All of a frame's payload that was captured."""
    begin = int(frames.payload[row])
    if begin == ABSENT:
        return b""
    cut = int(frames.start[row]) + int(frames.captured[row])
    return frames.octets[begin : min(begin + int(frames.payload_length[row]), cut)].tobytes()
