"""Where Wireshark's rules have corners: what TShark 4.6 says of such captures, frame by frame."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.tcp.model import Analysis
from tests.builders import MILLISECOND, OPEN, Sent, mss, one, scale, sent

A = Analysis
OLD = A.RETRANSMISSION | A.SPURIOUS_RETRANSMISSION
LATE = 300 * MILLISECOND
SHORTLY = 100_000
HOLE = (
    sent(">", "PA", seq=1, ack=1, length=100),
    sent(">", "PA", seq=201, ack=1, length=100),
    sent("<", "A", seq=1, ack=1, window=9999, after=SHORTLY),
)
PROBED = (
    sent("<", "A", seq=1, ack=1, window=0),
    sent(">", "A", seq=1, ack=1, length=1),
)
BLOCK = ((201, 301),)
ASKED = (
    *HOLE,
    sent("<", "A", seq=1, ack=1, window=9999, sack=BLOCK, after=SHORTLY),
    sent("<", "A", seq=1, ack=1, window=9999, sack=BLOCK, after=SHORTLY),
)
PROBES = {4: A.ZERO_WINDOW, 5: A.ZERO_WINDOW_PROBE}
HOLED = {5: A.LOST_SEGMENT, 6: A.WINDOW_UPDATE}

CASES: dict[str, tuple[tuple[Sent, ...], dict[int, Analysis]]] = {
    "a late segment that ends in the middle is out of order": (
        (*HOLE, sent(">", "A", seq=101, ack=1, length=50, after=SHORTLY)),
        HOLED | {7: A.OUT_OF_ORDER},
    ),
    "one that ends where the data end is a retransmission": (
        (*HOLE, sent(">", "A", seq=101, ack=1, length=200, after=SHORTLY)),
        HOLED | {7: A.RETRANSMISSION},
    ),
    "unless a pure ACK was first to reach that end": (
        (
            sent(">", "A", seq=301, ack=1),
            sent("<", "A", seq=1, ack=1, window=9999, after=SHORTLY),
            sent(">", "A", seq=101, ack=1, length=200, after=SHORTLY),
        ),
        {4: A.LOST_SEGMENT, 5: A.WINDOW_UPDATE, 6: A.OUT_OF_ORDER},
    ),
    "a FIN after the data moves their end": (
        (
            *HOLE[:2],
            sent(">", "FA", seq=301, ack=1),
            HOLE[2],
            sent(">", "A", seq=101, ack=1, length=201, after=SHORTLY),
        ),
        {5: A.LOST_SEGMENT, 7: A.WINDOW_UPDATE, 8: A.RETRANSMISSION},
    ),
    "a probe's octet is taken by an ACK that leaves the window shut": (
        (*PROBED, sent("<", "A", seq=1, ack=2, window=0), sent(">", "A", seq=2, ack=1, length=9)),
        PROBES | {6: A.ZERO_WINDOW | A.ZERO_WINDOW_PROBE_ACK},
    ),
    "a probe's octet is taken by an ACK that opens the window": (
        (*PROBED, sent("<", "A", seq=1, ack=2), sent(">", "A", seq=2, ack=1, length=9)),
        PROBES | {6: A.WINDOW_UPDATE},
    ),
    "a probe's octet is taken by an ACK with SACK blocks": (
        (*PROBED, sent("<", "A", seq=1, ack=2, sack=((500, 600),))),
        PROBES | {6: A.DUPLICATE_ACK},
    ),
    "an ACK past a probe's octet acknowledges what was not seen": (
        (*PROBED, sent("<", "A", seq=1, ack=3)),
        PROBES | {6: A.ACK_LOST_SEGMENT},
    ),
    "the edge that an ACK moves takes in what follows in order": (
        (*HOLE, sent("<", "A", seq=1, ack=201), sent("<", "A", seq=1, ack=290)),
        HOLED | {7: A.ACK_LOST_SEGMENT},
    ),
    "but nothing behind a segment that does not": (
        (
            *HOLE[:2],
            sent(">", "A", seq=251, ack=1, length=9, after=LATE),
            sent(">", "A", seq=301, ack=1, length=100),
            sent("<", "A", seq=1, ack=201),
            sent("<", "A", seq=1, ack=390),
        ),
        {5: A.LOST_SEGMENT, 6: A.RETRANSMISSION, 8: A.ACK_LOST_SEGMENT, 9: A.ACK_LOST_SEGMENT},
    ),
    "what SACK blocks cover is fast, too: they are held against numbers as sent": (
        (*ASKED, sent(">", "A", seq=201, ack=1, length=100, after=SHORTLY)),
        HOLED
        | {7: A.DUPLICATE_ACK, 8: A.DUPLICATE_ACK, 9: A.RETRANSMISSION | A.FAST_RETRANSMISSION},
    ),
    "a RST's number without an ACK flag releases what was stored": (
        (
            *HOLE,
            sent("<", "R", seq=1, ack=251, after=SHORTLY),
            sent(">", "A", seq=211, ack=1, length=50, after=SHORTLY),
        ),
        HOLED | {8: A.OUT_OF_ORDER},
    ),
    "a SYN once more leads back to the first hole": (
        (
            *HOLE[:2],
            sent(">", "S", after=LATE),
            sent(">", "A", seq=100, ack=1),
            sent(">", "A", seq=201, ack=1, length=100),
        ),
        {5: A.LOST_SEGMENT, 6: A.RETRANSMISSION, 7: A.KEEP_ALIVE, 8: A.LOST_SEGMENT},
    ),
    "a SYN,ACK once more does not": (
        (
            sent("<", "A", seq=1, ack=1, length=100),
            sent("<", "A", seq=201, ack=1, length=100),
            sent("<", "SA", ack=1, after=LATE),
            sent("<", "A", seq=300, ack=1),
        ),
        {5: A.LOST_SEGMENT, 6: A.RETRANSMISSION, 7: A.KEEP_ALIVE},
    ),
}


@pytest.mark.parametrize(("segments", "flags"), CASES.values(), ids=CASES)
def test_the_flags_are_tsharks(segments: tuple[Sent, ...], flags: dict[int, Analysis]) -> None:
    assert one(*OPEN, *segments).flags == flags


def test_blocks_that_cover_are_seen_where_numbers_begin_at_zero() -> None:
    late = sent(">", "A", seq=201, ack=1, length=100, after=SHORTLY)
    found = one(*OPEN, *ASKED, late, isn=(0, 5000))
    assert found.flags[9] == A.RETRANSMISSION


@pytest.mark.parametrize("way", "<>")
@pytest.mark.parametrize("flags", ["A", "FA", "RA"])
def test_the_first_ack_after_a_syn_gives_the_initial_rtt(way: str, flags: str) -> None:
    first = sent(way, flags, seq=7, ack=9, length=3, after=5 * MILLISECOND)
    found = one(sent(">", "S"), first, sent(">", "A", seq=1, ack=1))
    assert found.rtt == 5 * MILLISECOND


def test_an_ack_at_the_time_of_the_syn_gives_no_initial_rtt() -> None:
    found = one(
        sent(">", "S"),
        sent("<", "SA", ack=1, after=0),
        sent(">", "A", seq=1, ack=1, after=0),
        sent("<", "A", seq=1, ack=1),
    )
    assert found.rtt == MILLISECOND


FILLED = (
    sent("<", "A", seq=1, ack=1, window=100),
    sent(">", "A", seq=1, ack=1, length=100),
)


def test_where_the_clock_went_backwards_in_the_handshake_whatever_is_late_is_out_of_order() -> None:
    late = sent(">", "A", seq=101, ack=1, length=50, after=LATE)
    found = one(*OPEN[:2], sent(">", "A", seq=1, ack=1, after=-5 * MILLISECOND), *HOLE, late)
    assert (found.rtt, found.flags) == (-4 * MILLISECOND, HOLED | {7: A.OUT_OF_ORDER})


def test_a_syn_without_window_scale_says_that_there_is_none() -> None:
    assert one(sent(">", "S"), *FILLED).flags == {3: A.WINDOW_FULL}
    assert one(sent(">", "S", options=scale(3)), *FILLED).flags == {}


FIXED, SIX = 54, 60  # octets of a frame without TCP options, and with six of them


def test_a_syn_whose_options_are_cut_off_says_nothing_of_window_scale() -> None:
    found = one(sent(">", "S", options=mss(1460)), *FILLED, snap=FIXED)
    assert (found.flags, found.scale) == ({}, (None, None))


def test_the_options_before_the_cut_are_read() -> None:
    answer = sent("<", "SA", ack=1, options=scale(0) + mss(1460))
    found = one(sent(">", "S", options=scale(3) + mss(1460)), answer, *FILLED, snap=SIX)
    assert (found.flags, found.scale) == ({3: A.WINDOW_UPDATE, 4: A.WINDOW_FULL}, (3, 0))


SHIFTED = FILLED[0], sent(">", "A", seq=1, ack=1, length=200)
"""Fills a window of 100, shifted by one."""


@pytest.mark.parametrize(
    "syns",
    [
        (sent("<", "S", options=scale(1)),),
        (sent(">", "S", options=scale(0)), sent("<", "SA", ack=1, options=scale(1))),
        (sent("<", "S", options=scale(0)), sent("<", "SA", ack=1, options=scale(1))),
    ],
    ids=["the only one", "both", "one that comes again"],
)
def test_a_window_is_scaled_from_the_syn_on(syns: tuple[Sent, ...]) -> None:
    """Before it, nothing tells what a window means."""
    again = replace(SHIFTED[0], ack=201), replace(SHIFTED[1], seq=201)
    found = one(*SHIFTED, *syns, *again)
    assert {n for n, flags in found.flags.items() if flags & A.WINDOW_FULL} == {4 + len(syns)}


def test_a_window_scale_that_comes_after_a_syn_without_is_none() -> None:
    bare, late = sent("<", "SA", ack=1), sent("<", "SA", ack=1, options=scale(1))
    found = one(sent(">", "S", options=scale(1)), bare, late, *FILLED)
    assert [n for n, flags in found.flags.items() if flags & A.WINDOW_FULL] == [5]


def test_a_repeated_syn_reaches_where_a_probe_began() -> None:
    probed = sent("<", "A", seq=1, ack=1, window=0), sent(">", "A", seq=1, ack=1, length=1)
    found = one(*OPEN, *probed, sent("<", "PA", seq=1, ack=1, length=9), sent(">", "S", after=9))
    assert found.flags == PROBES | {7: A.RETRANSMISSION}


def test_only_syns_scale_the_window() -> None:
    """RFC 7323 section 2.2; TShark takes the option from any segment."""
    windowed = replace(FILLED[0], options=scale(1))
    assert one(sent(">", "S"), windowed, FILLED[1]).flags == {3: A.WINDOW_FULL}


@pytest.mark.parametrize("seen", [*range(4, 12)])
def test_sack_blocks_that_are_cut_off_are_there_all_the_same(seen: int) -> None:
    block = sent("<", "A", seq=1, ack=1, window=9999, sack=BLOCK, after=SHORTLY)
    found = one(*OPEN, *HOLE[:2], replace(block, window=9998, sack=()), block, snap=FIXED + seen)
    assert found.flags[7] == A.DUPLICATE_ACK


@pytest.mark.parametrize(("seen", "flag"), [(11, OLD & ~OLD), (12, A.FAST_RETRANSMISSION)])
def test_only_whole_blocks_tell_what_they_leave_out(seen: int, flag: Analysis) -> None:
    two = tuple(replace(one, sack=(*BLOCK, (401, 501))) if one.sack else one for one in ASKED)
    late = sent(">", "A", seq=101, ack=1, length=100, after=SHORTLY)
    found = one(*OPEN, *two, late, snap=FIXED + seen)
    assert found.flags[9] & A.FAST_RETRANSMISSION == flag
