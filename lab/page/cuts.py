"""Where a stream was cut without regard to its characters: between segments, and by recv()."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import accumulate

import numpy as np

from lab.evidence.calls import Call
from lab.evidence.run import Evidence
from lab.packets.frames import Frames
from lab.page.calls import WAITS
from lab.page.frames import view_of
from lab.page.scene import Act, FrameRow, frames_of
from lab.report.calls import Span, attribute
from lab.report.people import People
from lab.report.streams import LONGEST, payload
from lab.tcp.model import Connection
from lab.tcp.numbers import Numbers, numbers

READS = WAITS - {"accept", "accept4", "connect"}
LEFT_THERE = ("MSG_PEEK", "MSG_OOB")
"""Flags with which recv() does not advance in the stream."""


class Cuts:
    """Looks the cuts of one connection up."""

    def __init__(self, evidence: Evidence, act: Act, who: People) -> None:
        """``act``: with a connection."""
        assert isinstance(act.talk, Connection)
        row = next(row for row in frames_of(act.rows) if row.event.elsewhere == act.elsewhere)
        frames = view_of(evidence, row.event, who).capture.frames
        shown = numbers(frames, act.talk)
        self._left = act.letters[0]
        self._inside = tuple(_inside(frames, act.talk, shown, side) for side in (True, False))
        self._ends = tuple(
            np.fromiter(accumulate(_reads(evidence, act.talk, who, letter)), np.int64)
            for letter in act.letters[::-1]
        )

    def gbk(self, row: FrameRow) -> tuple[bool, bool]:
        """Whether a payload begins, and whether it ends, within a character of GBK.

        Where a character of UTF-8 begins, its octets say themselves.
        """
        inside, begin = self._inside[self._side(row)], row.event.sequence or 0
        return begin in inside, begin + row.event.octets in inside

    def reads(self, row: FrameRow) -> list[int]:
        """Octets of a payload that had been read when a recv() ended within it."""
        begin, ends = (row.event.sequence or 0) - 1, self._ends[self._side(row)]
        inside = ends[(ends > begin) & (ends < begin + row.event.octets)]
        return [int(end) - begin for end in inside]

    def _side(self, row: FrameRow) -> int:
        return int(row.event.source != self._left)


def _inside(frames: Frames, talk: Connection, shown: Numbers, by_client: bool) -> frozenset[int]:
    """The relative numbers of the segments of one end that begin within a character of GBK."""
    mine = np.flatnonzero((talk.from_client == by_client) & (shown.length > 0))
    decoder = codecs.getincrementaldecoder("gbk")("replace")
    found: set[int] = set()
    end = 1
    for index in mine[np.argsort(shown.sequence[mine], kind="stable")].tolist():
        begin = int(shown.sequence[index])
        if begin > end or end > LONGEST:
            break
        octets = payload(frames, int(talk.rows[index]))[end - begin :]
        decoder.decode(octets)
        end += len(octets)
        if decoder.getstate()[0]:
            found.add(end)
    return frozenset(found & set(shown.sequence[mine].tolist()))


def _reads(evidence: Evidence, talk: Connection, who: People, letter: str) -> Iterator[int]:
    """How much each recv() of one end took from the stream."""
    host = next((name for name, known in who.letters.items() if known == letter), "")
    calls = evidence.calls.get(host, ())
    span = Span((talk.client, talk.server), 0, 0)
    for call, owner in zip(calls, attribute(calls, [span]), strict=True):
        if owner is not None and call.octets and _takes(call):
            yield call.octets


def _takes(call: Call) -> bool:
    flags = " ".join(one for one in call.arguments if isinstance(one, str))
    return (
        call.kind == "tcp"
        and call.function in READS
        and not call.error
        and not any(flag in flags for flag in LEFT_THERE)
    )
