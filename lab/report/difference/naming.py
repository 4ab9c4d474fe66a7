"""The first difference in a sentence, and what an exchange of two runs is called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lab.evidence.sightings import Sighting
from lab.report import datagrams, segments
from lab.report.difference.model import RUNS, First, Mark, Pair, Row
from lab.report.difference.side import Side
from lab.report.difference.steps import Step
from lab.tcp.model import Connection
from lab.text import Text, same
from lab.units import short_span

TITLE = Text("{kind} {number}: {client} → {server}", "{kind} {number}：{client} → {server}")
KINDS = {True: Text("TCP connection", "TCP 连接"), False: Text("UDP exchange", "UDP 交换")}
ONLY = Text("only {run} has {step}", "只有 {run} 有 {step}")
INSTEAD = Text("A has {left}, B has {right}", "A 中是 {left}，B 中是 {right}")
LATER = Text(
    "{step} comes {left} after the line before in A, {right} in B",
    "{step} 与上一行的间隔在 A 中是 {left}，在 B 中是 {right}",
)
STEP = Text("#{number} {words} ({meaning})", "#{number} {words}（{meaning}）")


def title(left: Side, right: Side, ours: Sighting | None, theirs: Sighting | None) -> Text:
    """``TCP connection 0: client → server``."""
    side, seen = (left, ours) if ours else (right, theirs)
    assert seen is not None
    talk = seen.talk
    client, server = side.who.pair(talk.client, talk.server)
    streams = dict.fromkeys(
        of.who.number(one) for one, of in ((ours, left), (theirs, right)) if one
    )
    return TITLE.fill(
        kind=KINDS[isinstance(talk, Connection)],
        number="/".join(streams),
        client=client,
        server=server,
    )


def first(left: Side, right: Side, pairs: Sequence[Pair]) -> First | None:
    """The first row that differs; one that differs in its time only if no other does."""
    for mark in (Mark.OTHER, Mark.TIME):
        for place, pair in enumerate(pairs):
            for index, row in enumerate(pair.rows):
                if row.mark is mark:
                    words = _sentence(left, right, pair, row, _before(pair.rows[:index]))
                    return First(place, index, words)
    return None


def _before(rows: Sequence[Row]) -> Row | None:
    """The last row that has both."""
    return next((row for row in reversed(rows) if row.left and row.right), None)


def _sentence(left: Side, right: Side, pair: Pair, row: Row, before: Row | None) -> Text:
    ours = _told(left, pair.left, row.left) if row.left else None
    theirs = _told(right, pair.right, row.right) if row.right else None
    if ours is None or theirs is None:
        return ONLY.fill(run=RUNS[0] if ours else RUNS[1], step=ours or theirs or same(""))
    if row.mark is Mark.TIME:
        waits = _waits(row, before)
        return LATER.fill(step=ours, left=short_span(waits[0]), right=short_span(waits[1]))
    return INSTEAD.fill(left=ours, right=theirs)


def _waits(row: Row, before: Row | None) -> tuple[int, int]:
    """How long after the row before each of the two came, ns."""
    assert before
    assert before.left
    assert before.right
    assert row.left
    assert row.right
    return row.left.time - before.left.time, row.right.time - before.right.time


def _told(side: Side, seen: Sighting | None, step: Step) -> Text:
    """A step with what it means, as the ladder has it; without, where the ladder lacks the frame."""
    meaning = _meaning(side, seen, step) if seen else None
    if meaning is None:
        return same(f"#{step.frame} {step.words}")
    return STEP.fill(number=step.frame, words=step.words, meaning=meaning)


def _meaning(side: Side, seen: Sighting, step: Step) -> Text | None:
    view, talk = seen.evidence.view, seen.talk
    if step.host != view.host:
        return None
    rows, describe = (
        segments.describer(view, talk, side.who, absolute=False)
        if isinstance(talk, Connection)
        else datagrams.describer(view, talk, side.who)
    )
    place = int(np.searchsorted(rows, step.frame - 1))
    return next((words for words in describe(place).words if words.en != step.name), None)
