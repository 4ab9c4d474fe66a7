"""What is told once for all connections that went the same way is true of each of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.packets.frames import Capture
from lab.tcp.alike import likely_flipped
from lab.tcp.analysis import table
from lab.tcp.completeness import completeness
from lab.tcp.connections import connections
from lab.tcp.model import Connection
from lab.tcp.numbers import stream_octets
from lab.tcp.opening import initial_numbers
from lab.tcp.outcomes import (
    Outcome,
    client_sent_first,
    how_it_went,
    outcome_of_segments,
)
from lab.tcp.segments import CLIENT, SERVER, Segment, segments
from lab.tcp.table import Table
from tests.builders import OPEN, Sent, conversation
from tests.property.test_tcp_judging import hostile, transfers, with_drops

Frames = tuple[tuple[int, ...], tuple[int, ...]]

# Few numbers, many flags: openings and closings of all kinds, whole and broken.
shaken = st.builds(
    Sent,
    way=st.sampled_from("<>"),
    flags=st.sampled_from(("S", "SA", "A", "A", "PA", "FA", "FA", "F", "R", "RA", "FRA", "")),
    seq=st.integers(0, 3),
    ack=st.integers(0, 3) | st.none(),
    length=st.sampled_from((0, 0, 0, 1, 2)),
    window=st.sampled_from((100, 100, 100, 0)),
    ports=st.sampled_from(((40000, 80), (80, 40000), (80, 443))),
)
orderly = st.lists(
    st.sampled_from(
        (
            Sent(">", "PA", seq=1, ack=1, length=5),
            Sent("<", "A", seq=1, ack=6),
            Sent("<", "PA", seq=1, ack=6, length=7),
            Sent(">", "A", seq=6, ack=8),
            Sent(">", "FA", seq=6, ack=8),
            Sent("<", "A", seq=8, ack=7),
            Sent("<", "FA", seq=8, ack=7),
            Sent("<", "FA", seq=8, ack=6),
            Sent(">", "A", seq=7, ack=9),
            Sent(">", "RA", seq=7, ack=9),
            Sent("<", "R", seq=8),
        )
    ),
    max_size=14,
)
traffic = (
    st.lists(shaken, min_size=1, max_size=12)
    | st.lists(hostile, min_size=1, max_size=25)
    | transfers()
    | with_drops()
    | orderly.map(lambda rest: [*OPEN, *rest])
)


def by_itself(capture: Capture, found: Table, stream: int) -> Outcome:
    frames, rows, second = capture.frames, found.rows(stream), found.second(stream)
    flipped = bool(likely_flipped(frames, found.segments)[stream])
    codes = [
        flags & 0x12 | 8 * other
        for flags, other in zip(frames.flags[rows].tolist(), second.tolist(), strict=True)
    ]
    client_first = client_sent_first(codes, flipped=flipped)
    parts = segments(frames, rows, ~second if client_first else second)
    return outcome_of_segments(parts, flipped=flipped, client_first=client_first)


def frames_by_itself(connection: Connection, capture: Capture) -> Frames:
    parts = segments(capture.frames, connection.rows, connection.from_client)
    opened, closed, _ = how_it_went(parts)
    return opened.frames, closed.frames


def sums(parts: list[Segment]) -> tuple[int, int, int]:
    isn = initial_numbers(parts)
    client, server = (stream_octets(parts, side, isn) for side in (CLIENT, SERVER))
    return completeness(parts), client, server


@settings(max_examples=300, deadline=None)
@given(traffic, st.sampled_from((0, 5, (1 << 32) - 3)))
def test_a_way_tells_what_its_segments_tell(parts: list[Sent], isn: int) -> None:
    capture = conversation(*parts, isn=(isn, 7000))
    found = table(capture.frames)
    for stream in range(len(found)):
        assert found.outcome_of(stream) == by_itself(capture, found, stream)
        assert (found.completeness[stream], *found.octets[:, stream].tolist()) == sums(
            segments(capture.frames, found.rows(stream), ~found.second(stream))
        )


@settings(max_examples=300, deadline=None)
@given(traffic, st.sampled_from((0, 5, (1 << 32) - 3)))
def test_a_way_shows_the_frames_that_opened_and_closed(parts: list[Sent], isn: int) -> None:
    capture = conversation(*parts, isn=(isn, 7000))
    for connection in connections(capture):
        shown = connection.handshake_frames, connection.teardown_frames
        assert shown == frames_by_itself(connection, capture)


@settings(max_examples=200, deadline=None)
@given(with_drops(), st.lists(st.sampled_from("AB"), max_size=2))
def test_gaps_before_a_close_are_told(parts: list[Sent], closing: list[str]) -> None:
    ends = {"A": Sent(">", "FA", seq=1, ack=601), "B": Sent("<", "FA", seq=601, ack=2)}
    capture = conversation(*OPEN, *parts[3:], *(ends[letter] for letter in closing))
    found = table(capture.frames)
    assert found.outcome_of(0) == by_itself(capture, found, 0)


def test_a_fin_before_its_syn_is_told_by_its_segments() -> None:
    parts = [Sent(">", "S", seq=1), Sent(">", "FA", seq=0, ack=0), Sent("<", "A", seq=2, ack=1)]
    capture = conversation(*parts)
    found = table(capture.frames)
    assert found.outcome_of(0) == by_itself(capture, found, 0)
