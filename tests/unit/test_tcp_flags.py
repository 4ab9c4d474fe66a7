"""Each analysis flag is raised by the segment that Wireshark raises it for, and by no other."""

from __future__ import annotations

import pytest

from lab.tcp.model import Analysis
from tests.builders import MILLISECOND, OPEN, Sent, one, scale, sent

A = Analysis
LATE = 300 * MILLISECOND
TWO_KEPT = (
    sent(">", "PA", seq=1, ack=1, length=100),
    sent(">", "PA", seq=201, ack=1, length=100),
    sent("<", "A", seq=1, ack=101),
)
DUPLICATE = sent("<", "A", seq=1, ack=101)

CASES: dict[str, tuple[tuple[Sent, ...], dict[int, Analysis]]] = {
    "nothing to say": (
        (sent(">", "PA", seq=1, ack=1, length=9), sent("<", "A", seq=1, ack=10)),
        {},
    ),
    "retransmission": (
        (
            sent(">", "PA", seq=1, ack=1, length=9),
            sent(">", "PA", seq=1, ack=1, length=9, after=LATE),
        ),
        {5: A.RETRANSMISSION},
    ),
    "spurious": (
        (
            sent(">", "PA", seq=1, ack=1, length=9),
            sent("<", "A", seq=1, ack=10),
            sent(">", "PA", seq=1, ack=1, length=9),
        ),
        {6: A.RETRANSMISSION | A.SPURIOUS_RETRANSMISSION},
    ),
    "fast": (
        (*TWO_KEPT, DUPLICATE, DUPLICATE, sent(">", "PA", seq=101, ack=1, length=100)),
        {
            5: A.LOST_SEGMENT,
            7: A.DUPLICATE_ACK,
            8: A.DUPLICATE_ACK,
            9: A.RETRANSMISSION | A.FAST_RETRANSMISSION,
        },
    ),
    "after fast's 20 ms": (
        (*TWO_KEPT, DUPLICATE, DUPLICATE, sent(">", "PA", seq=101, ack=1, length=100, after=LATE)),
        {5: A.LOST_SEGMENT, 7: A.DUPLICATE_ACK, 8: A.DUPLICATE_ACK, 9: A.RETRANSMISSION},
    ),
    "out-of-order": (
        (
            sent(">", "PA", seq=101, ack=1, length=100, after=1000),
            sent(">", "PA", seq=1, ack=1, length=100, after=1000),
        ),
        {4: A.LOST_SEGMENT, 5: A.OUT_OF_ORDER},
    ),
    "ACKed unseen": (
        (sent("<", "A", seq=1, ack=500), sent("<", "A", seq=1, ack=500)),
        {4: A.ACK_LOST_SEGMENT, 5: A.DUPLICATE_ACK},
    ),
    "keep-alive and its ACK": (
        (sent(">", "A", seq=0, ack=1), sent("<", "A", seq=1, ack=1)),
        {4: A.KEEP_ALIVE, 5: A.KEEP_ALIVE_ACK},
    ),
    "keep-alive of one octet": (
        (sent(">", "A", seq=0, ack=1, length=1),),
        {4: A.KEEP_ALIVE},
    ),
    "window update": ((sent("<", "A", seq=1, ack=1, window=9999),), {4: A.WINDOW_UPDATE}),
    "zero window": ((sent("<", "A", seq=1, ack=1, window=0),), {4: A.ZERO_WINDOW}),
    "zero window in a RST": ((sent("<", "RA", seq=1, ack=1, window=0),), {}),
    "window full": (
        (
            sent("<", "A", seq=1, ack=1, window=100),
            sent(">", "PA", seq=1, ack=1, length=100),
        ),
        {4: A.WINDOW_UPDATE, 5: A.WINDOW_FULL},
    ),
    "probe and its ACK": (
        (
            sent("<", "A", seq=1, ack=1, window=0),
            sent(">", "PA", seq=1, ack=1, length=1),
            sent("<", "A", seq=1, ack=1, window=0),
        ),
        {4: A.ZERO_WINDOW, 5: A.ZERO_WINDOW_PROBE, 6: A.ZERO_WINDOW | A.ZERO_WINDOW_PROBE_ACK},
    ),
    "retransmitted FIN": (
        (
            sent(">", "FA", seq=1, ack=1),
            sent(">", "FA", seq=1, ack=1, after=LATE),
        ),
        {5: A.RETRANSMISSION},
    ),
}


@pytest.mark.parametrize(("segments", "expected"), CASES.values(), ids=CASES)
def test_a_segment_carries_the_flags_that_fit(
    segments: tuple[Sent, ...], expected: dict[int, Analysis]
) -> None:
    assert dict(one(*OPEN, *segments).flags) == expected


def test_a_repeated_syn_is_a_retransmission() -> None:
    assert one(sent(">", "S"), sent(">", "S", after=LATE)).flags == {2: A.RETRANSMISSION}


def test_duplicate_acks_are_numbered() -> None:
    assert one(*OPEN, *TWO_KEPT, DUPLICATE, DUPLICATE).duplicate_acks == {7: 1, 8: 2}


def test_a_new_ack_starts_the_count_of_duplicates_again() -> None:
    more = sent("<", "A", seq=1, ack=301)
    assert one(*OPEN, *TWO_KEPT, DUPLICATE, more, more).duplicate_acks == {7: 1, 9: 1}


def test_a_duplicate_ack_may_change_its_window_if_it_carries_sack_blocks() -> None:
    selective = sent("<", "A", seq=1, ack=101, window=9, sack=((201, 301),))
    assert one(*OPEN, *TWO_KEPT, selective).flags[7] == A.DUPLICATE_ACK


def test_what_sack_blocks_leave_out_is_retransmitted_fast() -> None:
    selective = sent("<", "A", seq=1, ack=101, sack=((201, 301),))
    again = sent(">", "PA", seq=151, ack=1, length=50)
    flags = one(*OPEN, *TWO_KEPT, selective, selective, again).flags
    assert flags[9] == A.RETRANSMISSION | A.FAST_RETRANSMISSION


def test_a_full_window_is_reckoned_with_its_scale() -> None:
    opening = (
        sent(">", "S", options=scale(2)),
        sent("<", "SA", ack=1, options=scale(3)),
        sent(">", "A", seq=1, ack=1),
    )
    narrow = sent("<", "A", seq=1, ack=1, window=10)
    filling = sent(">", "PA", seq=1, ack=1, length=80)
    assert one(*opening, narrow, filling).flags[5] == A.WINDOW_FULL


def test_an_unknown_scale_leaves_a_full_window_untold() -> None:
    narrow = sent("<", "A", seq=1, ack=1, window=100)
    assert one(narrow, sent(">", "PA", seq=1, ack=1, length=100)).flags == {}


def test_flags_are_counted_by_name() -> None:
    counts = one(*OPEN, *TWO_KEPT, DUPLICATE, DUPLICATE).flag_counts()
    assert counts == {"lost_segment": 1, "duplicate_ack": 2}


def test_a_syn_acknowledges_nothing_whatever_its_ack_field_holds() -> None:
    early = sent("<", "PA", seq=1, ack=1, length=4)
    assert one(*OPEN[:2], early, isn=(1000, 0xFFFFFF00)).flags == {}


def test_a_syn_without_ack_does_not_make_the_next_ack_a_duplicate() -> None:
    assert one(*OPEN, isn=(0, 0xFFFFFFFF)).flags == {}
