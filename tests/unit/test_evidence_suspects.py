"""Plain connections are passed over as columns; whatever has something to tell is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.evidence.run import View
from lab.evidence.suspects import plain, suspects
from lab.tcp.connections import connections
from tests.builders import MILLISECOND, Sent, conversation, mss, sent

OPTIONS = mss(1460)
SYN = sent(">", "S", options=OPTIONS)
SYN_ACK = sent("<", "SA", ack=1, options=OPTIONS)
THIRD = sent(">", "A", seq=1, ack=1)
DATA = sent(">", "PA", seq=1, ack=1, length=10)
ACKED = sent("<", "A", seq=1, ack=11)
FIN = sent(">", "FA", seq=11, ack=1)
FIN_ACK = sent("<", "FA", seq=1, ack=12)
HELD = sent("<", "A", seq=1, ack=11, after=40 * MILLISECOND)
FREED = sent(">", "PA", seq=11, ack=1, length=10)
LAST = sent(">", "A", seq=12, ack=2)
HEALTHY = (SYN, SYN_ACK, THIRD, DATA, ACKED, FIN, FIN_ACK, LAST)
DONE = (sent(">", "A", seq=11, ack=1), FIN, FIN_ACK, LAST)


def with_(position: int, segment: Sent) -> tuple[Sent, ...]:
    return (*HEALTHY[:position], segment, *HEALTHY[position + 1 :])


def view(*segments: Sent) -> View:
    told = conversation(*segments)
    return View("", "a.pcap", told, connections(told), ())  # type: ignore[arg-type]


def chosen(*segments: Sent) -> list[int]:
    return [one.stream for one in suspects(view(*segments)).closely]


def at_hand(*segments: Sent) -> View:
    """The same, with its connections made already."""
    told = conversation(*segments)
    return View("", "a.pcap", told, tuple(connections(told)), ())


def test_a_connection_that_opens_talks_and_closes_is_plain() -> None:
    assert list(suspects(view(*HEALTHY)).closely) == []
    assert list(suspects(at_hand(*HEALTHY)).closely) == []


def test_numbers_that_wrap_change_nothing() -> None:
    told = conversation(*HEALTHY, isn=((1 << 32) - 5, (1 << 32) - 1))
    assert plain(connections(told).table, told.frames).tolist() == [True]


def test_a_slow_connection_is_plain_too() -> None:
    assert list(suspects(view(*with_(4, HELD))).closely) == []


def test_a_server_that_closes_first_is_plain() -> None:
    fin, fin_ack = sent("<", "FA", seq=1, ack=11), sent(">", "FA", seq=11, ack=2)
    last = sent("<", "A", seq=2, ack=12)
    assert list(suspects(view(*HEALTHY[:5], fin, fin_ack, last)).closely) == []


@pytest.mark.parametrize(
    "segments",
    [
        HEALTHY[:-1],
        HEALTHY[1:],
        HEALTHY[2:],
        HEALTHY[:1],
        with_(0, sent(">", "S")),
        with_(1, sent("<", "SA", ack=1)),
        with_(1, sent("<", "RA", ack=1)),
        with_(3, sent(">", "PAU", seq=1, ack=1, length=10)),
        with_(3, sent(">", "PAE", seq=1, ack=1, length=10)),
        with_(3, sent(">", "PA", seq=2, ack=1, length=9)),
        (*HEALTHY[:4], HELD, FREED, *HEALTHY[5:]),
        with_(4, sent("<", "A", seq=1, ack=11, window=0)),
        with_(6, sent("<", "FA", seq=1, ack=11)),
        with_(7, sent(">", "R", seq=12)),
        with_(7, sent(">", "A", seq=12, ack=1)),
        (*HEALTHY, sent("<", "FA", seq=1, ack=12)),
        (*HEALTHY[:4], DATA, *HEALTHY[4:]),
    ],
    ids=[
        *("cut at the end", "no SYN", "from the middle", "a SYN alone", "no MSS", "no MSS back"),
        *("refused", "urgent", "congestion", "a gap", "held back", "no window", "FINs that cross"),
        *("reset", "a FIN not acknowledged", "a FIN again", "a retransmission"),
    ],
)
def test_what_differs_from_that_is_looked_at(segments: tuple[Sent, ...]) -> None:
    assert [one.stream for one in suspects(view(*segments)).closely] == [0]
    assert [one.stream for one in suspects(at_hand(*segments)).closely] == [0]


def test_who_had_the_ports_before_is_looked_at_too() -> None:
    again = (sent(">", "S", seq=9000, options=OPTIONS),)
    assert [one.stream for one in suspects(view(*HEALTHY, *again)).closely] == [0, 1]
    assert [one.stream for one in suspects(at_hand(*HEALTHY, *again)).closely] == [0, 1]


def test_a_capture_without_connections_has_no_suspects() -> None:
    assert list(suspects(view()).closely) == []


def test_data_set_free_in_one_connection_do_not_follow_what_came_in_another() -> None:
    """A client's fast open right after another connection's late ACK."""
    waiting = (*HEALTHY[:4], HELD)
    asks = replace(SYN, length=10)
    opened = (asks, sent("<", "SA", ack=11, options=OPTIONS), *DONE)
    assert chosen(*waiting, *(replace(one, ports=(40001, 80)) for one in opened)) == [0]


def test_equal_ports_of_other_hosts_are_not_shared() -> None:
    again = sent(">", "S", seq=9000, options=OPTIONS)
    told = chosen(*HEALTHY, again, *(replace(one, host="10.0.0.9") for one in HEALTHY))
    assert told == [0, 1]
