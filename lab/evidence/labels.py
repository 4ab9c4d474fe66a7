"""Labels that one vantage point suggests and two prove wrong.

A host does not reorder what it sends: what stands behind at its own port was sent again; what
stands behind only at the other port was overtaken on the way. What came out of the path twice and
went in once was doubled there. Wireshark has to guess between the three (tcp.analysis).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.account import account
from lab.evidence.run import Evidence, View
from lab.evidence.talk import Case, Talk
from lab.tcp.model import Analysis, Connection

AGAIN = Analysis.RETRANSMISSION | Analysis.FAST_RETRANSMISSION | Analysis.SPURIOUS_RETRANSMISSION
ABSENT = -1


class Truth(StrEnum):
    """What a frame was."""

    RETRANSMISSION = "retransmission"
    REORDERED = "reordered"
    DOUBLED = "doubled"


class Correction(Struct, frozen=True):
    """A label of one view, and what the frame was."""

    view: View  # whose label it is
    stream: int  # of the first view
    label: Analysis
    truth: Truth
    numbers: tuple[int, ...]  # in that view
    shown: tuple[int, ...]  # in the first view, as far as it has them


def corrections(evidence: Evidence) -> Iterator[Correction]:
    """Every label that is wrong, by connection of the first view, view, label and truth."""
    told = account(evidence)
    match = evidence.match
    if told is None or match is None:
        return
    case = Case(evidence)
    first, second = evidence.views[:2]
    to_second = _map(len(first.capture.frames), match.first, match.second)
    to_first = _map(len(second.capture.frames), match.second, match.first)
    doubled = {first.file: told.back.doubled, second.file: told.forth.doubled}
    owner = _owners(second)
    for one in first.connections:
        twin = _twin(second, one, to_second, owner)
        if twin is None or not (one.flags or twin.flags):
            continue
        pair = Talk(case, one, first), Talk(case, twin, second)
        yield from _of_view(pair[0], pair[1], to_second, doubled[first.file], one, to_first)
        yield from _of_view(pair[1], pair[0], to_first, doubled[second.file], one, to_first)


def _of_view(
    talk: Talk,
    other: Talk,
    elsewhere: NDArray[np.int64],
    doubled: NDArray[np.int64],
    one: Connection,
    to_first: NDArray[np.int64],
) -> Iterator[Correction]:
    """Judge the labels of one view; ``elsewhere``: its rows in the other one."""
    rows, there = talk.connection.rows, elsewhere[talk.connection.rows]
    near = _is_near(talk, other, there)
    again = np.where(near, _behind(talk), _at(other, _behind(other), there))
    copy = np.isin(rows, doubled)
    known = (there != ABSENT) | copy
    resent, overtaken = talk.has(AGAIN), talk.has(Analysis.OUT_OF_ORDER)
    for label, truth, wrong in (
        (Analysis.OUT_OF_ORDER, Truth.RETRANSMISSION, overtaken & again & ~copy),
        (Analysis.RETRANSMISSION, Truth.REORDERED, resent & ~again & ~near & ~copy),
        (Analysis.RETRANSMISSION, Truth.DOUBLED, resent & copy),
        (Analysis.OUT_OF_ORDER, Truth.DOUBLED, overtaken & copy),
    ):
        found = rows[wrong & known & (talk.length > 0)]
        if len(found):
            in_first = found if talk.view is talk.case.evidence.view else to_first[found]
            shown = tuple((in_first[in_first != ABSENT] + 1).tolist())
            numbers = tuple((found + 1).tolist())
            yield Correction(talk.view, one.stream, label, truth, numbers, shown)


def _is_near(talk: Talk, other: Talk, there: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which segments were sent by the end that is nearer to this view: their side's own port."""
    seen = there != ABSENT
    late = np.zeros(len(talk), np.int64)
    late[seen] = other.frames.time[there[seen]] - talk.time[seen]
    medians = [
        np.median(late[seen & (talk.side == side)]) if (seen & (talk.side == side)).any() else None
        for side in (0, 1)
    ]
    client, server = medians
    if client is None or server is None:
        nearer = 0 if (client or 0) > 0 or (server or 0) < 0 else 1
    else:
        nearer = 0 if client > server else 1
    return np.asarray(talk.side == nearer)


def _behind(talk: Talk) -> NDArray[np.bool_]:
    """Segments with an octet that their sender had sent before."""
    found = np.zeros(len(talk), np.bool_)
    for side in (0, 1):
        mine = np.flatnonzero((talk.side == side) & (talk.end > talk.sequence))
        if len(mine):
            highest = np.maximum.accumulate(talk.end[mine])
            found[mine[1:]] = talk.sequence[mine[1:]] < highest[:-1]
    return found


def _at(talk: Talk, values: NDArray[np.bool_], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The values of the segments with these rows; False where it has none of them."""
    position = np.searchsorted(talk.connection.rows, rows)
    inside = np.minimum(position, len(talk) - 1)
    return np.asarray((talk.connection.rows[inside] == rows) & values[inside])


def _map(count: int, rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    found = np.full(count, ABSENT, np.int64)
    found[rows] = others
    return found


def _owners(view: View) -> NDArray[np.int64]:
    """The connection of each row, by its place among the view's connections."""
    found = np.full(len(view.capture.frames), ABSENT, np.int64)
    for place, one in enumerate(view.connections):
        found[one.rows] = place
    return found


def _twin(
    second: View, one: Connection, to_second: NDArray[np.int64], owner: NDArray[np.int64]
) -> Connection | None:
    """The same connection in the second view."""
    there = to_second[one.rows]
    found = owner[there[there != ABSENT]]
    found = found[found != ABSENT]
    return second.connections[int(found[0])] if len(found) else None
