"""Segments are sorted into connections all at once as they would be one after another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.packets.frames import Capture
from lab.tcp import streams as module
from lab.tcp.streams import streams
from tests.builders import Sent, conversation

PORTS = ((40000, 80), (80, 40000), (40001, 80), (80, 80))
reusing = st.builds(
    Sent,
    way=st.sampled_from("<>"),
    flags=st.sampled_from(("S", "S", "SA", "SA", "A", "PA", "FA", "F", "R", "RA")),
    seq=st.integers(0, 2),
    ack=st.integers(0, 2) | st.none(),
    ports=st.sampled_from(PORTS),
)
traffic = st.lists(reusing, max_size=60)


def shown(capture: Capture) -> list[tuple[list[int], list[bool], bool]]:
    found = streams(capture.frames)
    bounds = [found.segments.bounds(i) for i in range(len(found.segments.first))]
    return [
        (found.segments.row[at].tolist(), found.segments.second[at].tolist(), bool(reused))
        for at, reused in zip(bounds, found.reused, strict=True)
    ]


@settings(max_examples=300, deadline=None)
@given(traffic)
def test_reused_ports_are_split_as_one_by_one(parts: list[Sent]) -> None:
    capture = conversation(*parts)
    found = shown(capture)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROUNDS", 0)
        assert found == shown(capture)


@settings(max_examples=100, deadline=None)
@given(traffic)
def test_without_a_hash_the_groups_are_the_same(parts: list[Sent]) -> None:
    capture = conversation(*parts)
    found = shown(capture)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TRIES", 0)
        assert found == shown(capture)


@settings(max_examples=100, deadline=None)
@given(traffic)
def test_every_segment_belongs_to_one_connection_and_keeps_its_place(parts: list[Sent]) -> None:
    found = shown(conversation(*parts))
    assert sorted(row for rows, _, _ in found for row in rows) == list(range(len(parts)))
    assert all(rows == sorted(rows) and not second[0] for rows, second, _ in found)
    assert [rows[0] for rows, _, _ in found] == sorted(rows[0] for rows, _, _ in found)
