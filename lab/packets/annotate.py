"""Add to a recorded pcapng what the analysis found: comments, names, counters."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from mmap import mmap

from msgspec import Struct, field

from lab.packets.frames import Interface
from lab.packets.pcapng import HEADS, section_order, whole_block
from lab.packets.pcapng_codes import (
    ENHANCED_PACKET,
    INTERFACE_DESCRIPTION,
    OLD_PACKET,
    SECTION_HEADER,
    SIMPLE_PACKET,
)
from lab.packets.pcapng_writer import interface_statistics, name_resolution, with_comments

_RUN = 1 << 20
"""Octets that are copied at once, at most (unless one block is longer)."""


class _Position(Struct):
    """Where the copying is."""

    order: str = "<"
    frames: int = 0
    latest: dict[int, int] = field(default_factory=dict)  # interface -> ticks of its last frame


def annotate(
    octets: bytes | memoryview | mmap,
    comments: Mapping[int, Sequence[str]],
    names: Mapping[str, str],
    statistics: Sequence[Interface],
) -> Iterator[bytes]:
    """Copy a pcapng file piece by piece, adding to it; every piece is whole blocks.

    ``comments`` go to the frames with these numbers (simple packet blocks hold none), ``names``
    into a name resolution block after the interface descriptions, and the counters of
    ``statistics`` (entry i: interface i of the last section) to the end. Copying stops at the
    first block that is not whole; what came before is a good file.
    """
    view, position, pending = memoryview(octets).cast("B"), _Position(), dict(names)
    copied = described = 0
    end = 0
    for at, end, kind in _blocks(view, position):
        described += kind == INTERFACE_DESCRIPTION
        if pending and described and kind not in {SECTION_HEADER, INTERFACE_DESCRIPTION}:
            yield bytes(view[copied:at]) + name_resolution(pending, position.order)
            copied, pending = at, {}
        wanted = comments.get(position.frames) if kind in {ENHANCED_PACKET, OLD_PACKET} else None
        if wanted:
            yield bytes(view[copied:at]) + with_comments(view[at:end], wanted, position.order)
            copied = end
        elif end - copied >= _RUN:
            yield bytes(view[copied:end])
            copied = end
    rest = name_resolution(pending, position.order) if pending and described else b""
    yield bytes(view[copied:end]) + rest + _statistics(statistics, position)


def _blocks(view: memoryview, position: _Position) -> Iterator[tuple[int, int, int]]:
    """Yield (begin, end, kind) of each whole block, keeping order and frame number up to date."""
    at, head = 0, HEADS["<"]
    while at + 12 <= len(view):
        kind, length = head(view, at)
        if kind == SECTION_HEADER:  # reads the same in either order
            if (order := section_order(view, at)) is None:
                return
            position.order, head = order, HEADS[order]
            position.latest.clear()
            kind, length = head(view, at)
        if not whole_block(view, at, kind, length, head):
            return
        if kind in {ENHANCED_PACKET, OLD_PACKET} and not _note(view, at, kind, length, position):
            return
        position.frames += kind in {ENHANCED_PACKET, OLD_PACKET, SIMPLE_PACKET}
        yield at, at + length, kind
        at += length


def _note(view: memoryview, at: int, kind: int, length: int, position: _Position) -> bool:
    """Note the time of a packet block; False if the block has no room for its frame."""
    interface, high, low, captured = struct.unpack_from(position.order + "IIII", view, at + 8)
    if kind == ENHANCED_PACKET:
        position.latest[interface] = high << 32 | low
    return bool(captured <= length - 32)


def _statistics(statistics: Sequence[Interface], position: _Position) -> bytes:
    return b"".join(
        interface_statistics(
            number,
            position.latest.get(number, 0),
            received=interface.received,
            dropped=interface.dropped,
            order=position.order,
        )
        for number, interface in enumerate(statistics)
        if interface.received is not None or interface.dropped is not None
    )
