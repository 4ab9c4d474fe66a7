"""conn_state and history are what Zeek writes."""

from __future__ import annotations

import pytest

from tests.builders import OPEN, Sent, one, sent

SYN, SYN_ACK, ACK = OPEN
REQUEST = sent(">", "PA", seq=1, ack=1, length=10)
REPLY = sent("<", "PA", seq=1, ack=11, length=20)
FIN = sent(">", "FA", seq=1, ack=1)
FIN_ACK = sent("<", "FA", seq=1, ack=2)

CASES: dict[str, tuple[tuple[Sent, ...], str, str]] = {
    "attempt": ((SYN,), "S0", "S"),
    "repeated attempt": ((SYN, SYN), "S0", "S"),
    "rejected": ((SYN, sent("<", "RA", ack=1)), "REJ", "Sr"),
    "answered only": ((SYN, SYN_ACK), "S1", "Sh"),
    "established": (OPEN, "S1", "ShA"),
    "data": ((*OPEN, REQUEST, REPLY), "S1", "ShADd"),
    "closed": ((*OPEN, FIN, FIN_ACK, sent(">", "A", seq=2, ack=2)), "SF", "ShAFf"),
    "originator closed": ((*OPEN, FIN), "S2", "ShAF"),
    "responder closed": ((*OPEN, sent("<", "FA", seq=1, ack=1)), "S3", "ShAf"),
    "originator reset": ((*OPEN, sent(">", "R", seq=1)), "RSTO", "ShAR"),
    "responder reset": ((*OPEN, sent("<", "R", seq=1)), "RSTR", "ShAr"),
    "SYN, then RST": ((SYN, sent(">", "R", seq=1)), "RSTOS0", "SR"),
    "SYN, then FIN": ((SYN, sent(">", "FA", seq=1, ack=1)), "SH", "SF"),
    "from the middle": ((sent(">", "PA", seq=9, ack=9, length=1),), "OTH", "D"),
    "middle, server first": (
        (sent("<", "PA", seq=9, ack=9, length=1), sent(">", "A", seq=9, ack=10)),
        "OTH",
        "^dA",
    ),
    "SYN not captured": ((SYN_ACK, ACK), "S1", "^hA"),
    "retransmitted data": ((*OPEN, REQUEST, REQUEST), "S1", "ShADT"),
    "zero window": ((*OPEN, sent("<", "A", seq=1, ack=1, window=0)), "S1", "ShAaw"),
    "FIN and RST": ((*OPEN, sent(">", "FRA", seq=1, ack=1)), "RSTO", "ShAI"),
    "RST after both FINs": ((*OPEN, FIN, FIN_ACK, sent(">", "R", seq=2)), "SF", "ShAFfR"),
}


@pytest.mark.parametrize(("segments", "state", "history"), CASES.values(), ids=CASES)
def test_zeek_says(segments: tuple[Sent, ...], state: str, history: str) -> None:
    connection = one(*segments)
    assert (connection.conn_state, connection.history) == (state, history)


def test_repeated_events_are_written_at_the_first_and_tenth() -> None:
    assert one(*OPEN, *[REQUEST] * 11).history == "ShADTT"


def test_a_gap_is_written_for_the_side_whose_data_are_missing() -> None:
    unseen = sent("<", "A", seq=1, ack=500)
    assert one(*OPEN, REQUEST, unseen).history == "ShADaG"
