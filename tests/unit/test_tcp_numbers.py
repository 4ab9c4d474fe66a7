"""Numbers are relative to the ISN, windows scaled, octets counted once."""

from __future__ import annotations

from lab.tcp.connections import connections
from lab.tcp.numbers import Numbers, numbers
from tests.builders import OPEN, Sent, conversation, one, scale, sent

DATA = sent(">", "PA", seq=1, ack=1, length=10)


def shown(*parts: Sent, isn: tuple[int, int] = (1000, 5000)) -> Numbers:
    capture = conversation(*parts, isn=isn)
    (connection,) = connections(capture)
    return numbers(capture.frames, connection)


def test_numbers_count_from_the_isn() -> None:
    found = shown(*OPEN, DATA)
    assert (found.sequence.tolist(), found.acknowledgment.tolist()) == ([0, 0, 1, 1], [0, 1, 1, 1])


def test_numbers_run_on_past_the_wrap() -> None:
    found = shown(*OPEN, DATA, sent(">", "PA", seq=11, ack=1, length=5), isn=(0xFFFFFFF8, 1))
    assert found.sequence.tolist() == [0, 0, 1, 1, 11]


def test_without_a_syn_numbers_count_from_before_the_first() -> None:
    found = shown(sent(">", "PA", seq=700, ack=900, length=3), sent("<", "A", seq=900, ack=703))
    assert (found.sequence.tolist(), found.acknowledgment.tolist()) == ([1, 1], [1, 4])


def test_the_window_of_a_syn_is_not_scaled() -> None:
    syn, answer = sent(">", "S", options=scale(2)), sent("<", "SA", ack=1, options=scale(3))
    third = sent(">", "A", seq=1, ack=1, window=100)
    assert shown(syn, answer, third).window == (64240, 64240, 400)


def test_without_a_syn_the_window_is_unknown() -> None:
    assert shown(OPEN[2]).window == (None,)


def test_the_flight_is_what_is_not_acknowledged_yet() -> None:
    second = sent(">", "PA", seq=11, ack=1, length=10)
    found = shown(*OPEN, DATA, second, sent("<", "A", seq=1, ack=11), replaced(second, 21))
    assert found.flight[found.length > 0].tolist() == [10, 20, 20]


def replaced(segment: Sent, seq: int) -> Sent:
    return sent(segment.way, segment.flags, seq=seq, ack=segment.ack, length=segment.length)


def test_a_fin_consumes_one_sequence_number() -> None:
    assert shown(*OPEN, sent(">", "FA", seq=1, ack=1)).flight[-1] == 1


def test_each_octet_is_counted_once() -> None:
    overlapping = sent(">", "PA", seq=6, ack=1, length=10)
    assert one(*OPEN, DATA, overlapping, DATA).octets == (15, 0)


def test_a_keep_alives_octet_is_not_data() -> None:
    assert one(*OPEN, sent(">", "A", seq=0, ack=1, length=1)).octets == (0, 0)


def test_what_a_reset_carries_is_not_data() -> None:
    assert one(*OPEN, sent("<", "R", seq=1, length=8)).octets == (0, 0)
