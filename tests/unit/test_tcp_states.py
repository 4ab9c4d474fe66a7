"""Both ends pass through the states of RFC 9293 at the frames that cause it."""

from __future__ import annotations

import pytest

from lab.tcp.connections import connections
from lab.tcp.model import State
from lab.tcp.segments import segments
from lab.tcp.states import TRANSITIONS, Event, Step, walk
from tests.builders import OPEN, Sent, conversation, one, sent

S = State
FIN = sent(">", "FA", seq=1, ack=1)
FOUR = (
    FIN,
    sent("<", "A", seq=1, ack=2),
    sent("<", "FA", seq=1, ack=2),
    sent(">", "A", seq=2, ack=2),
)
CROSSED = (
    FIN,
    sent("<", "FA", seq=1, ack=1),
    sent(">", "A", seq=2, ack=2),
    sent("<", "A", seq=2, ack=2),
)


def steps(*parts: Sent) -> list[Step]:
    capture = conversation(*parts)
    (connection,) = connections(capture)
    return list(walk(segments(capture.frames, connection.rows, connection.from_client)))


def states(*parts: Sent) -> list[tuple[State, State]]:
    return [step.states for step in steps(*parts)]


def test_three_segments_open_a_connection() -> None:
    assert states(*OPEN) == [
        (S.SYN_SENT, S.SYN_RECEIVED),
        (S.ESTABLISHED, S.SYN_RECEIVED),
        (S.ESTABLISHED, S.ESTABLISHED),
    ]


def test_four_segments_close_a_connection() -> None:
    assert states(*OPEN, *FOUR)[3:] == [
        (S.FIN_WAIT_1, S.CLOSE_WAIT),
        (S.FIN_WAIT_2, S.CLOSE_WAIT),
        (S.TIME_WAIT, S.LAST_ACK),
        (S.TIME_WAIT, S.CLOSED),
    ]


def test_a_merged_fin_and_ack_passes_through_fin_wait_2() -> None:
    merged = sent("<", "FA", seq=1, ack=2)
    client = [change.after for change in steps(*OPEN, FIN, merged)[-1].changes if not change.side]
    assert client == [S.FIN_WAIT_2, S.TIME_WAIT]


def test_crossing_fins_pass_through_closing() -> None:
    assert states(*OPEN, *CROSSED)[3:] == [
        (S.FIN_WAIT_1, S.ESTABLISHED),
        (S.CLOSING, S.FIN_WAIT_1),
        (S.CLOSING, S.TIME_WAIT),
        (S.TIME_WAIT, S.TIME_WAIT),
    ]


def test_crossing_syns_pass_through_syn_received() -> None:
    crossed = (
        sent(">", "S"),
        sent("<", "S"),
        sent(">", "SA", ack=1),
        sent("<", "SA", ack=1),
    )
    assert states(*crossed) == [
        (S.SYN_SENT, S.CLOSED),
        (S.SYN_RECEIVED, S.SYN_SENT),
        (S.SYN_RECEIVED, S.ESTABLISHED),
        (S.ESTABLISHED, S.ESTABLISHED),
    ]


ENDS = {
    "refused": ((sent(">", "S"), sent("<", "RA", ack=1)), (S.CLOSED, S.CLOSED)),
    "unanswered": ((sent(">", "S"), sent(">", "S")), (S.SYN_SENT, S.CLOSED)),
    "half-open scan": ((*OPEN[:2], sent(">", "R", seq=1)), (S.CLOSED, S.LISTEN)),
    "reset": ((*OPEN, sent("<", "R", seq=1)), (S.CLOSED, S.CLOSED)),
    "reset off the window": ((*OPEN, sent("<", "R", seq=900)), (S.ESTABLISHED, S.ESTABLISHED)),
    "lost FIN": ((*OPEN, FIN, *FOUR), (S.TIME_WAIT, S.CLOSED)),
    "last ACK repeated": ((*OPEN, *FOUR, *FOUR[2:]), (S.TIME_WAIT, S.CLOSED)),
    "from the middle": ((OPEN[2], *FOUR), (S.TIME_WAIT, S.CLOSED)),
    "SYN not captured": (OPEN[1:], (S.ESTABLISHED, S.ESTABLISHED)),
    "SYN,ACK not captured": ((OPEN[0], OPEN[2]), (S.ESTABLISHED, S.ESTABLISHED)),
    "half closed": ((*OPEN, *FOUR[:2]), (S.FIN_WAIT_2, S.CLOSE_WAIT)),
}


@pytest.mark.parametrize(("parts", "final"), ENDS.values(), ids=ENDS)
def test_both_ends_finish_in(parts: tuple[Sent, ...], final: tuple[State, State]) -> None:
    assert one(*parts).states == final


def test_a_lost_fin_is_received_with_its_last_copy() -> None:
    assert states(*OPEN, FIN, *FOUR)[3] == (S.FIN_WAIT_1, S.ESTABLISHED)


def test_each_change_names_the_event_that_caused_it() -> None:
    changes = steps(*OPEN)[1].changes
    assert [(c.side, c.event) for c in changes] == [(0, Event.RECEIVED_SYN_ACK)]


def test_every_state_can_be_reached() -> None:
    assert set(TRANSITIONS.values()) | {S.CLOSED} == set(S)


def test_a_reset_closes_from_every_state_but_those_of_a_passive_open() -> None:
    kept = {state for state in S if TRANSITIONS.get((state, Event.RECEIVED_RST)) is not S.CLOSED}
    assert kept == {S.LISTEN, S.SYN_RECEIVED}
