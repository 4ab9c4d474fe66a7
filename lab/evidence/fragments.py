"""The fragments of a capture, put together by packet (RFC 791 section 3.2, RFC 8200 section 4.5)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from msgspec import Struct, field

from lab.packets.frames import Frames

MORE, OFFSET = 0x2000, 0x1FFF
FRAGMENT_HEADER, STEPPED_OVER = 44, (0, 43, 60)
TOO_LATE = 60_000_000_000
"""ns after which no fragment joins the others (RFC 8200: 60 s; RFC 1122: 60 to 120 s)."""
AT_MOST = 100_000
"""Fragments that are looked at."""
PATIENCE = 16
"""How often a packet of overlapping fragments is looked through."""

Name = tuple[bytes, object]


class Fragment(Struct, frozen=True):
    """One fragment, and which octets of the packet's payload it carries."""

    row: int
    at: int  # offset in the file of its first octet
    begin: int
    end: int
    more: bool  # it is not the last
    held: int  # octets captured


class Packet(Struct):
    """The different fragments of one packet, in capture order; copies of one are left out."""

    parts: list[Fragment] = field(default_factory=list)
    by_range: dict[tuple[int, int], Fragment] = field(default_factory=dict)
    octets: int = 0  # in all parts; more than the packet has if they overlap
    length: int = 0  # of the packet; 0 until its last fragment came
    looks: int = 0

    def add(self, part: Fragment) -> None:
        """Take in one fragment."""
        self.parts.append(part)
        self.by_range.setdefault((part.begin, part.end), part)
        self.octets += part.end - part.begin
        self.length = self.length if part.more else part.end

    @property
    def open_ended(self) -> bool:
        """Whether its last fragment, which alone tells its length, never came."""
        return all(part.more for part in self.parts)

    def whole(self) -> bool:
        """Whether nothing is missing; no longer looked at if asked in vain too often."""
        if not 0 < self.length <= self.octets or self.looks >= PATIENCE:
            return False
        self.looks += 1
        return not self.missing()

    def missing(self) -> int:
        """Octets that no fragment brought; the size of what would follow the last is unknown: 1."""
        reached = lacking = 0
        for part in sorted(self.parts, key=lambda part: part.begin):
            lacking += max(part.begin - reached, 0)
            reached = max(reached, part.end)
        return lacking + self.open_ended

    def overlapping(self) -> tuple[Fragment, Fragment] | None:
        """Two fragments that carry the same octets of the packet."""
        ordered = sorted(self.parts, key=lambda part: (part.begin, part.row))
        for one, other in pairwise(ordered):
            if other.begin < min(one.end, other.end):
                return one, other
        return None


def packets(frames: Frames) -> list[Packet]:
    """The fragmented packets of a capture; a name that is used again is another packet's."""
    found: list[Packet] = []
    latest: dict[Name, Packet] = {}
    for name, one in _fragments(frames):
        known = latest.get(name)
        if known is not None and _has_copy(frames, known, one):
            continue
        if known is None or _late(frames, known, one) or known.whole():
            known = latest[name] = Packet()
            found.append(known)
        known.add(one)
    return found


def _late(frames: Frames, known: Packet, one: Fragment) -> bool:
    return bool(frames.time[one.row] - frames.time[known.parts[-1].row] > TOO_LATE)


def _has_copy(frames: Frames, known: Packet, one: Fragment) -> bool:
    """Whether the same octets came before: duplicated on the way, or captured twice."""
    other = known.by_range.get((one.begin, one.end))
    if other is None:
        return False
    held = min(one.held, other.held)
    mine, theirs = (frames.octets[at : at + held] for at in (one.at, other.at))
    return np.array_equal(mine, theirs)


def _fragments(frames: Frames) -> Iterator[tuple[Name, Fragment]]:
    rows = frames.fragments[:AT_MOST]
    for row in rows[frames.network[rows] >= 0].tolist():
        at = int(frames.network[row])
        stop = int(frames.start[row] + frames.captured[row])
        header = frames.octets[at : min(at + 512, stop)].tobytes()
        read = {4: _four, 6: _six}.get(int(frames.ip_version[row]))
        if read is not None and (told := read(header)) is not None:
            identification, skip, begin, size, more = told
            ends = frames.source[row].tobytes() + frames.destination[row].tobytes()
            held = max(min(size, stop - at - skip), 0)
            part = Fragment(row, at + skip, begin, begin + size, more, held)
            yield (ends, identification), part


def _four(header: bytes) -> tuple[object, int, int, int, bool] | None:
    """(identification and protocol, octets of header, offset, octets of data, more follow)."""
    word = int.from_bytes(header[6:8], "big")
    if len(header) < 20 or not word & (MORE | OFFSET):
        return None
    skip, total = (header[0] & 15) * 4, int.from_bytes(header[2:4], "big")
    return (header[4:6], header[9]), skip, (word & OFFSET) * 8, total - skip, bool(word & MORE)


def _six(header: bytes) -> tuple[object, int, int, int, bool] | None:
    """The same, of the fragment header behind other extension headers."""
    kind, at = header[6] if len(header) > 6 else 0, 40
    while kind in STEPPED_OVER and at + 8 <= len(header):
        kind, at = header[at], at + 8 + 8 * header[at + 1]
    if kind != FRAGMENT_HEADER or at + 8 > len(header):
        return None
    word = int.from_bytes(header[at + 2 : at + 4], "big")
    end = 40 + int.from_bytes(header[4:6], "big")
    more, skip = bool(word & 1), at + 8
    return (header[at + 4 : at + 8],), skip, word & 0xFFF8, max(end - skip, 0), more
