"""How a connection ended: the teardown named, and the frames that show it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from lab.tcp.deliveries import Control, control
from lab.tcp.model import Teardown
from lab.tcp.segments import CLIENT, SERVER, Segment


class Closing(Struct, frozen=True):
    """The teardown's kind and its segments' frame numbers, in order."""

    kind: Teardown
    frames: tuple[int, ...] = ()


def closing(segments: Sequence[Segment], resets: Sequence[int], *, opened: bool) -> Closing:
    """Name the teardown.

    Args:
        segments: one connection's, in capture order.
        resets: frame numbers of the RSTs that were accepted.
        opened: whether the handshake got further than the first SYN; a refusal ends nothing.
    """
    found = [control(segments, side, fin=True) for side in (CLIENT, SERVER)]
    fins = sorted((fin for fin in found if fin), key=lambda fin: fin.copies[0])
    if len(fins) == 2 and all(fin.answer is not None for fin in fins):
        return _orderly(segments, fins[0], fins[1])
    if resets and opened:
        return Closing(Teardown.RESET, (resets[0],))
    if fins:
        return Closing(Teardown.UNFINISHED, _frames(segments, *fins))
    return Closing(Teardown.NOT_SEEN)


def _orderly(segments: Sequence[Segment], first: Control, second: Control) -> Closing:
    assert first.answer is not None
    if first.answer in second.copies:  # whichever copy arrived, it acknowledged the first FIN too
        return Closing(Teardown.THREE_SEGMENTS, _frames(segments, first.delivered, second))
    crossed = first.answer > second.copies[0]
    kind = Teardown.SIMULTANEOUS if crossed else Teardown.FOUR_SEGMENTS
    return Closing(kind, _frames(segments, first, second))


def _frames(segments: Sequence[Segment], *parts: Control | int) -> tuple[int, ...]:
    """The FINs that succeeded and the first acknowledgment of each; one segment may be both."""
    positions: set[int] = set()
    for part in parts:
        if isinstance(part, Control):
            positions |= {part.delivered, *([] if part.answer is None else [part.answer])}
        else:
            positions.add(part)
    return tuple(segments[i].frame for i in sorted(positions))
