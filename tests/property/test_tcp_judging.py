"""The columns say of every segment what the rules say that read one segment after another."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.packets.frames import Capture
from lab.tcp.analysis import table
from lab.tcp.flags import analyse
from lab.tcp.model import Analysis
from lab.tcp.opening import initial_rtt
from lab.tcp.segments import segments
from lab.tcp.table import Table
from tests.builders import Sent, conversation, scale

FLAGS = ("A", "A", "A", "PA", "PA", "FA", "RA", "R", "S", "SA", "", "FPA")
NEAR = st.integers(-2, 40).map(lambda units: units * 50)

hostile = st.builds(
    Sent,
    way=st.sampled_from("<>"),
    flags=st.sampled_from(FLAGS),
    seq=NEAR | st.integers(-3, 3) | st.sampled_from((1 << 30, 1 << 31, -(1 << 31))),
    ack=NEAR | st.none() | st.integers(0, 1 << 32),
    length=st.sampled_from((0, 0, 1, 50, 50, 100, 149)),
    window=st.sampled_from((0, 50, 100, 100, 64240)),
    after=st.sampled_from((1000, 1_000_000, 25_000_000)),
    options=st.sampled_from((b"", b"", scale(0), scale(1), scale(15))),
    sack=st.sampled_from(((), (), ((100, 150),), ((50, 100), (200, 300)))),
)


@st.composite
def transfers(draw: st.DrawFn) -> list[Sent]:
    """A download with segments lost, late, doubled, and ACKs for what has arrived."""
    count = draw(st.integers(1, 12))
    order = draw(st.permutations(range(count)))
    picks = draw(st.lists(st.sampled_from(range(count)), max_size=8))
    sent = [*sorted(order[: count // 2 + 1]), *order[count // 2 + 1 :], *picks]
    got: set[int] = set()
    found = [Sent(">", "S"), Sent("<", "SA", ack=1), Sent(">", "A", seq=1, ack=1)]
    for which in sent:
        gap = draw(st.sampled_from((1000, 30_000_000)))
        found.append(Sent("<", "PA", seq=1 + 50 * which, ack=1, length=50, after=gap))
        if draw(st.booleans()):
            got.add(which)
        edge = next(i for i in range(count + 1) if i not in got)
        blocks = tuple((1 + 50 * i, 51 + 50 * i) for i in got if i > edge)[:3]
        found.append(Sent(">", "A", seq=1, ack=1 + 50 * edge, sack=blocks, after=1000))
    return found


@st.composite
def with_drops(draw: st.DrawFn) -> list[Sent]:
    """The same, by a capture that misses frames."""
    parts = draw(transfers())
    missed = draw(st.sets(st.sampled_from(range(len(parts))), max_size=len(parts) // 2))
    return [part for i, part in enumerate(parts) if i not in missed]


traffic = st.lists(hostile, min_size=1, max_size=25) | transfers() | with_drops()


def by_columns(found: Table, stream: int) -> tuple[dict[int, Analysis], dict[int, int]]:
    flags, nth = found.flags_of(stream)
    kept = {frame: value & ~Analysis.REUSED_PORTS for frame, value in flags.items()}
    return {frame: value for frame, value in kept.items() if value}, nth


def one_by_one(
    capture: Capture, found: Table, stream: int
) -> tuple[dict[int, Analysis], dict[int, int]]:
    parts = segments(capture.frames, found.rows(stream), ~found.second(stream))
    verdicts = analyse(parts, initial_rtt(parts))
    return dict(verdicts.flags), dict(verdicts.duplicate_acks)


@settings(max_examples=300, deadline=None)
@given(traffic, st.integers(0, (1 << 32) - 1), st.none() | st.integers(54, 90))
def test_columns_agree_with_the_rules_one_by_one(
    parts: list[Sent], isn: int, snap: int | None
) -> None:
    capture = conversation(*parts, isn=(isn, (isn + 77) % (1 << 32)), snap=snap)
    found = table(capture.frames)
    for stream in range(len(found)):
        assert by_columns(found, stream) == one_by_one(capture, found, stream)


@settings(max_examples=100, deadline=None)
@given(transfers() | with_drops())
def test_loss_and_reordering_need_no_second_look(parts: list[Sent]) -> None:
    found = table(conversation(*parts).frames)
    assert not len(found.one_by_one)


@settings(max_examples=100, deadline=None)
@given(transfers(), st.integers(1, (1 << 32) - 1))
def test_a_number_in_a_syns_ack_field_needs_no_second_look(parts: list[Sent], number: int) -> None:
    capture = conversation(*(replace(p, ack=number) if p.flags == "S" else p for p in parts))
    found = table(capture.frames)
    assert not len(found.one_by_one)
    assert by_columns(found, 0) == one_by_one(capture, found, 0)


@settings(max_examples=100, deadline=None)
@given(transfers(), st.integers(0, (1 << 32) - 1))
def test_one_direction_alone_needs_no_second_look(parts: list[Sent], isn: int) -> None:
    capture = conversation(*(part for part in parts if part.way == ">"), isn=(5, isn))
    found = table(capture.frames)
    assert not len(found.one_by_one)
    assert by_columns(found, 0) == one_by_one(capture, found, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(transfers(), min_size=2, max_size=4))
def test_streams_do_not_touch_each_other(talks: list[list[Sent]]) -> None:
    apart = [
        [replace(part, ports=(40000 + i, 80)) for part in parts] for i, parts in enumerate(talks)
    ]
    mixed = [part for parts in zip_longest(*apart) for part in parts if part is not None]
    found = table(conversation(*mixed).frames)
    assert len(found) == len(talks)
    for stream in range(len(found)):
        assert by_columns(found, stream) == one_by_one(conversation(*mixed), found, stream)


def test_an_ack_before_the_other_end_was_seen_tells_of_nothing_unseen() -> None:
    parts = (
        Sent("<", "A", ack=0),
        Sent(">", "A", seq=-50, ack=0),
        Sent(">", "A", seq=0, ack=0),
    )
    flags, _ = by_columns(table(conversation(*parts).frames), 0)
    assert flags == {3: Analysis.LOST_SEGMENT}
