"""Why a segment was sent again, told from what congestion control said."""

from __future__ import annotations

import pytest

from lab.evidence.causes import Cause, causes, too_big_errors
from lab.evidence.events import Congestion, Retransmission
from lab.tcp.segments import Segment, segments
from tests.builders import EPOCH, MILLISECOND, OPEN, capture, conversation, one, sent
from tests.handmade import CLIENT, SERVER, ethernet, icmp, ipv4

LOCAL, PEER = ("10.0.0.1", 40000), ("10.0.0.2", 80)


def again(*times: int, state: str = "ESTABLISHED") -> list[tuple[int, Retransmission]]:
    """Retransmissions at so many ms, of frames numbered from 10."""
    return [
        (10 + n, Retransmission(time=time * MILLISECOND, local=LOCAL, peer=PEER, state=state))
        for n, time in enumerate(times)
    ]


def control(*states: tuple[int, str]) -> list[Congestion]:
    return [
        Congestion(time=time * MILLISECOND, local=LOCAL, peer=PEER, state=state)
        for time, state in states
    ]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([(199, "Loss")], Cause.TIMEOUT),
        ([(100, "Disorder"), (199, "Recovery")], Cause.RECOVERY),
        ([(199, "Disorder")], Cause.PROBE),
        ([], Cause.PROBE),
        ([(100, "Loss"), (150, "Open")], Cause.PROBE),
        ([(201, "Loss")], Cause.PROBE),
    ],
    ids=["timeout", "recovery", "probe", "nothing noticed", "long over", "only later"],
)
def test_what_congestion_control_says_is_the_cause(
    states: list[tuple[int, str]], expected: Cause
) -> None:
    assert causes(again(200), control(*states), ()) == {10: expected}


def test_each_timeout_enters_loss_anew() -> None:
    told = causes(again(200, 600), control((199, "Loss"), (599, "Loss")), ())
    assert set(told.values()) == {Cause.TIMEOUT}


def test_what_follows_a_timeout_without_another_is_its_repair() -> None:
    told = causes(again(200, 201), control((199, "Loss")), ())
    assert told == {10: Cause.TIMEOUT, 11: Cause.REPAIR}


def test_a_smaller_path_mtu_is_no_timeout() -> None:
    told = causes(again(200), control((199, "Loss")), (), too_big=[198 * MILLISECOND])
    assert told == {10: Cause.TOO_BIG}


def syn_acks(*between: str) -> list[Segment]:
    """A SYN, a SYN,ACK, something, and the SYN,ACK again."""
    syn, syn_ack, _ = OPEN
    read = conversation(syn, syn_ack, *(sent(">", flags) for flags in between), syn_ack)
    connection = one(syn, syn_ack, *(sent(">", flags) for flags in between), syn_ack)
    return segments(read.frames, connection.rows, connection.from_client)


def test_a_syn_ack_is_sent_again_by_its_timer() -> None:
    read = syn_acks()
    told = causes([(3, again(1, state="SYN-RECEIVED")[0][1])], (), read)
    assert told == {3: Cause.TIMEOUT}


def test_a_syn_ack_is_sent_again_for_a_repeated_syn() -> None:
    read = syn_acks("S")
    told = causes([(4, again(1, state="SYN-RECEIVED")[0][1])], (), read)
    assert told == {4: Cause.SYN_AGAIN}


@pytest.mark.parametrize(("code", "found"), [(4, True), (3, False)])
def test_an_error_that_tells_of_a_smaller_mtu_is_known(code: int, found: bool) -> None:
    body = icmp(3, code, bytes(28))
    error = ethernet(ipv4(body, 1, source=SERVER, destination=CLIENT))
    read = capture([(EPOCH, error)])
    assert too_big_errors(read.frames) == ((EPOCH,) if found else ())
