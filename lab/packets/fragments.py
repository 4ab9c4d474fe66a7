"""TCP segments that came as several IP fragments (RFC 791 section 3.2, RFC 8200 section 4.5).

A segment exists once all its fragments are there: the frame that completes it stands for it, as
in Wireshark (ip.defragment), and the others are fragments. Its header is read where it lies, in
the first fragment; its payload lies in pieces, so it has a length and no place. A UDP datagram
is its first fragment, whether the others came or not: nothing but that one tells its ports, and
how long all of it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct, field

from lab.packets.frames import Protocol
from lab.packets.layers import Draft
from lab.packets.network import TCP, Carried

Key = tuple[int, ...]

PATIENCE = 16
"""How often overlapping fragments are looked through; who overlaps them more does it on purpose."""


class _Fragment(Struct, frozen=True):
    row: int
    at: int  # where in the file its data begins
    begin: int  # octets into the packet
    end: int
    more: bool


class _Packet(Struct):
    """What has come of one packet."""

    parts: list[_Fragment] = field(default_factory=list)
    octets: int = 0  # in all parts; more than the packet has if they overlap
    length: int = 0  # of the packet; 0 until its last fragment came
    looks: int = 0

    def add(self, part: _Fragment) -> bool:
        """Take in one fragment: is the packet whole now?"""
        self.parts.append(part)
        self.octets += part.end - part.begin
        self.length = self.length if part.more else part.end
        return 0 < self.length <= self.octets and self.looks < PATIENCE and self._has_no_hole()

    def _has_no_hole(self) -> bool:
        self.looks += 1
        reach = 0
        for each in sorted(self.parts, key=lambda each: each.begin):
            if each.begin > reach:
                return False
            reach = max(reach, each.end)
        return reach >= self.length

    @property
    def first(self) -> _Fragment:
        """The fragment with the header."""
        return min(self.parts, key=lambda each: each.begin)


def whole_segments(draft: Draft) -> Carried:
    """Take all TCP fragments for no more than that; return the segments that they make up."""
    packets: dict[Key, _Packet] = {}
    seen, rows, places = [], [], []
    for key, part in sorted(_parts(draft), key=lambda each: each[1].row):
        seen.append(part.row)
        packet = packets.setdefault(key, _Packet())
        if packet.add(part):
            del packets[key]
            rows.append(part.row)
            places.append(packet.first.at)
            draft.cut[part.row] = packet.first.at + packet.first.end
            draft.end[part.row] = packet.first.at + packet.length
    draft.forget(np.array(seen, np.int64))
    draft.malformed[seen] = False  # a header may go on in the next fragment
    draft.protocol[seen] = Protocol.FRAGMENT
    return Carried(
        np.array(rows, np.int64), np.array(places, np.int64), np.full(len(rows), TCP, np.uint8)
    )


def _parts(draft: Draft) -> Iterator[tuple[Key, _Fragment]]:
    """The TCP fragments that were captured whole, each with what tells packets apart.

    How long the segment is that one of the others begins, nothing tells: its length counts as 0.
    """
    for each in draft.pieces:
        held = (each.number == TCP) & (draft.end[each.rows] <= draft.cut[each.rows])
        held &= each.sound
        cut = each.rows[(each.number == TCP) & ~held]
        draft.payload_length[cut] = 0
        draft.unmeasured.append(cut[draft.protocol[cut] == Protocol.TCP])
        rows = each.rows[held]
        names = each.identification[held].tolist()
        ends = np.hstack((draft.source[rows], draft.destination[rows])).tolist()
        begins, places = each.offset[held], each.at[held]
        stops = begins + draft.end[rows] - places
        parts = zip(rows, places, begins, stops, each.more[held], strict=True)
        for name, pair, part in zip(names, ends, parts, strict=True):
            row, at, begin, end, more = (value.item() for value in part)
            yield (name, *pair), _Fragment(row, at, begin, end, more)
