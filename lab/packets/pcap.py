"""The classic pcap file format (draft-ietf-opsawg-pcap, pcap-savefile(5))."""

from __future__ import annotations

import struct
from array import array
from contextlib import suppress

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.frames import Interface, Problem
from lab.packets.records import (
    MAXIMUM_FRAME,
    SECOND,
    Records,
    clip_length,
    impossible,
    no_records,
    truncated,
)

FILE_HEADER = 24
LARGEST_SNAP_LENGTH = 128 * 1024 * 1024
"""A snap length above this is taken for damage, not for permission to believe any length."""


class Variant(Struct, frozen=True):
    """What the magic number says of the records after it."""

    tick: int  # ns
    header: int  # octets before each frame


_VARIANTS = {
    0xA1B2C3D4: Variant(tick=1000, header=16),
    0xA1B23C4D: Variant(tick=1, header=16),
    0xA1B2CD34: Variant(tick=1000, header=24),  # Kuznetzov's patch of 1999: 8 more octets a record
}


def pcap_order(octets: memoryview) -> str | None:
    """Return the byte order ("<" or ">") if the magic number is one of pcap's, else None."""
    for order in "<>":
        if len(octets) >= 4 and struct.unpack_from(order + "I", octets)[0] in _VARIANTS:
            return order
    return None


def read_pcap(octets: memoryview, order: str) -> Records:
    """Find the records of a pcap file; never raises, whatever the octets after the magic."""
    if len(octets) < FILE_HEADER:
        return no_records("pcap", problem=truncated(0, FILE_HEADER, len(octets)))
    magic, minor, snap_length, network = struct.unpack_from(order + "I2xH8xII", octets)
    variant = _VARIANTS[magic]
    limit = max(MAXIMUM_FRAME, snap_length if snap_length <= LARGEST_SNAP_LENGTH else 0)
    offsets = _walk(octets, order, variant.header, field=12 if minor < 3 else 8)
    offsets, problems = _trusted(octets, offsets, variant.header, limit)
    seconds, fraction, captured, length = _fields(octets, offsets, order)
    if minor < 3:  # the two lengths changed places in version 2.3
        captured, length = length, captured
    return Records(
        file_format="pcap",
        time=seconds.astype(np.int64) * SECOND + fraction.astype(np.int64) * variant.tick,
        interface=np.zeros(len(offsets), np.int32),
        direction=np.zeros(len(offsets), np.uint8),
        start=offsets + variant.header,
        captured=captured.astype(np.int32),
        length=clip_length(length),
        interfaces=(Interface(network & 0x03FFFFFF, snap_length),),  # above: FCS length
        problems=problems,
    )


def _walk(octets: memoryview, order: str, header: int, field: int) -> NDArray[np.int64]:
    """Follow the chain of records; ``field``: where in a record the captured length stands.

    The one loop that cannot be vectorised, kept bare: that a record ends inside the file is
    known of all but the last one.
    """
    captured_at, lengths = struct.Struct(order + "I").unpack_from, octets[field:]
    offsets = array("q")
    append, at = offsets.append, FILE_HEADER
    with suppress(struct.error):  # the end of the file
        while True:
            (captured,) = captured_at(lengths, at)
            append(at)
            at += header + captured
    append(at)
    return np.array(offsets, dtype=np.int64)


def _trusted(
    octets: memoryview, offsets: NDArray[np.int64], header: int, limit: int
) -> tuple[NDArray[np.int64], tuple[Problem, ...]]:
    """Keep the records before the first that cannot be; the last offset is the walk's end."""
    size = len(octets)
    sizes = np.diff(offsets) - header
    wrong = np.flatnonzero((sizes > limit) | (offsets[1:] > size))
    if len(wrong):
        at = int(offsets[wrong[0]])
        return offsets[: wrong[0]], (_overrun(at, int(sizes[wrong[0]]), limit, header, size),)
    if (end := int(offsets[-1])) < size:
        return offsets[:-1], (truncated(end, header, size - end),)
    return offsets[:-1], ()


def _overrun(at: int, captured: int, limit: int, header: int, size: int) -> Problem:
    if captured <= limit:
        return truncated(at, header + captured, size - at)
    return impossible(
        at,
        "the record claims a frame of {captured} octets, more than the {limit} possible",
        "该记录声称一帧有 {captured} 字节，超过可能的上限 {limit}",
        captured=captured,
        limit=limit,
    )


def _fields(
    octets: memoryview, offsets: NDArray[np.int64], order: str
) -> tuple[NDArray[np.uint32], ...]:
    """The four numbers of each record header, as columns."""
    if not len(offsets):
        return (np.zeros(0, np.uint32),) * 4
    windows: NDArray[np.void] = np.ndarray((len(octets) - 15,), "V16", octets, strides=(1,))
    headers = windows[offsets].view(order + "u4").reshape(-1, 4).astype(np.uint32)
    return tuple(headers.T)
