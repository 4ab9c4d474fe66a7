"""The pcapng file format (draft-ietf-opsawg-pcapng): its blocks, and the walk over them."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from lab.packets.chains import WINDOW
from lab.packets.key_log import tls_sessions
from lab.packets.kinds import Interface, Problem, Skipped
from lab.packets.pcapng_codes import (
    BYTE_ORDER_MAGIC,
    DECRYPTION_SECRETS,
    ENHANCED_PACKET,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
    NAME_RESOLUTION,
    OLD_PACKET,
    SECTION_HEADER,
    SIMPLE_PACKET,
)
from lab.packets.pcapng_options import Clock, interface_of, with_statistics
from lab.packets.pcapng_runs import enhanced_run
from lab.packets.records import impossible, truncated

_PACKETS = frozenset({OLD_PACKET, SIMPLE_PACKET, ENHANCED_PACKET})
_SMALLEST = {
    SECTION_HEADER: 28,
    INTERFACE_DESCRIPTION: 20,
    OLD_PACKET: 32,
    SIMPLE_PACKET: 16,
    INTERFACE_STATISTICS: 24,
    ENHANCED_PACKET: 32,
}
SMALL = 1 << 20
"""Octets: files below are followed one block after another."""

_LARGEST = 16 * 1024 * 1024
"""A block that claims more and runs beyond the file is damage, not a cut (Wireshark's limit)."""

Head = Callable[[memoryview, int], tuple[int, int]]
HEADS: dict[str, Head] = {order: struct.Struct(order + "II").unpack_from for order in "<>"}
"""Read type and length of a block, by byte order."""


class Section(NamedTuple):
    """Where a section begins among the packets and interfaces of the file."""

    order: str
    packets: int  # how many packets the sections before it hold
    interfaces: int  # how many interfaces the sections before it hold


class Found(Struct):
    """What the walk collects, before any packet block is read."""

    packets: array[int] = field(default_factory=lambda: array("q"))  # offset of each block
    sections: list[Section] = field(default_factory=list)
    interfaces: list[Interface] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    skipped: dict[int, Skipped] = field(default_factory=dict)  # by type of block
    sessions: set[bytes] = field(default_factory=set)  # of TLS, whose secrets are there
    problem: Problem | None = None

    def open_section(self, order: str) -> None:
        """Count packets and interfaces of a new section from here."""
        self.sections.append(Section(order, len(self.packets), len(self.interfaces)))

    def describe(self, kind: int, body: memoryview, offset: int) -> None:
        """Take in what a block says of an interface; other blocks are skipped and counted."""
        section = self.sections[-1]
        if kind == INTERFACE_DESCRIPTION:
            interface, clock = interface_of(section.order, body)
            self.interfaces.append(interface)
            self.clocks.append(clock)
        elif kind == INTERFACE_STATISTICS:
            number = struct.unpack_from(section.order + "I", body)[0] + section.interfaces
            if number < len(self.interfaces):
                before = self.interfaces[number]
                self.interfaces[number] = with_statistics(before, section.order, body)
        elif kind not in {SECTION_HEADER, NAME_RESOLUTION}:
            known = self.skipped.get(kind, Skipped(kind, 0, offset))
            self.skipped[kind] = replace(known, count=known.count + 1)
            if kind == DECRYPTION_SECRETS:
                self.sessions |= tls_sessions(section.order, body)


def walk(octets: memoryview) -> Found:
    """Follow the chain of blocks.

    Long runs of packet blocks are followed at many places at once, the rest one by one, in a bare
    loop: that a packet block ends inside the file is known of all but the last one, and the
    length repeated at its end is compared later.
    """
    found = Found()
    at, size, append = 0, len(octets), found.packets.append
    head, leap = HEADS["<"], 0 if len(octets) > SMALL else len(octets)
    while at + 12 <= size:
        kind, length = head(octets, at)
        if kind == ENHANCED_PACKET and length >= 32 and not length & 3:
            if at >= leap:
                run = enhanced_run(octets, at, found.sections[-1].order)
                found.packets.frombytes(run[:-1].tobytes())
                at = int(run[-1])
                leap = at + WINDOW  # it ended for a reason: a while one by one
                continue
            append(at)
            at += length
            continue
        if kind == SECTION_HEADER:
            if (order := section_order(octets, at)) is None:
                found.problem = _no_section(octets, at)
                return found
            found.open_section(order)
            head = HEADS[order]
            kind, length = head(octets, at)
        if not whole_block(octets, at, kind, length, head):
            found.problem = _bad_block(at, length, size)
            return found
        if kind in _PACKETS:
            append(at)
        else:
            found.describe(kind, octets[at + 8 : at + length - 4], at)
        at += length
    if at > size:
        start = found.packets.pop()
        found.problem = _bad_block(start, at - start, size)
    elif at < size:
        found.problem = truncated(at, 12, size - at)
    return found


def whole_block(octets: memoryview, at: int, kind: int, length: int, head: Head) -> bool:
    """Whether a block has a length that can be, lies inside the file and repeats its length."""
    end = at + length
    if length & 3 or length < _SMALLEST.get(kind, 12) or end > len(octets):
        return False
    return head(octets, end - 8)[1] == length


def section_order(octets: memoryview, at: int) -> str | None:
    """Return the byte order of the section header at ``at``; None if it cannot be read.

    It must hold the byte-order magic and be of major version 1: others may mean anything.
    """
    for order in "<>":
        if len(octets) < at + 16:
            break
        if struct.unpack_from(order + "IH", octets, at + 8) == (BYTE_ORDER_MAGIC, 1):
            return order
    return None


def _no_section(octets: memoryview, offset: int) -> Problem:
    if len(octets) < offset + 16:
        return truncated(offset, _SMALLEST[SECTION_HEADER], len(octets) - offset)
    return impossible(
        offset,
        "a section header that is not of version 1, or without the byte-order magic 1a2b3c4d",
        "节头块的版本不是 1，或没有字节序标记 1a2b3c4d",
    )


def _bad_block(offset: int, length: int, size: int) -> Problem:
    if size < offset + length <= offset + _LARGEST:
        return truncated(offset, length, size - offset)
    return impossible(
        offset,
        "the block claims a length of {length} octet[|s], which cannot be",
        "该块声称长度为 {length} 字节，这不可能",
        length=length,
    )
