"""The classic pcap file format (draft-ietf-opsawg-pcap, pcap-savefile(5))."""

from __future__ import annotations

import struct
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.packets.chains import Chain
from lab.packets.each import Each, Stage, one_by_one, tell
from lab.packets.kinds import Interface, Problem
from lab.packets.pages import Trail, blocks, frames_of, release_if_large, window_of
from lab.packets.records import (
    MAXIMUM_FRAME,
    SECOND,
    Records,
    clip_length,
    impossible,
    no_records,
    truncated,
)
from lab.packets.scratch import joined, zeros

FILE_HEADER = 24
SMALL = 1 << 20  # octets: files below are followed one record after another
TOGETHER = 1 << 16  # record headers that are read at once
NEAR = 400 * 86_400  # seconds by which a record's time may differ from the first one's
LARGEST_SNAP_LENGTH = 128 * 1024 * 1024
"""A snap length above this is taken for damage, not for permission to believe any length."""


class Variant(Struct, frozen=True):
    """What the magic number says of the file after it."""

    tick: int  # ns
    headers: tuple[int, ...]  # octets before each frame: the first that fits the records
    first: int = FILE_HEADER  # where the first record begins


PLAIN, NANOSECONDS, PATCHED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
IXIA = (0x1C0001AC, 0x1C0001AB)  # by its hardware, by its software
_VARIANTS = {
    PLAIN: Variant(1000, (16, 24, 20)),  # or as patched for Red Hat in 1999; or as Nokia writes it
    NANOSECONDS: Variant(1, (16,)),
    PATCHED: Variant(1000, (24, 28)),  # Kuznetzov's patch of 1999; or as SuSE had it
    **dict.fromkeys(IXIA, Variant(1000, (16,), first=FILE_HEADER + 4)),
}
_AIX_LINK_TYPES = {6: 1, 9: 6, 15: 10, 24: 0}
"""AIX writes version 2.2 with interface types of RFC 1573 for link types, and counts ns."""

_LOOKED_AT = 3
"""Records that have to make sense for a header of unusual size to be believed."""


def pcap_order(octets: memoryview) -> str | None:
    """Return the byte order ("<" or ">") if the magic number is one of pcap's, else None."""
    for order in "<>":
        if len(octets) >= 4 and struct.unpack_from(order + "I", octets)[0] in _VARIANTS:
            return order
    return None


def read_pcap(octets: memoryview, order: str, each: Each = one_by_one) -> Records:
    """Find the records of a pcap file; never raises, whatever the octets after the magic."""
    if len(octets) < FILE_HEADER:
        return no_records("pcap", problem=truncated(0, FILE_HEADER, len(octets)))
    magic, minor, snap_length, network = struct.unpack_from(order + "I2xH8xII", octets)
    variant, network = _VARIANTS[magic], network & 0x03FFFFFF  # above: FCS length
    limit = max(MAXIMUM_FRAME, snap_length if snap_length <= LARGEST_SNAP_LENGTH else 0)
    usual = Layout(order, variant.first, variant.headers[0], 12 if minor < 3 else 8, limit)
    layout = next((fit for fit in _layouts(usual, variant, minor) if _fits(octets, fit)), usual)
    offsets, problems = _trusted(octets, _walk(octets, layout), layout)
    aix = minor == 2 and network in _AIX_LINK_TYPES
    time, captured, length = _fields(octets, offsets, layout, 1 if aix else variant.tick, each)
    return Records(
        file_format="pcap",
        time=time,
        interface=zeros(octets, len(offsets), np.int32),
        direction=zeros(octets, len(offsets), np.uint8),
        start=offsets,
        captured=captured,
        length=length,
        interfaces=(Interface(_AIX_LINK_TYPES[network] if aix else network, snap_length),),
        problems=problems,
    )


class Layout(Struct, frozen=True):
    """Where in a file its records are and what a record's header is like."""

    order: str
    first: int  # offset of the first record
    header: int  # octets
    field: int  # where in a header the captured length stands
    limit: int  # octets that a frame may have


def _layouts(usual: Layout, variant: Variant, minor: int) -> Iterator[Layout]:
    for header in variant.headers:
        yield replace(usual, header=header)
        if minor == 3:  # some wrote the lengths as before
            yield replace(usual, header=header, field=12)


def _fits(octets: memoryview, layout: Layout) -> bool:
    """Whether the first records make sense with headers of this size."""
    at = layout.first
    for _ in range(_LOOKED_AT):
        if at + layout.header > len(octets):
            return at == len(octets)
        fraction, captured, length = struct.unpack_from(layout.order + "4xIII", octets, at)
        if layout.field == 12:
            captured, length = length, captured
        if captured > min(length, layout.limit) or fraction >= SECOND:
            return False
        at += layout.header + captured
    return at <= len(octets)


def _walk(octets: memoryview, layout: Layout) -> NDArray[np.int64]:
    """Follow the chain of records; the last offset is where it ends."""
    return joined(octets, _followed(octets, layout), np.int64)


def _followed(octets: memoryview, layout: Layout) -> Iterator[NDArray[np.int64]]:
    """The offsets part by part.

    Most of a large file is followed at many places at once; its last records, and what comes after
    a record that cannot be, one by one, without a look at whether it makes sense: see `_trusted`.
    """
    at = layout.first
    for part in _many(octets, layout):
        at = int(part[-1])
        yield part[:-1]
    captured_at = struct.Struct(layout.order + "I").unpack_from
    lengths, header = octets[layout.field :], layout.header
    offsets, left, window = array("q"), at, window_of(octets)
    with suppress(struct.error):  # the end of the file
        while True:
            (captured,) = captured_at(lengths, at)
            offsets.append(at)
            at += header + captured
            if at - left > window:
                yield np.frombuffer(offsets, np.int64)
                release_if_large(octets, left, min(at, len(octets)))
                offsets, left = array("q"), at
    offsets.append(at)
    yield np.frombuffer(offsets, np.int64)


def _many(octets: memoryview, layout: Layout) -> Iterator[NDArray[np.int64]]:
    """The offsets of the records as far as they can be found fast: see `Chain.follow`."""
    header, field, limit = layout.header, layout.field, layout.limit
    stop = len(octets) - header - limit  # a record that can be, begun before it, is all there
    if stop < SMALL:
        return
    seconds, captured, length = (
        _words(octets, place, layout.order) for place in (0, field, 20 - field)
    )
    earliest = seconds(np.array([layout.first])) - np.uint32(NEAR)  # modulo 2^32
    # Of most offsets the highest octet of the time tells that it is none.
    highest = np.frombuffer(octets, np.uint8)[3 if layout.order == "<" else 0 :]
    lowest, latest = ((earliest + np.uint32(late)) >> 24 for late in (0, 2 * NEAR))
    lowest, span = lowest.astype(np.uint8), (latest - lowest).astype(np.uint8)

    def likely(at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The time is near the first one, and not more was captured than there was."""
        near: NDArray[np.bool_] = highest[at] - lowest <= span
        rows = np.flatnonzero(near)
        there = captured(at[rows])
        near[rows] = (seconds(at[rows]) - earliest <= 2 * NEAR) & (there <= length(at[rows]))
        near[rows] &= there <= limit
        return near

    def sizes(at: NDArray[np.int64]) -> NDArray[np.int64]:
        return captured(at) + np.int64(header)

    leave = partial(release_if_large, octets)
    chain = Chain(sizes, likely, leave=leave, largest=window_of(octets))
    yield from chain.parts(layout.first, stop)


def _words(
    octets: memoryview, place: int, order: str
) -> Callable[[NDArray[np.int64]], NDArray[np.uint32]]:
    """Fetches the words of 32 bits that stand so many octets after some offsets.

    Octet by octet: what does not lie at multiples of four NumPy fetches in a roundabout way.
    """
    octet, size = np.frombuffer(octets, np.uint8)[place:], len(octets) - place - 3
    columns = [octet[nth : nth + size] for nth in range(4)]

    def words(at: NDArray[np.int64]) -> NDArray[np.uint32]:
        found = np.empty((len(at), 4), np.uint8)
        for nth, column in enumerate(columns):
            found[:, nth] = column[at]
        return found.view(order + "u4")[:, 0]

    return words


def _trusted(
    octets: memoryview, offsets: NDArray[np.int64], layout: Layout
) -> tuple[NDArray[np.int64], tuple[Problem, ...]]:
    """Keep the records before the first that cannot be; the last offset is the walk's end."""
    header, limit, size = layout.header, layout.limit, len(octets)
    for some in blocks(offsets[1:], TOGETHER):
        begins, ends = offsets[:-1][some], offsets[1:][some]
        wrong = np.flatnonzero((ends - begins > limit + header) | (ends > size))
        if len(wrong):
            at, captured = int(begins[wrong[0]]), int(ends[wrong[0]] - begins[wrong[0]]) - header
            good = offsets[: some.start + int(wrong[0])]
            return good, (_overrun(at, captured, limit, header, size),)
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
    octets: memoryview, offsets: NDArray[np.int64], layout: Layout, tick: int, each: Each
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """What the record headers say: time (ns), captured length, length on the wire.

    The offsets become those of the frames.
    """
    count = len(offsets)
    time = zeros(octets, count, np.int64)
    captured, length = (zeros(octets, count, np.int32) for _ in range(2))
    if not count:
        return time, captured, length
    windows: NDArray[np.void] = np.ndarray((len(octets) - 15,), "V16", octets, strides=(1,))
    trail = Trail(octets, told=partial(tell, each, Stage.RECORDED))
    together = frames_of(octets, count, TOGETHER)
    places = (2, 3) if layout.field == 8 else (3, 2)  # the two lengths changed them in version 2.3

    def fill(begin: int) -> None:
        at = slice(begin, begin + together)
        headers = windows[offsets[at]].view(layout.order + "u4").reshape(-1, 4)
        np.multiply(headers[:, 0], SECOND, out=time[at], dtype=np.int64)
        time[at] += headers[:, 1] * np.int64(tick)
        captured[at] = headers[:, places[0]]
        length[at] = clip_length(headers[:, places[1]])
        offsets[at] += layout.header
        trail.reached(int(offsets[begin]), int(offsets[at][-1]))

    deque(each(fill, range(0, count, together)), maxlen=0)
    return time, captured, length
