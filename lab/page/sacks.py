"""What an ACK's SACK blocks say (RFC 2018): what is held, by which frames it came, what is missing.

Numbers are relative, left edge to right edge; the right edge is the first octet not meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from lab.packets.frames import ABSENT, Frames
from lab.page import ruler
from lab.page.frames import ACK, SYN, Close, beyond
from lab.page.scene import Sack
from lab.report.options import FIXED_HEADER, options_of
from lab.tcp.model import Connection
from lab.text import Text
from lab.units import MODULUS

HELD = Text("SACK: has {held}, lacks {holes}", "SACK：已收到 {held}，缺 {holes}")
TWICE = Text("D-SACK: {blocks} came twice", "D-SACK：{blocks} 收到了两次")
BY = Text("{edges} ({frames})", "{edges}（{frames}）")
NAMED = 5
"""Frames that are named of one block, or of one hole."""

KIND = b"\x05"

Block = tuple[int, int]
"""Octets beyond an ACK number: from its left edge up to its right edge."""


class Sacks:
    """Reads the SACK blocks of a connection's segments; asked in order of time."""

    def __init__(self, connection: Connection) -> None:
        """Nothing was sent yet."""
        self._bases = connection.isn
        self._sent: list[list[ruler.Sent]] = [[], []]  # by side

    def next(self, key: str, frames: Frames, number: int, one: Close, side: int) -> Sack | None:
        """What the blocks of a segment say; None if it has none.

        Args:
            key: of the segment's row.
            frames: of the capture that numbers it.
            number: there.
            one: its columns.
            side: who sent it.
        """
        if one.end != one.sequence and not one.flags & SYN:
            self._sent[side].append((one.sequence, one.end, key))
        blocks = _blocks(frames, number - 1) if one.flags & ACK and not one.flags & SYN else ()
        return self._read(blocks, one.acknowledgment, 1 - side) if blocks else None

    def _read(self, blocks: Sequence[Block], ack: int, side: int) -> Sack:
        offered = [(beyond(left, ack), beyond(right, ack)) for left, right in blocks]
        twice = _twice(offered)
        held = _joined(sorted(offered[len(twice) :]))
        holes = [(end, begin) for (_, end), (begin, _) in pairwise([(0, 0), *held])]
        waiting = [one for one in self._sent[side] if beyond(one[1], ack) > 0]
        self._sent[side] = waiting
        sent = [(beyond(begin, ack), beyond(end, ack), key) for begin, end, key in waiting]
        base = ack - (self._bases[side] or 0)
        said = [HELD.fill(held=_told(held, sent, base), holes=_told(holes, sent, base))] * bool(
            held
        )
        said += [TWICE.fill(blocks=_edges(block, base)) for block in twice]
        parts = sorted([(hole, "missing") for hole in holes] + [(block, "held") for block in held])
        cells = (ruler.cells(kind, *edges, sent, base) for edges, kind in parts)
        return Sack(
            tuple(said), _keys(held, sent), _keys(holes, sent), tuple(chain.from_iterable(cells))
        )


def _blocks(frames: Frames, row: int) -> tuple[Block, ...]:
    """The blocks as they are on the wire; most segments have none, and are not parsed."""
    begin, end = int(frames.transport[row]) + FIXED_HEADER, int(frames.payload[row])
    if frames.transport[row] == ABSENT or end - begin < 10:
        return ()
    return options_of(frames, row).sack if KIND in frames.octets[begin:end].tobytes() else ()


def _twice(blocks: Sequence[Block]) -> list[Block]:
    """The first block if it reports a duplicate (RFC 2883 section 4)."""
    first, second = blocks[0], blocks[1] if len(blocks) > 1 else None
    inside = second is not None and second[0] <= first[0] and first[1] <= second[1]
    return [first] if first[1] <= 0 or inside else []


def _joined(blocks: Sequence[Block]) -> list[Block]:
    """Blocks in order, those that touch as one; what cannot be is left out."""
    found: list[Block] = []
    for begin, end in blocks:
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif 0 < begin < end:
            found.append((begin, end))
    return found


def _within(blocks: Sequence[Block], sent: Sequence[ruler.Sent]) -> Iterator[str]:
    """The keys of the segments that carried any of it, in order of time."""
    for begin, end, key in sent:
        if any(begin < right and left < end for left, right in blocks):
            yield key


def _keys(blocks: Sequence[Block], sent: Sequence[ruler.Sent]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_within(blocks, sent)))


def _edges(block: Block, base: int) -> str:
    return ":".join(str((base + edge) % MODULUS) for edge in block)


def _told(blocks: Sequence[Block], sent: Sequence[ruler.Sent], base: int) -> Text:
    """``2897:4345 (#10)``, for each."""
    parts = [_by(block, _keys([block], sent), base) for block in blocks]
    return Text(", ".join(part.en for part in parts), "、".join(part.zh for part in parts))


def _by(block: Block, keys: Sequence[str], base: int) -> Text:
    edges = _edges(block, base)
    if not keys:
        return Text(edges, edges)
    more = " …" if len(keys) > NAMED else ""
    return BY.fill(edges=edges, frames=" ".join(f"#{key[1:]}" for key in keys[:NAMED]) + more)
