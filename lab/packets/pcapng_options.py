"""The options of pcapng blocks: names, clocks and counters of interfaces, comments, directions."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.packets.frames import Interface
from lab.packets.pcapng_codes import (
    COMMENT,
    END,
    EPB_FLAGS,
    IF_DESCRIPTION,
    IF_NAME,
    IF_TSOFFSET,
    IF_TSRESOL,
    ISB_IFDROP,
    ISB_IFRECV,
)
from lab.packets.records import SECOND

MICROSECONDS = 6
"""if_tsresol where the option is missing: ticks of 10^-6 s."""

_DEEPEST = 64
"""Options looked at in one packet block; more are left unread."""


class Clock(Struct, frozen=True):
    """How an interface counts time: if_tsresol as it stands in the file, if_tsoffset in s."""

    resolution: int = MICROSECONDS
    offset: int = 0


def options_of(order: str, octets: memoryview) -> Iterator[tuple[int, bytes]]:
    """Yield (code, value) until the end marker, the end of the octets, or a length beyond it."""
    at = 0
    while at + 4 <= len(octets):
        code, length = struct.unpack_from(order + "HH", octets, at)
        if code == END or at + 4 + length > len(octets):
            return
        yield code, bytes(octets[at + 4 : at + 4 + length])
        at += 4 + (length + 3) // 4 * 4


def interface_of(order: str, body: memoryview) -> tuple[Interface, Clock]:
    """Read the body of an interface description block (at least 8 octets)."""
    link_type, snap_length = struct.unpack_from(order + "HxxI", body)
    values = dict(options_of(order, body[8:]))
    resolution, offset = values.get(IF_TSRESOL, b""), values.get(IF_TSOFFSET, b"")
    clock = Clock(
        resolution[0] if len(resolution) == 1 else MICROSECONDS,
        struct.unpack(order + "q", offset)[0] if len(offset) == 8 else 0,
    )
    name, description = _words(values.get(IF_NAME)), _words(values.get(IF_DESCRIPTION))
    return Interface(link_type, snap_length, name, description), clock


def with_statistics(interface: Interface, order: str, body: memoryview) -> Interface:
    """Add the counters of an interface statistics block (its body: at least 12 octets)."""
    for code, value in options_of(order, body[12:]):
        if code in {ISB_IFRECV, ISB_IFDROP} and len(value) == 8:
            (count,) = struct.unpack(order + "Q", value)
            if code == ISB_IFRECV:
                interface = replace(interface, received=count)
            else:
                interface = replace(interface, dropped=count)
    return interface


def _words(value: bytes | None) -> str:
    return (value or b"").rstrip(b"\0").decode(errors="replace")


# ------------------------------------------------------------------ all packets at once


def nanoseconds(
    ticks: NDArray[np.uint64], interface: NDArray[np.int32], clocks: list[Clock]
) -> NDArray[np.int64]:
    """Turn ticks into ns since 1970-01-01 UTC; times beyond int64 stop at its ends."""
    resolution = np.array([clock.resolution for clock in clocks], np.uint8)[interface]
    offset = np.array([_clip(clock.offset) for clock in clocks], np.int64)[interface]
    time = np.zeros(len(ticks), np.int64)
    for code in {clock.resolution for clock in clocks}:
        rows = resolution == code
        time[rows] = _scale(ticks[rows], code)
    largest = np.int64(2**63 - 1)
    ceiling = largest - np.maximum(offset, 0)
    return np.minimum(time, ceiling) + offset


def _clip(seconds: int) -> int:
    limit = (2**63 - 1) // SECOND
    return min(max(seconds, -limit), limit) * SECOND


def _scale(ticks: NDArray[np.uint64], code: int) -> NDArray[np.int64]:
    """Ticks of 10^-code s, or of 2^-(code & 0x7f) s where the top bit is set, in ns."""
    exponent = code & 0x7F
    if not code & 0x80:
        if exponent <= 9:
            return _times(ticks, 10 ** (9 - exponent))
        return _over(ticks, 10 ** (exponent - 9)).astype(np.int64)
    if exponent >= 64:
        return np.zeros(len(ticks), np.int64)
    whole, part = ticks >> np.uint64(exponent), ticks & np.uint64(2**exponent - 1)
    kept = min(exponent, 32)  # so that the product below fits in 64 bits
    part = (part >> np.uint64(exponent - kept)) * np.uint64(SECOND) >> np.uint64(kept)
    return np.minimum(_times(whole, SECOND), 2**63 - 1 - SECOND) + part.astype(np.int64)


def _times(ticks: NDArray[np.uint64], factor: int) -> NDArray[np.int64]:
    scaled = np.minimum(ticks, np.uint64((2**63 - 1) // factor)) * np.uint64(factor)
    return scaled.astype(np.int64)


def _over(ticks: NDArray[np.uint64], divisor: int) -> NDArray[np.uint64]:
    return ticks // np.uint64(divisor) if divisor < 2**64 else np.zeros_like(ticks)


def packet_options(
    octets: memoryview,
    words: NDArray[np.uint32],
    at: NDArray[np.int64],
    end: NDArray[np.int64],
    big: NDArray[np.bool_],
    foreign: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], list[tuple[int, str]]]:
    """Read the options of all enhanced packet blocks: (directions, [(frame number, comment)]).

    ``at`` and ``end`` are word indices: where the options begin, and one past where they may end.
    ``foreign``: this machine reads the words of that block back to front.
    """
    direction = np.zeros(len(at), np.uint8)
    comments: list[tuple[int, str]] = []
    rows = np.flatnonzero(at < end)
    at = at[rows]
    for _ in range(_DEEPEST):
        head = _word(words, at, foreign[rows])
        first, second = head >> np.uint32(16), head & np.uint32(0xFFFF)
        code = np.where(big[rows], first, second)
        length = np.where(big[rows], second, first).astype(np.int64)
        after = at + 1 + (length + 3) // 4
        good = (code != END) & (after <= end[rows])
        rows, at, code, length, after = (column[good] for column in (rows, at, code, length, after))
        if not len(rows):
            break
        flags = (code == EPB_FLAGS) & (length == 4)
        direction[rows[flags]] = _word(words, at[flags] + 1, foreign[rows[flags]]) & np.uint32(3)
        for i in np.flatnonzero(code == COMMENT):
            value = octets[4 * int(at[i]) + 4 :][: int(length[i])]
            comments.append((int(rows[i]) + 1, _words(bytes(value))))
        more = after < end[rows]
        rows, at = rows[more], after[more]
    comments.sort(key=lambda comment: comment[0])
    return np.where(direction == 3, 0, direction).astype(np.uint8), comments


def _word(
    words: NDArray[np.uint32], at: NDArray[np.int64], foreign: NDArray[np.bool_]
) -> NDArray[np.uint32]:
    value = words[at]
    return np.where(foreign, value.byteswap(), value) if foreign.any() else value
