"""Round trips, timeouts and throughput of one connection."""

from __future__ import annotations

import pytest

from lab.packets.frames import Capture
from lab.tcp.connections import connections
from lab.tcp.model import Connection
from lab.tcp.segments import CLIENT, SERVER
from lab.tcp.timing import SECOND, round_trips, throughput, timeouts
from tests.builders import MILLISECOND, OPEN, Sent, conversation, sent

DATA = sent(">", "PA", seq=1, ack=1, length=100)
MORE = sent(">", "PA", seq=101, ack=1, length=100)
BOTH = sent("<", "A", seq=1, ack=201, after=30 * MILLISECOND)


def only(*parts: Sent) -> tuple[Capture, Connection]:
    capture = conversation(*parts)
    return capture, connections(capture)[0]


def samples(*parts: Sent, side: int = CLIENT) -> list[tuple[int, int, int]]:
    capture, connection = only(*parts)
    found = round_trips(capture.frames, connection, side)
    return list(zip(found.frame.tolist(), found.sent.tolist(), found.rtt.tolist(), strict=True))


def test_the_handshake_gives_each_end_a_sample() -> None:
    assert samples(*OPEN) == [(2, 1, MILLISECOND)]
    assert samples(*OPEN, side=SERVER) == [(3, 2, MILLISECOND)]


def test_an_ack_measures_the_newest_segment_that_it_covers() -> None:
    assert samples(*OPEN, DATA, MORE, BOTH)[1:] == [(6, 5, 30 * MILLISECOND)]


def test_what_was_sent_twice_measures_nothing() -> None:
    assert samples(*OPEN, DATA, DATA, sent("<", "A", seq=1, ack=101)) == samples(*OPEN)


def test_an_ack_that_says_nothing_new_measures_nothing() -> None:
    assert samples(*OPEN, DATA, MORE, BOTH, BOTH) == samples(*OPEN, DATA, MORE, BOTH)


def test_the_first_timeout_is_three_times_the_first_sample() -> None:
    assert timeouts([2 * SECOND]) == [6 * SECOND]


def test_steady_round_trips_bring_the_timeout_down_to_the_floor() -> None:
    steady = timeouts([40 * MILLISECOND] * 50, floor=200 * MILLISECOND)
    assert steady == sorted(steady, reverse=True)
    assert timeouts([SECOND] * 60)[-1] - SECOND < 10 * MILLISECOND
    assert steady[-1] == 200 * MILLISECOND


def test_a_slow_sample_raises_the_timeout_at_once() -> None:
    calm, shaken = timeouts([SECOND, SECOND, 3 * SECOND])[1:]
    assert shaken > calm


def test_no_timeout_is_longer_than_a_minute() -> None:
    assert timeouts([50 * SECOND]) == [60 * SECOND]


def test_throughput_counts_octets_once_in_the_interval_that_brings_them() -> None:
    late = sent(">", "PA", seq=101, ack=1, length=100, after=SECOND)
    capture, connection = only(*OPEN, DATA, DATA, late)
    found = throughput(capture.frames, connection, CLIENT, every=SECOND // 2)
    assert found.tolist() == pytest.approx([200, 0, 200])
    assert throughput(capture.frames, connection, SERVER).tolist() == [0, 0]
