"""The packet blocks of a pcapng file, all at once, as records."""

from __future__ import annotations

import sys
from collections import deque
from functools import partial

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.packets.each import Each, Stage, one_by_one, tell
from lab.packets.frames import Interface, Problem
from lab.packets.pages import Trail
from lab.packets.pcapng import Found, walk
from lab.packets.pcapng_codes import OLD_PACKET, SIMPLE_PACKET
from lab.packets.pcapng_options import nanoseconds, packet_options
from lab.packets.records import Records, clip_length, impossible, no_records

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
    """The headers of all packet blocks; positions are word indices."""

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


def _gather(octets: memoryview, found: Found, each: Each) -> Records:
    """Turn the packet blocks into records, up to the first that cannot be."""
    words = np.frombuffer(octets, np.uint32, len(octets) // 4)
    blocks = _headers(octets, words, found, each)
    problem = found.problem
    bad = np.flatnonzero((blocks.captured > blocks.room) | ~blocks.known | ~blocks.closed)
    count = int(bad[0]) if len(bad) else len(blocks.room)
    if len(bad):
        problem = _bad_packet(found.packets[count], blocks, count)
    if not count:
        return _none(replace(found, problem=problem))
    options = blocks.data + (blocks.captured + 3) // 4
    options = np.where(blocks.simple, blocks.end, options)[:count]
    direction, comments = packet_options(
        octets, words, options, blocks.end[:count], blocks.big[:count], blocks.foreign[:count]
    )
    interface = blocks.interface[:count].astype(np.int32)
    time = nanoseconds(blocks.time[:count], interface, found.clocks)
    return Records(
        file_format="pcapng",
        time=np.where(blocks.simple[:count], 0, time),
        interface=interface,
        direction=direction,
        start=4 * blocks.data[:count],
        captured=blocks.captured[:count].astype(np.int32),
        length=clip_length(blocks.length[:count]),
        interfaces=tuple(found.interfaces),
        comments=tuple(comments),
        problems=(problem,) if problem else (),
    )


def _words(
    octets: memoryview, words: NDArray[np.uint32], at: NDArray[np.int64], count: int, each: Each
) -> NDArray[np.uint32]:
    """Some words from each of these places on, those of a place in a column; (count, places).

    Beyond the end of the file, its last word is repeated: a block may be shorter.
    """
    found, last = np.empty((count, len(at)), np.uint32), len(words) - count
    trail = Trail(octets, told=partial(tell, each, Stage.RECORDED))
    windows: NDArray[np.void] = np.ndarray((last + 1,), f"V{4 * count}", octets, strides=(4,))

    def fill(begin: int) -> None:
        some = slice(begin, begin + TOGETHER)
        inside = np.minimum(at[some], last)
        found[:, some] = windows[inside].view(np.uint32).reshape(-1, count).T
        trail.reached(4 * int(inside[0]))

    deque(each(fill, range(0, len(at), TOGETHER)), maxlen=0)
    late = np.flatnonzero(at > last)
    for i in range(count):
        found[i, late] = words[np.minimum(at[late] + i, len(words) - 1)]
    return found


def _headers(octets: memoryview, words: NDArray[np.uint32], found: Found, each: Each) -> _Blocks:
    at = np.frombuffer(found.packets, np.int64) >> 2
    first = np.array([section.packets for section in found.sections])
    section = np.searchsorted(first, np.arange(len(at)), side="right") - 1
    big = np.array([each.order == ">" for each in found.sections])[section]
    foreign = big if _LITTLE else ~big
    base = np.array([each.interfaces for each in found.sections] + [len(found.interfaces)])

    def read(index: NDArray[np.int64], count: int) -> NDArray[np.uint32]:
        values = _words(octets, words, index, count, each)
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
