"""The teardown is named, and shown by the FINs that succeeded and the ACK of each."""

from __future__ import annotations

import pytest

from lab.tcp.model import Teardown
from tests.builders import OPEN, Sent, one, sent

FIN = sent(">", "FA", seq=1, ack=1)
ACK_OF_FIN = sent("<", "A", seq=1, ack=2)
THEIR_FIN = sent("<", "FA", seq=1, ack=2)
LAST_ACK = sent(">", "A", seq=2, ack=2)
CROSSING_FIN = sent("<", "FA", seq=1, ack=1)

CASES = {
    "four": ((FIN, ACK_OF_FIN, THEIR_FIN, LAST_ACK), Teardown.FOUR_SEGMENTS, (4, 5, 6, 7)),
    "three": ((FIN, THEIR_FIN, LAST_ACK), Teardown.THREE_SEGMENTS, (4, 5, 6)),
    "first FIN repeated": (
        (FIN, FIN, ACK_OF_FIN, THEIR_FIN, LAST_ACK),
        Teardown.FOUR_SEGMENTS,
        (5, 6, 7, 8),
    ),
    "ACK of the FIN repeated": (
        (FIN, ACK_OF_FIN, FIN, ACK_OF_FIN, THEIR_FIN, LAST_ACK),
        Teardown.FOUR_SEGMENTS,
        (4, 5, 8, 9),
    ),
    "second FIN repeated": (
        (FIN, THEIR_FIN, THEIR_FIN, LAST_ACK),
        Teardown.THREE_SEGMENTS,
        (4, 6, 7),
    ),
    "last ACK repeated": (
        (FIN, THEIR_FIN, LAST_ACK, THEIR_FIN, LAST_ACK),
        Teardown.THREE_SEGMENTS,
        (4, 5, 6),
    ),
    "data acknowledges the FIN": (
        (
            FIN,
            sent("<", "PA", seq=1, ack=2, length=5),
            sent("<", "FA", seq=6, ack=2),
            sent(">", "A", seq=2, ack=7),
        ),
        Teardown.FOUR_SEGMENTS,
        (4, 5, 6, 7),
    ),
    "server first": (
        (
            sent("<", "FA", seq=1, ack=1),
            sent(">", "FA", seq=1, ack=2),
            sent("<", "A", seq=2, ack=2),
        ),
        Teardown.THREE_SEGMENTS,
        (4, 5, 6),
    ),
    "FIN with data": (
        (
            sent(">", "FPA", seq=1, ack=1, length=10),
            sent("<", "FA", seq=1, ack=12),
            sent(">", "A", seq=12, ack=2),
        ),
        Teardown.THREE_SEGMENTS,
        (4, 5, 6),
    ),
    "simultaneous": (
        (FIN, CROSSING_FIN, LAST_ACK, sent("<", "A", seq=2, ack=2)),
        Teardown.SIMULTANEOUS,
        (4, 5, 6, 7),
    ),
    "reset": ((sent("<", "RA", seq=1, ack=1),), Teardown.RESET, (4,)),
    "FIN, then reset": ((FIN, ACK_OF_FIN, sent("<", "R", seq=1)), Teardown.RESET, (6,)),
    "reset after the close": (
        (FIN, THEIR_FIN, LAST_ACK, sent("<", "R", seq=2)),
        Teardown.THREE_SEGMENTS,
        (4, 5, 6),
    ),
    "a RST out of the window": ((sent("<", "R", seq=900_000),), Teardown.NOT_SEEN, ()),
    "half closed": ((FIN, ACK_OF_FIN), Teardown.UNFINISHED, (4, 5)),
    "last ACK missing": ((FIN, THEIR_FIN), Teardown.UNFINISHED, (4, 5)),
    "still open": ((), Teardown.NOT_SEEN, ()),
}


@pytest.mark.parametrize(("segments", "kind", "frames"), CASES.values(), ids=CASES)
def test_the_teardown_is_named_and_shown(
    segments: tuple[Sent, ...], kind: Teardown, frames: tuple[int, ...]
) -> None:
    connection = one(*OPEN, *segments)
    assert (connection.teardown, connection.teardown_frames) == (kind, frames)


def test_a_refusal_is_not_a_teardown() -> None:
    refused = one(sent(">", "S"), sent("<", "RA", ack=1))
    assert refused.teardown is Teardown.NOT_SEEN


def test_a_half_open_scan_ends_in_a_reset() -> None:
    assert one(*OPEN[:2], sent(">", "R", seq=1)).teardown is Teardown.RESET
