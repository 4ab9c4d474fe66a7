"""The handshake is named, and shown by the frames that succeeded."""

from __future__ import annotations

import pytest

from lab.tcp.model import Handshake
from tests.builders import MILLISECOND, OPEN, Sent, mss, one, scale, sent

SYN = sent(">", "S")
SYN_ACK = sent("<", "SA", ack=1)
ACK = sent(">", "A", seq=1, ack=1)

CASES = {
    "three-way": (OPEN, Handshake.THREE_WAY, (1, 2, 3)),
    "first SYN lost": ((SYN, *OPEN), Handshake.THREE_WAY, (2, 3, 4)),
    "SYN,ACK repeated": ((SYN, SYN_ACK, SYN_ACK, ACK), Handshake.THREE_WAY, (1, 3, 4)),
    "last ACK repeated": ((*OPEN, SYN_ACK, ACK), Handshake.THREE_WAY, (1, 2, 3)),
    "data completes it": (
        (SYN, SYN_ACK, sent(">", "PA", seq=1, ack=1, length=9)),
        Handshake.THREE_WAY,
        (1, 2, 3),
    ),
    "refused": ((SYN, sent("<", "RA", ack=1)), Handshake.REFUSED, (1, 2)),
    "refused at the second try": ((SYN, SYN, sent("<", "RA", ack=1)), Handshake.REFUSED, (2, 3)),
    "unanswered": ((SYN, SYN, SYN), Handshake.UNANSWERED, (1, 2, 3)),
    "unfinished": ((SYN, SYN_ACK), Handshake.UNFINISHED, (1, 2)),
    "half-open scan": ((SYN, SYN_ACK, sent(">", "R", seq=1)), Handshake.UNFINISHED, (1, 2)),
    "from the middle": ((sent(">", "PA", seq=9, ack=9, length=1),), Handshake.NOT_SEEN, ()),
    "SYN not captured": ((SYN_ACK, ACK), Handshake.NOT_SEEN, ()),
    "simultaneous": (
        (SYN, sent("<", "S"), sent(">", "SA", ack=1), sent("<", "SA", ack=1)),
        Handshake.SIMULTANEOUS,
        (1, 2, 3, 4),
    ),
}


@pytest.mark.parametrize(("segments", "kind", "frames"), CASES.values(), ids=CASES)
def test_the_handshake_is_named_and_shown(
    segments: tuple[Sent, ...], kind: Handshake, frames: tuple[int, ...]
) -> None:
    connection = one(*segments)
    assert (connection.handshake, connection.handshake_frames) == (kind, frames)


def test_the_receiver_of_a_syn_ack_is_the_client() -> None:
    assert one(SYN_ACK, ACK).client.port == 40000


def test_the_rtt_runs_from_the_latest_syn_to_the_third_segment() -> None:
    slow = sent("<", "SA", ack=1, after=4 * MILLISECOND)
    assert one(SYN, SYN, slow, ACK).rtt == 5 * MILLISECOND


def test_no_rtt_without_a_third_segment() -> None:
    assert one(SYN, SYN_ACK).rtt is None


def test_the_window_scale_is_in_force_only_if_both_offer_it() -> None:
    offers = sent(">", "S", options=scale(7))
    assert one(offers, SYN_ACK).scale == (0, 0)


def test_both_window_scales_are_kept() -> None:
    answer = sent("<", "SA", ack=1, options=scale(3))
    assert one(sent(">", "S", options=scale(7)), answer).scale == (7, 3)


def test_the_window_scale_is_unknown_without_a_syn() -> None:
    assert one(ACK).scale == (None, None)


def test_the_announced_mss_is_kept() -> None:
    assert one(sent(">", "S", options=mss(1460)), SYN_ACK).mss == (1460, None)


def test_the_initial_sequence_numbers_are_absolute() -> None:
    assert one(*OPEN, isn=(7, 4294967295)).isn == (7, 4294967295)
