"""The analysis of all connections: block by block as columns, and one by one where those fail."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress, pairwise
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.packets.distinct import among, distinct, either
from lab.packets.each import Each, Stage, one_by_one, tell
from lab.packets.frames import Frames
from lab.packets.pages import release_if_large, staying
from lab.tcp.alike import Alike, Outcomes, alike
from lab.tcp.columns import Ints, Segments, standing
from lab.tcp.flags import Verdicts, analyse
from lab.tcp.judging import NO_RTT, Judged, judge
from lab.tcp.model import Analysis
from lab.tcp.numbers import stream_octets
from lab.tcp.opening import initial_numbers, initial_rtt
from lab.tcp.segments import CLIENT, SERVER, Segment, without_length
from lab.tcp.segments import segments as read_segments
from lab.tcp.streams import streams
from lab.tcp.table import Table
from lab.tcp.totals import completeness_of, octets_of
from lab.tcp.ways import Ways, ways

TOGETHER, STRETCH = 1 << 16, 8
"""Segments that are analysed at once: their columns fit into a processor's cache; and how many
such blocks before what they read of the file is given back."""


class Block(Struct, frozen=True):
    """Some streams, analysed; positions and streams are numbered as those of all."""

    streams: Segments
    judged: Judged
    ways: Ways
    alike: Alike
    completeness: NDArray[np.uint8]
    octets: Ints  # (streams, 2)


def table(frames: Frames, each: Each = one_by_one, outcomes: Outcomes | None = None) -> Table:
    """Sort a capture's segments into connections and analyse all of them.

    ``each``: see `lab.packets.each`; ``outcomes``: those met in other parts of the capture.
    """
    sorted_out, outcomes = streams(frames, each), outcomes or Outcomes()
    s = sorted_out.segments
    bounds, blocks = [*_bounds(s)], list[Block]()

    def analysed(part: tuple[int, int]) -> Block:
        found = _block(frames, s, part)
        tell(each, Stage.ANALYSED, part[1] / len(s.first))
        return found

    stays = staying(frames.octets, len(frames)) >= len(frames.octets)
    stretch = max(1, len(bounds)) if stays else STRETCH
    for first in range(0, len(bounds), stretch):
        blocks += each(analysed, bounds[first : first + stretch])
        release_if_large(frames.octets, frames=len(frames))  # options of some segments were read
    numbers = [outcomes.of(frames, one.streams, one.ways, one.alike) for one in blocks]
    strange = [
        stream
        for block, (begin, _) in zip(blocks, bounds, strict=True)
        for stream in (block.ways.strange + begin).tolist()
    ]
    told = _together(numbers).reshape(-1, 2)
    judged = _joined(frames, s, [block.judged for block in blocks])
    judged.flags[s.first[sorted_out.reused]] |= int(Analysis.REUSED_PORTS)
    octets = _together([block.octets for block in blocks]).reshape(-1, 2).T
    for stream in strange:
        octets[:, stream] = _octets(_read(frames, s, stream))
    return Table(
        segments=s,
        reused=sorted_out.reused,
        flags=judged.flags,
        duplicate=judged.duplicate,
        nth=judged.nth,
        rtt=judged.rtt,
        one_by_one=judged.unsure,
        completeness=_together([block.completeness for block in blocks], np.uint8),
        octets=octets,
        outcome=told[:, 0],
        outcomes=tuple(outcomes.known),
        mattering=_together([block.ways.at for block in blocks]),
        shown=told[:, 1],
        places=tuple(outcomes.places),
    )


def _bounds(s: Segments) -> Iterator[tuple[int, int]]:
    """Streams that are analysed together, from the first up to the last; for two threads alike."""
    count = 2 * -(-len(s.row) // (2 * TOGETHER)) if len(s.row) > TOGETHER else 1
    cuts = np.searchsorted(s.first, np.arange(count) * len(s.row) // count)
    return pairwise(distinct(np.append(cuts, len(s.first))).tolist())


def _block(frames: Frames, s: Segments, bounds: tuple[int, int]) -> Block:
    begin, end = bounds
    part, position = s.part(begin, end), int(s.first[begin])
    stand = standing(part)
    judged = judge(part, frames, stand)
    went = ways(part, stand, either(judged.unsure, stand.apart))
    same = alike(frames, part, went)
    went = replace(went, at=went.at + position)
    cut = stand.stream[without_length(frames, part.row)]
    unsure = either(judged.unsure, cut) + begin
    placed = replace(judged, duplicate=judged.duplicate + position, unsure=unsure)
    return Block(
        streams=part,
        judged=placed,
        ways=went,
        alike=same,
        completeness=completeness_of(part),
        octets=octets_of(part, stand).T,
    )


def _together(columns: list[NDArray[Any]], kind: type[Any] = np.int64) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *(column.ravel() for column in columns)])


def _joined(frames: Frames, s: Segments, parts: list[Judged]) -> Judged:
    """Join what the blocks have found, and judge one by one the streams that are left."""
    left = _together([part.unsure for part in parts])
    flags = _together([part.flags for part in parts], np.uint16)
    duplicate, nth, rtt = (
        _together([getattr(part, name) for part in parts]) for name in ("duplicate", "nth", "rtt")
    )
    found = Judged(flags, duplicate, nth, rtt, left)
    return _one_by_one(frames, s, found) if len(left) else found


def _one_by_one(frames: Frames, s: Segments, found: Judged) -> Judged:
    """Let the sequential rules judge the streams that are left."""
    stream = np.searchsorted(s.first, found.duplicate, side="right") - 1
    kept = ~among(stream, found.unsure)
    duplicate, nth = found.duplicate[kept].tolist(), found.nth[kept].tolist()
    for left in found.unsure.tolist():
        at, parts = s.bounds(left), _read(frames, s, left)
        rtt = initial_rtt(parts)
        found.rtt[left] = NO_RTT if rtt is None else rtt[1]
        verdicts = _judged(frames, s.row[at], parts, rtt)
        found.flags[at] = 0
        position = {part.frame: i for i, part in enumerate(parts, at.start)}
        for frame, flags in verdicts.flags.items():
            found.flags[position[frame]] = int(flags)
        duplicate += [position[frame] for frame in verdicts.duplicate_acks]
        nth += verdicts.duplicate_acks.values()
    order = np.argsort(duplicate)
    places, numbers = np.array(duplicate, np.int64)[order], np.array(nth, np.int64)[order]
    return replace(found, duplicate=places, nth=numbers)


def _judged(
    frames: Frames, rows: Ints, parts: list[Segment], rtt: tuple[int, int] | None
) -> Verdicts:
    told = compress(parts, ~without_length(frames, rows))
    return analyse(told, rtt)


def _read(frames: Frames, s: Segments, stream: int) -> list[Segment]:
    """The segments of one stream; who sent the first counts as its client."""
    at = s.bounds(stream)
    return read_segments(frames, s.row[at], ~s.second[at])


def _octets(parts: list[Segment]) -> tuple[int, int]:
    isn = initial_numbers(parts)
    return stream_octets(parts, CLIENT, isn), stream_octets(parts, SERVER, isn)
