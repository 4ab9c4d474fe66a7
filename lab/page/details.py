"""What the drawer tells of an event: its words, its cause, its headers bit by bit, its octets.

Compact, for a long run has many: the layout of a header is written once, of a frame just the values.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from lab.evidence.run import Evidence
from lab.packets.frames import ABSENT, Frames
from lab.packets.rows import frame
from lab.page import reasons
from lab.page.frames import view_of
from lab.page.layers import Layer, layers
from lab.page.scene import Act, CallRow, FrameRow, Row, Scene
from lab.report.glyphs import safe
from lab.report.people import people
from lab.text import Text
from lab.units import MODULUS

KEPT = 128
"""Octets of each frame that the page of a long run holds; the capture has them all."""

Layout = tuple[str, tuple[tuple[str, int, int], ...]]
"""A header's name, and of each field its name, first bit and width, from the header's beginning."""


class Teller:
    """Tells details row by row, and gathers the layouts that they refer to."""

    def __init__(self, evidence: Evidence, drawn: Scene, *, everything: bool) -> None:
        """``everything``: all octets of each frame."""
        self._evidence, self._everything = evidence, everything
        self._who = people(evidence.manifest)
        self._numbers: dict[Layout, int] = {}
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
                told[row.key] = self._frame(row, self._reasons[act.key])
            elif isinstance(row, CallRow):
                told[row.key] = _call(row)
        return told

    def _frame(self, row: FrameRow, why: reasons.Reasons) -> dict[str, object]:
        view = view_of(self._evidence, row.event, self._who)
        one = frame(view.capture, row.event.number - 1)
        link = view.capture.interfaces[one.interface].link_type if view.capture.interfaces else 1
        octets = one.octets if self._everything else one.octets[:KEPT]
        told: dict[str, object] = {
            "says": pairs((*row.event.words, *(row.sack.words if row.sack else ()))),
            "why": pairs(why.why(row)),
            "layers": [self._layer(layer) for layer in layers(one.octets, link)],
            "octets": base64.b64encode(octets).decode(),
            "size": one.length,
            "payload": payload_span(view.capture.frames, row.event.number - 1),
        }
        if lost := why.if_lost(row):
            told["lost"] = [*pair(lost.words), lost.scenario]
        if row.sum:
            told["sum"] = sums(row)
        return told

    def _layer(self, layer: Layer) -> list[object]:
        plan = tuple((f.name, f.bit - layer.begin * 8, f.width) for f in layer.fields)
        layout = self._numbers.setdefault((layer.name, plan), len(self._numbers))
        return [layout, layer.begin, layer.end, [safe(f.value) for f in layer.fields]]


def pair(text: Text) -> tuple[str, str]:
    """A text as data."""
    return safe(text.en), safe(text.zh)


def pairs(texts: Sequence[Text] | Iterator[Text]) -> list[tuple[str, str]]:
    """Texts as data."""
    return [pair(text) for text in texts]


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
