"""Sequence arithmetic wraps (RFC 9293 section 3.4), and nothing depends on where it starts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lab.tcp.connections import connections
from lab.tcp.segments import distance
from lab.units import HALF, MODULUS, SequenceNumber
from tests.builders import OPEN, Sent, conversation, one, sent

numbers = st.integers(0, MODULUS - 1)
spans = st.integers(-HALF, HALF - 1)


@given(numbers, spans)
def test_a_difference_undoes_a_sum(start: int, span: int) -> None:
    assert (SequenceNumber(start) + span) - start == span


@given(numbers, st.integers(1, HALF - 1))
def test_what_lies_in_the_half_circle_ahead_is_greater(start: int, span: int) -> None:
    ahead = SequenceNumber(start) + span
    assert ahead > start
    assert ahead >= start
    assert SequenceNumber(start) < ahead
    assert not SequenceNumber(start) >= ahead


@given(numbers, numbers)
def test_the_rules_and_the_unit_measure_alike(later: int, earlier: int) -> None:
    assert distance(later, earlier) == SequenceNumber(later) - earlier


@given(st.integers())
def test_every_number_lies_within_the_circle(value: int) -> None:
    assert 0 <= int(SequenceNumber(value)) < MODULUS


segment = st.builds(
    sent,
    way=st.sampled_from("<>"),
    flags=st.sampled_from(["A", "A", "PA", "PA", "FA", "RA"]),
    seq=st.integers(0, 12),
    ack=st.integers(1, 12),
    length=st.integers(0, 4),
    window=st.sampled_from([0, 4, 64240]),
    after=st.sampled_from([1000, 1_000_000, 300_000_000]),
    sack=st.sampled_from([(), (), ((6, 9),)]),
)
talks = st.lists(segment, max_size=12).map(lambda parts: (*OPEN, *parts))


@given(talks, numbers, numbers)
def test_shifting_both_isns_changes_nothing_else(
    talk: tuple[Sent, ...], mine: int, theirs: int
) -> None:
    plain, shifted = one(*talk), one(*talk, isn=(mine, theirs))
    assert shifted.isn == (mine, theirs)
    assert _told(plain) == _told(shifted)


@given(st.lists(segment, min_size=1, max_size=12), numbers, numbers)
def test_shifting_changes_nothing_of_a_connection_seen_from_the_middle(
    talk: list[Sent], mine: int, theirs: int
) -> None:
    assert _told(one(*talk)) == _told(one(*talk, isn=(mine, theirs)))


@given(talks)
def test_what_is_later_than_a_segment_does_not_change_its_flags(talk: tuple[Sent, ...]) -> None:
    whole, part = one(*talk), one(*talk[:-1])
    last = len(talk)
    assert {f: v for f, v in whole.flags.items() if f < last} == part.flags


@given(talks)
def test_octets_never_exceed_the_payload_sent(talk: tuple[Sent, ...]) -> None:
    sums = [sum(part.length for part in talk if part.way == way) for way in "><"]
    assert all(octets <= total for octets, total in zip(one(*talk).octets, sums, strict=True))


@given(talks)
def test_the_clock_of_the_capture_does_not_matter(talk: tuple[Sent, ...]) -> None:
    later = (replace(talk[0], after=10**15), *talk[1:])
    assert _told(one(*talk)) == _told(one(*later))


anything = st.builds(
    sent,
    way=st.sampled_from("<>"),
    flags=st.text("FSRPA", max_size=5).map(lambda letters: "".join(sorted(set(letters)))),
    seq=st.integers(0, 5),
    ack=st.integers(0, 5),
    length=st.integers(0, 3),
    window=st.sampled_from([0, 64240]),
)


@given(st.lists(anything, min_size=1, max_size=10))
def test_every_segment_belongs_to_exactly_one_connection(talk: list[Sent]) -> None:
    rows = [row for c in connections(conversation(*talk)) for row in c.rows.tolist()]
    assert sorted(rows) == list(range(len(talk)))


def _told(connection: object) -> dict[str, object]:
    """All that is said of a connection but its absolute numbers and its arrays."""
    left_out = ("isn", "rows", "from_client")
    names = [name for name in connection.__slots__ if name not in left_out]  # type: ignore[attr-defined]
    return {name: getattr(connection, name) for name in names}
