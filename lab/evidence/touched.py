"""wire.jsonl: the frames that the wire touched, and where the captures show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from lab.packets.frames import Capture
from lab.wire.touched import Summary, Touched, digest


class WireLog(Struct, frozen=True):
    """What the wire did in one run."""

    touched: tuple[Touched, ...] = ()  # in order of time
    summary: Summary | None = None  # None: the wire was killed


def decode_touched(octets: bytes) -> WireLog:
    """Read a wire's log.

    A last line that was cut off is left out; any other that is none raises `msgspec.MsgspecError`.
    """
    decoder = msgspec.json.Decoder(Touched | Summary)
    lines = [decoder.decode(line) for line in octets.split(b"\n")[:-1] if line]
    touched = [line for line in lines if isinstance(line, Touched)]
    summaries = [line for line in lines if isinstance(line, Summary)]
    return WireLog(
        touched=tuple(sorted(touched, key=lambda one: one.time)),
        summary=summaries[-1] if summaries else None,
    )


def touched_numbers(
    capture: Capture, host: str, touched: Iterable[Touched]
) -> tuple[int | None, ...]:
    """The number of each touched frame in the capture of a host's port; None where it is not.

    At its sender's port that is the frame as it was sent, at another's the frame as it arrived (a
    copy of it, if it was duplicated). Of equal frames, it is the one nearest in time.
    """
    touched = tuple(touched)
    rows = _rows(capture) if touched else {}
    return tuple(_nearest(capture, rows, host, one) for one in touched)


def _rows(capture: Capture) -> dict[str, list[int]]:
    """Where each frame is, by its digest."""
    frames, found = capture.frames, defaultdict[str, list[int]](list)
    octets = frames.octets.data
    ends = (frames.start + frames.captured).tolist()
    for row, (begin, end) in enumerate(zip(frames.start.tolist(), ends, strict=True)):
        found[digest(octets[begin:end])].append(row)
    return found


def _nearest(
    capture: Capture, rows: dict[str, list[int]], host: str, touched: Touched
) -> int | None:
    sent = host == touched.sender
    name, time = (touched.digest, touched.time) if sent else (touched.arriving, touched.due)
    times = capture.frames.time
    nearest = min(rows.get(name, ()), key=lambda row: abs(int(times[row]) - time), default=None)
    return None if nearest is None else nearest + 1
