"""What the drawer tells of an event: its words, its cause, its headers bit by bit, its octets.

Compact, for a long run has many: the layout of a header is written once, of a frame just the values.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from functools import partial

from lab.evidence.run import Evidence, View
from lab.packets.frames import ABSENT, Frames
from lab.packets.link import ETHERNET
from lab.packets.rows import frame
from lab.page import reasons
from lab.page.cuts import Cuts
from lab.page.forms import Layout
from lab.page.frames import octets_of, view_of
from lab.page.layers import Layer, layers
from lab.page.scene import Act, CallRow, FrameRow, Row, Scene
from lab.page.sentences import sentence
from lab.report import phrases
from lab.report.glyphs import safe
from lab.report.people import people
from lab.report.phrases import octets
from lab.tcp.model import Connection
from lab.text import Text
from lab.units import MODULUS

KEPT = 128
"""Octets of each frame that the page of a long run holds; the capture has them all."""


class Teller:
    """Tells details row by row, and gathers the layouts that they refer to."""

    def __init__(self, evidence: Evidence, drawn: Scene, *, everything: bool) -> None:
        """``everything``: all octets of each frame."""
        self._evidence, self._everything = evidence, everything
        self._who = people(evidence.manifest)
        self._numbers: dict[Layout, int] = {}
        self._cuts: dict[str, Cuts] = {}
        self._reasons = {act.key: reasons.Reasons(act, self._who) for act in drawn.acts}

    @property
    def layouts(self) -> list[Layout]:
        """By the number under which details know them."""
        return list(self._numbers)

    def details(self, act: Act, rows: Sequence[Row]) -> dict[str, object]:
        """By key of a row."""
        told: dict[str, object] = {}
        for row in rows:
            if isinstance(row, FrameRow):
                told[row.key] = self._frame(row, act)
            elif isinstance(row, CallRow):
                told[row.key] = _call(row)
        return told

    def _frame(self, row: FrameRow, act: Act) -> dict[str, object]:
        why, view = self._reasons[act.key], view_of(self._evidence, row.event, self._who)
        frames, index = view.capture.frames, row.event.number - 1
        read = partial(frame, view.capture, index)
        octets, (begin, end) = octets_of(frames, index), payload_span(frames, index)
        told: dict[str, object] = {
            "says": pairs((sentence(row, act, read, self._who), *_notes(row))),
            "why": pairs(why.why(row)),
            "layers": [self._layer(layer) for layer in layers(octets, _link(view, index))],
            "octets": base64.b64encode(octets if self._everything else octets[:KEPT]).decode(),
            "size": int(frames.length[index]),
            "payload": (begin, end),
        }
        if lost := why.if_lost(row):
            told["lost"] = [*pair(lost.words), lost.scenario]
        if row.sum:
            told["sum"] = sums(row)
        return told | self._cut(row, act, octets[begin:end])

    def _cut(self, row: FrameRow, act: Act, payload: bytes) -> dict[str, object]:
        """Where a character of a payload may have been cut; nothing of plain ASCII."""
        ours = row.event.elsewhere == act.elsewhere
        if payload.isascii() or not ours or not isinstance(act.talk, Connection):
            return {}
        if act.key not in self._cuts:
            self._cuts[act.key] = Cuts(self._evidence, act, self._who)
        cuts = self._cuts[act.key]
        gbk, reads = cuts.gbk(row), cuts.reads(row)
        return ({"gbk": gbk} if any(gbk) else {}) | ({"reads": reads} if reads else {})

    def _layer(self, layer: Layer) -> list[object]:
        layout = self._numbers.setdefault(layer.layout, len(self._numbers))
        return [layout, layer.begin, layer.end, layer.values]


def _notes(row: FrameRow) -> Iterator[Text]:
    """The ladder's words for a frame, but for the numbers that its sentence has."""
    size = row.event.octets
    told = [octets(size), octets(size, phrases.DATAGRAM)]
    if row.absolute and "SYN" in row.event.flags:
        told.append(phrases.ISN.fill(isn=row.absolute[0]))
    yield from (word for word in row.event.words if word not in told)
    yield from row.sack.words if row.sack else ()


def pair(text: Text) -> tuple[str, str]:
    """A text as data."""
    return safe(text.en), safe(text.zh)


def pairs(texts: Sequence[Text] | Iterator[Text]) -> list[tuple[str, str]]:
    """Texts as data."""
    return [pair(text) for text in texts]


def _link(view: View, row: int) -> int:
    """The type of the link on which a frame was seen."""
    known = view.capture.interfaces
    return known[int(view.capture.frames.interface[row])].link_type if known else ETHERNET


def payload_span(frames: Frames, row: int) -> tuple[int, int]:
    """Where the payload lies in the frame's octets: [begin, end), as far as it was captured."""
    begin, length = (
        int(frames.payload[row]) - int(frames.start[row]),
        int(frames.payload_length[row]),
    )
    if frames.payload[row] == ABSENT or length <= 0:
        return 0, 0
    return begin, max(begin, min(begin + length, int(frames.captured[row])))


def sums(row: FrameRow) -> list[tuple[str, str]]:
    """The arithmetic of an ACK number, relative and as on the wire."""
    found, event = row.sum, row.event
    if found is None:
        return []
    counts = f" ({found.counts})" if found.counts else ""
    answers = Text(
        f"#{found.answers[1:]} begins at {found.start} and takes {found.added}{counts}",
        f"#{found.answers[1:]} 从 {found.start} 开始，占 {found.added}{counts}",
    )
    total = found.absolute + found.added
    wrapped = f" − 2^32 = {total % MODULUS}" if total >= MODULUS else ""
    lines = (
        f"{event.acknowledgment} = {found.start} + {found.added}",
        f"{found.absolute} + {found.added} = {total}{wrapped}",
    )
    return [pair(answers), *((line, line) for line in lines)]


def _call(row: CallRow) -> dict[str, object]:
    event = row.event
    return {
        "call": safe(event.words),
        "host": safe(event.host),
        "phase": event.phase,
        "place": safe(event.place),
        "source": safe(event.source),
        "took": row.lasted,
        "frames": list(row.frames),
        "result": safe(row.result),
    }
