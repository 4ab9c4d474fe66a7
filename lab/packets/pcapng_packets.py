"""The packet blocks of a pcapng file, all at once, as records."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.packets.each import Each, Stage, one_by_one, tell
from lab.packets.frames import Interface, Problem
from lab.packets.pages import Trail, frames_of
from lab.packets.pcapng import Found, walk
from lab.packets.pcapng_codes import OLD_PACKET, SIMPLE_PACKET
from lab.packets.pcapng_options import nanoseconds, packet_options
from lab.packets.records import Records, clip_length, impossible, no_records
from lab.packets.scratch import zeros

TOGETHER = 1 << 16  # headers that are read at once
_LITTLE = sys.byteorder == "little"


def read_pcapng(octets: memoryview, each: Each = one_by_one) -> Records:
    """Find the records of a pcapng file; never raises, whatever follows the first block type."""
    found = walk(octets)
    records = _gather(octets, found, each) if found.packets else _none(found)
    skipped = tuple(found.skipped.values())
    return replace(records, skipped=skipped, tls_sessions=len(found.sessions))


def _none(found: Found) -> Records:
    return no_records("pcapng", found.interfaces, found.problem)


class _Blocks(Struct):
    """The headers of some packet blocks; positions are word indices."""

    big: NDArray[np.bool_]  # the section is big-endian
    foreign: NDArray[np.bool_]  # the section's byte order is not this machine's
    interface: NDArray[np.int64]  # counted over the whole file
    known: NDArray[np.bool_]  # that interface was described in the block's own section
    time: NDArray[np.uint64]  # ticks
    captured: NDArray[np.int64]
    length: NDArray[np.uint32]
    room: NDArray[np.int64]  # octets the block has for the frame
    data: NDArray[np.int64]
    end: NDArray[np.int64]  # of the options
    closed: NDArray[np.bool_]  # the length is repeated at the end
    simple: NDArray[np.bool_]  # a simple packet block: neither time nor options


class _Columns(Struct, frozen=True):
    """The columns of `Records` while they are being filled."""

    time: NDArray[np.int64]
    interface: NDArray[np.int32]
    direction: NDArray[np.uint8]
    start: NDArray[np.int64]
    captured: NDArray[np.int32]
    length: NDArray[np.int32]


def _columns(octets: memoryview, count: int) -> _Columns:
    kinds = (np.int64, np.int32, np.uint8, np.int64, np.int32, np.int32)
    return _Columns(*(zeros(octets, count, kind) for kind in kinds))


class _Read(Struct, frozen=True):
    """What came of some packet blocks, besides columns."""

    good: int  # how many there are before the first that cannot be
    problem: Problem | None  # with that
    comments: list[tuple[int, str]]


def _gather(octets: memoryview, found: Found, each: Each) -> Records:
    """Turn the packet blocks into records, up to the first that cannot be."""
    columns = _columns(octets, len(found.packets))
    trail = Trail(octets, told=partial(tell, each, Stage.RECORDED))
    together = frames_of(octets, len(found.packets), TOGETHER)
    begins = range(0, len(found.packets), together)
    count, problem, comments = len(found.packets), found.problem, list[tuple[int, str]]()
    reads = each(partial(_fill, octets, found, columns, trail, together), begins)
    for begin, read in zip(begins, reads, strict=True):
        comments += read.comments
        if read.problem:
            count, problem = begin + read.good, read.problem
            break
    if not count:
        return _none(replace(found, problem=problem))
    return Records(
        file_format="pcapng",
        interfaces=tuple(found.interfaces),
        comments=tuple(comments),
        problems=(problem,) if problem else (),
        **{name: getattr(columns, name)[:count] for name in columns.__struct_fields__},
    )


def _fill(
    octets: memoryview, found: Found, columns: _Columns, trail: Trail, together: int, begin: int
) -> _Read:
    """Read some packet blocks, up to the first that cannot be."""
    words = np.frombuffer(octets, np.uint32, len(octets) // 4)
    numbers = np.arange(begin, min(begin + together, len(found.packets)))
    offsets = np.frombuffer(found.packets, np.int64)[numbers[0] : numbers[-1] + 1]
    blocks = _headers(octets, words, found, numbers, offsets >> 2)
    bad = np.flatnonzero((blocks.captured > blocks.room) | ~blocks.known | ~blocks.closed)
    count = int(bad[0]) if len(bad) else len(numbers)
    problem = _bad_packet(int(offsets[count]), blocks, count) if len(bad) else None
    options = blocks.data + (blocks.captured + 3) // 4
    options = np.where(blocks.simple, blocks.end, options)[:count]
    direction, comments = packet_options(
        octets, words, options, blocks.end[:count], blocks.big[:count], blocks.foreign[:count]
    )
    at, interface = slice(begin, begin + count), blocks.interface[:count].astype(np.int32)
    time = nanoseconds(blocks.time[:count], interface, found.clocks)
    columns.time[at] = np.where(blocks.simple[:count], 0, time)
    columns.interface[at], columns.direction[at] = interface, direction
    columns.start[at], columns.captured[at] = 4 * blocks.data[:count], blocks.captured[:count]
    columns.length[at] = clip_length(blocks.length[:count])
    trail.reached(int(offsets[0]), int(offsets[-1]))
    return _Read(count, problem, [(number + begin, said) for number, said in comments])


def _words(
    octets: memoryview, words: NDArray[np.uint32], at: NDArray[np.int64], count: int
) -> NDArray[np.uint32]:
    """Some words from each of these places on, those of a place in a column; (count, places).

    Beyond the end of the file, its last word is repeated: a block may be shorter.
    """
    last = len(words) - count
    windows: NDArray[np.void] = np.ndarray((last + 1,), f"V{4 * count}", octets, strides=(4,))
    inside = windows[np.minimum(at, last)].view(np.uint32).reshape(-1, count)
    found = np.ascontiguousarray(inside.T)
    late = np.flatnonzero(at > last)
    for i in range(count):
        found[i, late] = words[np.minimum(at[late] + i, len(words) - 1)]
    return found


def _headers(
    octets: memoryview,
    words: NDArray[np.uint32],
    found: Found,
    numbers: NDArray[np.int64],
    at: NDArray[np.int64],
) -> _Blocks:
    """The headers of the packet blocks with these numbers, which begin at these words."""
    first = np.array([section.packets for section in found.sections])
    section = np.searchsorted(first, numbers, side="right") - 1
    big = np.array([each.order == ">" for each in found.sections])[section]
    foreign = big if _LITTLE else ~big
    base = np.array([each.interfaces for each in found.sections] + [len(found.interfaces)])

    def read(index: NDArray[np.int64], count: int) -> NDArray[np.uint32]:
        values = _words(octets, words, index, count)
        return np.where(foreign, values.byteswap(), values) if foreign.any() else values

    kind, block, number, high, low, captured, length = read(at, 7)
    second = number
    if (old := kind == OLD_PACKET).any():  # its interface number is 16 bits wide
        half = np.where(big, number >> np.uint32(16), number & np.uint32(0xFFFF))
        number = np.where(old, half, number)
    interface = number.astype(np.int64) + base[section]
    blocks = _Blocks(
        big=big,
        foreign=foreign,
        interface=interface,
        known=interface < base[section + 1],
        time=high.astype(np.uint64) << np.uint64(32) | low.astype(np.uint64),
        captured=captured.astype(np.int64),
        length=length,
        room=block.astype(np.int64) - 32,
        data=at + 7,
        end=(end := at + (block >> np.uint32(2)) - 1),
        closed=read(end, 1)[0] == block,
        simple=kind == SIMPLE_PACKET,
    )
    if (simple := np.flatnonzero(kind == SIMPLE_PACKET)).size:
        _simplify(blocks, simple, second, base[section], found.interfaces)
    return blocks


def _simplify(
    blocks: _Blocks,
    rows: NDArray[np.int64],
    length: NDArray[np.uint32],
    base: NDArray[np.int64],
    interfaces: list[Interface],
) -> None:
    """Simple packet blocks: the section's first interface, no time, no captured length."""
    snaps = np.array([each.snap_length or 2**32 for each in interfaces] + [2**32])
    blocks.interface[rows] = base[rows]
    blocks.known[rows] = blocks.interface[rows] < len(interfaces)
    blocks.length[rows] = length[rows]
    blocks.room[rows] += 16
    blocks.data[rows] -= 4
    kept = np.minimum(length[rows].astype(np.int64), snaps[blocks.interface[rows]])
    blocks.captured[rows] = np.minimum(kept, blocks.room[rows])


def _bad_packet(offset: int, blocks: _Blocks, row: int) -> Problem:
    if not blocks.closed[row]:
        return impossible(
            offset,
            "the block does not repeat its length at its end",
            "该块末尾没有重复其长度",
        )
    if not blocks.known[row]:
        return impossible(
            offset,
            "the packet names an interface that the section does not describe",
            "该数据包所属的接口在本节中没有描述",
        )
    return impossible(
        offset,
        "the block has room for {room} octets, but claims {captured} of a frame",
        "该块只容得下 {room} 字节，却声称含有一帧的 {captured} 字节",
        room=int(blocks.room[row]),
        captured=int(blocks.captured[row]),
    )
