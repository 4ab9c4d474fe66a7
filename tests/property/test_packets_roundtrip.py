"""What the lab writes, it reads back: frames, times, directions, comments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.evidence.vantage import match_views
from lab.packets import pcapng_writer as writer
from lab.packets.annotate import annotate
from lab.packets.checksums import internet_checksum
from lab.packets.frames import Direction
from lab.packets.reader import read_capture
from tests.handmade import checksum

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
FRAMES = st.lists(
    st.tuples(
        st.integers(0, 2**63 - 1),
        st.sampled_from(Direction),
        st.binary(max_size=100),
        st.integers(0, 3000),
    ),
    max_size=12,
)


def written(frames):
    begin = writer.section_header() + writer.interface_description("eth0")
    rows = [(time, len(octets) + more, way, octets) for time, way, octets, more in frames]
    return begin + writer.packet_blocks(rows)


def contents(frames):
    ends = (frames.start + frames.captured).tolist()
    return [frames.octets[a:b].tobytes() for a, b in zip(frames.start.tolist(), ends, strict=True)]


@given(FRAMES)
def test_octets_come_back(frames):
    assert contents(read_capture(written(frames)).frames) == [f[2] for f in frames]


@given(FRAMES)
def test_times_directions_and_lengths_come_back(frames):
    read = read_capture(written(frames)).frames
    assert list(zip(read.time, read.direction, read.length - read.captured, strict=True)) == [
        (time, way, more) for time, way, _, more in frames
    ]


@given(FRAMES.filter(bool), st.data())
def test_comments_come_back_and_frames_stay(frames, data):
    numbers = st.integers(1, len(frames))
    wanted = data.draw(st.dictionaries(numbers, st.lists(TEXT, min_size=1, max_size=3)))
    before = written(frames)
    after = read_capture(b"".join(annotate(before, wanted, {"10.0.0.1": "client"}, ())))
    flat = tuple((n, words) for n in sorted(wanted) for words in wanted[n])
    assert (after.comments, contents(after.frames)) == (
        flat,
        contents(read_capture(before).frames),
    )


@given(st.binary(max_size=200))
def test_the_remainder_is_the_ones_complement_sum(octets):
    assert internet_checksum(octets) == checksum(octets)


@given(FRAMES, st.data())
def test_every_frame_of_two_views_is_paired_or_alone(frames, data):
    other = data.draw(st.permutations(frames)) if frames else []
    other = other[: data.draw(st.integers(0, len(other)))]
    first, second = read_capture(written(frames)), read_capture(written(other))
    match = match_views(first, second)
    here, there = contents(first.frames), contents(second.frames)
    assert [here[i] for i in match.first] == [there[i] for i in match.second]
    assert sorted([*match.first, *match.only_first]) == list(range(len(here)))
    assert len(match.only_second) == 0
