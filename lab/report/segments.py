"""Describe the segments of one TCP connection for the ladder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import View
from lab.packets.frames import ABSENT, Flags, Frames
from lab.report import meaning, options, phrases
from lab.report.events import FrameEvent
from lab.report.people import People
from lab.report.streams import namer
from lab.scenarios.script import in_order
from lab.tcp.model import Connection, State
from lab.tcp.numbers import numbers
from lab.tcp.segments import segments as read_segments
from lab.tcp.states import walk
from lab.text import Text

SYN, ACK = int(Flags.SYN), int(Flags.ACK)
PAYLOAD = 64
"""Octets of a payload that are shown at most."""


def describer(
    view: View, connection: Connection, who: People, *, absolute: bool
) -> tuple[NDArray[np.int64], Callable[[int], FrameEvent]]:
    """Return the connection's rows, and what makes an event of the one at a position."""
    frames = view.capture.frames
    columns = meaning.segments(connection, frames, who.pair(connection.client, connection.server))
    letters = who.initials(connection.client, connection.server)
    shown = numbers(frames, connection)
    states = _changes(view, connection, letters)
    contents = namer(frames, connection, shown)
    accurate = bool(np.any(frames.flags[connection.rows] & int(Flags.AE)))

    def describe(index: int) -> FrameEvent:
        row = int(connection.rows[index])
        sender = 0 if connection.from_client[index] else 1
        flags = int(frames.flags[row])
        window = shown.window[index]
        sequence = frames.sequence[row] if absolute else shown.sequence[index]
        answer = frames.acknowledgment[row] if absolute else shown.acknowledgment[index]
        names = contents(index)
        return FrameEvent(
            int(frames.time[row]),
            row + 1,
            letters[sender],
            letters[1 - sender],
            flag_names(flags),
            int(sequence),
            int(frames.payload_length[row]),
            int(answer) if flags & ACK else None,
            int(frames.window[row]) if window is None else window,
            window is not None,
            _words(columns, index, frames, row, names, accurate=accurate),
            b"" if names else payload_of(frames, row),
            states.get(row + 1, ()),
        )

    return connection.rows, describe


def _words(
    columns: meaning.Segments,
    index: int,
    frames: Frames,
    row: int,
    names: tuple[Text, ...],
    *,
    accurate: bool,
) -> tuple[Text, ...]:
    """What a segment means, what else is worth noting, and last, if it has data, how much."""
    flags, carried = columns.flags[index], options.options_of(frames, row)
    multipath = options.of_multipath(carried, alone=meaning.is_bare(columns, index))
    said = list(meaning.words(columns, index, signals=multipath is not None))
    data = [said.pop()] if columns.length[index] else []
    if flags & SYN:
        said += [
            phrases.ISN.fill(isn=int(frames.sequence[row])),
            *options.of_opening(carried, flags),
        ]
    said += [multipath] if multipath else []
    said += options.of_ecn(frames, row, flags, accurate=accurate)
    said += options.of_urgent(frames, row, flags)
    return (*said, *_faults(frames, row), *names, *data)


@lru_cache(64)
def flag_names(flags: int) -> str:
    """``SYN,ACK``: the control bits by name, in the order people say them."""
    return in_order({str(flag.name) for flag in Flags(flags)}) or "none"


def _changes(
    view: View, connection: Connection, letters: tuple[str, str]
) -> dict[int, tuple[tuple[str, State], ...]]:
    """The states that each frame led to, by frame number, as RFC 9293's table has them."""
    frames, rows = view.capture.frames, connection.rows
    steps = walk(read_segments(frames, rows, connection.from_client, options=False))
    return {
        step.frame: tuple(
            (letters[side], step.states[side])
            for side in (0, 1)
            if any(change.side == side for change in step.changes)
        )
        for step in steps
        if step.changes
    }


def _faults(frames: Frames, row: int) -> Iterator[Text]:
    """Whatever the capture lacks of the frame."""
    if frames.malformed[row]:
        yield phrases.MALFORMED
    elif frames.captured[row] < frames.length[row]:
        yield phrases.CUT_SHORT.fill(captured=frames.captured[row], length=frames.length[row])


def payload_of(frames: Frames, row: int) -> bytes:
    """The beginning of a frame's payload, as far as it was captured."""
    begin, length = int(frames.payload[row]), int(frames.payload_length[row])
    if begin == ABSENT or not length:
        return b""
    end = min(begin + min(length, PAYLOAD), int(frames.start[row]) + int(frames.captured[row]))
    return frames.octets[begin:end].tobytes()
