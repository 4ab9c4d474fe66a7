"""Segments are told apart by connection: by endpoints first, then by reuse of the ports."""

from __future__ import annotations

from dataclasses import replace

from lab.tcp.completeness import completeness
from lab.tcp.connections import connections
from lab.tcp.model import Analysis
from lab.tcp.segments import segments
from tests.builders import OPEN, Sent, conversation, one, sent

RESET = sent(">", "R", seq=1)


def streams(*parts: Sent) -> list[list[int]]:
    return [(c.rows + 1).tolist() for c in connections(conversation(*parts))]


def shifted(parts: tuple[Sent, ...], by: int) -> list[Sent]:
    """The same segments with ISNs further on."""
    return [replace(p, seq=p.seq + by, ack=None if p.ack is None else p.ack + by) for p in parts]


def test_two_connections_are_numbered_by_their_first_segments() -> None:
    other = [replace(part, ports=(40001, 80)) for part in OPEN]
    assert streams(OPEN[0], other[0], *OPEN[1:], *other[1:]) == [[1, 3, 4], [2, 5, 6]]


def test_a_new_isn_on_the_same_ports_starts_a_new_stream() -> None:
    assert streams(*OPEN, *shifted(OPEN, 90_000)) == [[1, 2, 3], [4, 5, 6]]


def test_the_same_isn_is_a_repeated_syn() -> None:
    assert streams(OPEN[0], *OPEN) == [[1, 2, 3, 4]]


def test_the_same_isn_after_a_reset_starts_a_new_stream() -> None:
    assert streams(*OPEN, RESET, *OPEN) == [[1, 2, 3, 4], [5, 6, 7]]


def test_after_a_reset_the_first_syn_of_an_end_not_yet_heard_starts_none() -> None:
    """The RST may have been an earlier connection's: nothing contradicts the answer."""
    assert streams(OPEN[0], RESET, OPEN[1]) == [[1, 2, 3]]
    assert streams(RESET, OPEN[1]) == [[1, 2]]


def test_an_isn_not_seen_is_inferred_from_what_follows_it() -> None:
    assert streams(OPEN[2], OPEN[0]) == [[1, 2]]


def test_reused_ports_are_flagged() -> None:
    second = connections(conversation(*OPEN, *shifted(OPEN, 90_000)))[1]
    assert second.flags[4] == Analysis.REUSED_PORTS


def test_a_capture_without_tcp_has_no_connection() -> None:
    assert tuple(connections(conversation())) == ()


def test_the_side_of_each_row_is_told() -> None:
    assert one(*OPEN).from_client.tolist() == [True, False, True]


def test_completeness_adds_up_the_parts_of_a_life() -> None:
    capture = conversation(
        *OPEN,
        sent(">", "PA", seq=1, ack=1, length=5),
        sent(">", "FA", seq=6, ack=1),
        sent("<", "RA", seq=1, ack=7),
    )
    (found,) = connections(capture)
    parts = segments(capture.frames, found.rows, found.from_client)
    assert [completeness(parts[:n]) for n in range(1, 7)] == [1, 3, 7, 15, 31, 63]


def test_a_syn_counts_for_completeness_only_as_the_first_segment() -> None:
    assert one(OPEN[2], OPEN[0]).completeness == 4
