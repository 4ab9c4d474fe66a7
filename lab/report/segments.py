"""Describe the segments of one TCP connection for the ladder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import View
from lab.packets.frames import ABSENT, Flags, Frames
from lab.packets.options import parse_options
from lab.report import meaning, phrases
from lab.report.events import FrameEvent
from lab.report.people import People
from lab.tcp.model import Connection, State
from lab.tcp.numbers import numbers
from lab.tcp.segments import segments as read_segments
from lab.tcp.states import walk
from lab.text import Text, same

PAYLOAD = 64
"""Octets of a payload that are shown at most."""

FIXED_HEADER = 20


def describer(
    view: View, connection: Connection, who: People, *, absolute: bool
) -> tuple[NDArray[np.int64], Callable[[int], FrameEvent]]:
    """Return the connection's rows, and what makes an event of the one at a position."""
    frames = view.capture.frames
    columns = meaning.segments(connection, frames, who.pair(connection.client, connection.server))
    letters = who.initials(connection.client, connection.server)
    shown = numbers(frames, connection)
    states = _changes(view, connection, letters)

    def describe(index: int) -> FrameEvent:
        row = int(connection.rows[index])
        sender = 0 if connection.from_client[index] else 1
        flags = Flags(int(frames.flags[row]))
        window = shown.window[index]
        sequence = frames.sequence[row] if absolute else shown.sequence[index]
        answer = frames.acknowledgment[row] if absolute else shown.acknowledgment[index]
        return FrameEvent(
            int(frames.time[row]),
            row + 1,
            letters[sender],
            letters[1 - sender],
            flag_names(flags),
            int(sequence),
            int(frames.payload_length[row]),
            int(answer) if Flags.ACK in flags else None,
            int(frames.window[row]) if window is None else window,
            window is not None,
            _words(columns, index, frames, row),
            payload_of(frames, row),
            states.get(row + 1, ()),
        )

    return connection.rows, describe


def _words(columns: meaning.Segments, index: int, frames: Frames, row: int) -> tuple[Text, ...]:
    """What a segment means, what else is worth noting, and last, if it has data, how much."""
    said = list(meaning.words(columns, index))
    data = [said.pop()] if columns.length[index] else []
    return (*said, *_notes(frames, row, Flags(int(frames.flags[row]))), *data)


def flag_names(flags: Flags) -> str:
    """``SYN,ACK``: the control bits by name, in the order people say them."""
    order = (Flags.SYN, Flags.FIN, Flags.RST, Flags.PSH, Flags.URG, Flags.ECE, Flags.CWR, Flags.AE)
    names = [str(flag.name) for flag in (*order, Flags.ACK) if flag in flags]
    return ",".join(names) or "none"


def _changes(
    view: View, connection: Connection, letters: tuple[str, str]
) -> dict[int, tuple[tuple[str, State], ...]]:
    """The states that each frame led to, by frame number, as RFC 9293's table has them."""
    steps = walk(read_segments(view.capture.frames, connection.rows, connection.from_client))
    return {
        step.frame: tuple(
            (letters[side], step.states[side])
            for side in (0, 1)
            if any(change.side == side for change in step.changes)
        )
        for step in steps
        if step.changes
    }


def _notes(frames: Frames, row: int, flags: Flags) -> Iterator[Text]:
    """The ISN and the options of a SYN, once; and whatever the capture lacks of the frame."""
    if Flags.SYN in flags:
        yield phrases.ISN.fill(isn=int(frames.sequence[row]))
        if options := _option_words(frames, row):
            yield same(options)
    if frames.malformed[row]:
        yield phrases.MALFORMED
    elif frames.captured[row] < frames.length[row]:
        yield phrases.CUT_SHORT.fill(captured=frames.captured[row], length=frames.length[row])


def _option_words(frames: Frames, row: int) -> str:
    begin, end = int(frames.transport[row]) + FIXED_HEADER, int(frames.payload[row])
    if frames.transport[row] == ABSENT or end <= begin:
        return ""
    options = parse_options(frames.octets[begin:end].tobytes())
    named = {"mss": options.mss, "ws": options.window_scale}
    words = [f"{name} {value}" for name, value in named.items() if value is not None]
    return " ".join(words)


def payload_of(frames: Frames, row: int) -> bytes:
    """The beginning of a frame's payload, as far as it was captured."""
    begin, length = int(frames.payload[row]), int(frames.payload_length[row])
    if begin == ABSENT or not length:
        return b""
    end = min(begin + min(length, PAYLOAD), int(frames.start[row]) + int(frames.captured[row]))
    return frames.octets[begin:end].tobytes()
