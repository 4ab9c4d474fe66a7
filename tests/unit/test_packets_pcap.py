"""The classic pcap format: byte orders, resolutions, and files that end or lie."""

from __future__ import annotations

import struct

import pytest

from lab.errors import NotACapture
from lab.packets.frames import Damage
from lab.packets.reader import read_capture
from tests.handmade import ethernet, ipv4, pcap, tcp

FRAME = ethernet(ipv4(tcp(b"hello"), 6))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "tick"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_times_are_nanoseconds_in_either_order_and_resolution(order, magic, tick):
    capture = read_capture(pcap([FRAME, FRAME], order=order, magic=magic))
    assert capture.frames.time.tolist() == [5 * tick, 1_000_000_000 + 5 * tick]


def test_a_frame_lies_where_its_record_says():
    file = pcap([FRAME])
    frames = read_capture(file).frames
    assert file[frames.start[0] :][: frames.captured[0]] == FRAME


def test_the_snap_length_cuts_the_captured_length_only():
    frames = read_capture(pcap([FRAME], cut=30)).frames
    assert (frames.captured[0], frames.length[0]) == (30, len(FRAME))


def test_the_longer_record_header_of_kuznetzov_is_stepped_over():
    head = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 262144, 1)
    record = struct.pack("<IIII8x", 1, 2, len(FRAME), len(FRAME)) + FRAME
    assert read_capture(head + record * 2).frames.payload_length.tolist() == [5, 5]


def test_lengths_changed_places_before_version_2_3():
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 2, 0, 0, 262144, 1)
    record = struct.pack("<IIII", 1, 2, 1000, len(FRAME)) + FRAME
    frames = read_capture(head + record).frames
    assert (frames.captured[0], frames.length[0]) == (len(FRAME), 1000)


def test_a_file_cut_inside_a_frame_keeps_the_frames_before():
    file = pcap([FRAME, FRAME])
    capture = read_capture(file[:-1])
    (problem,) = capture.problems
    assert (len(capture.frames), problem.kind, problem.offset) == (
        1,
        Damage.TRUNCATED,
        24 + 16 + len(FRAME),
    )


def test_a_file_cut_inside_a_record_header_keeps_the_frames_before():
    file = pcap([FRAME]) + bytes(7)
    capture = read_capture(file)
    assert (len(capture.frames), capture.problems[0].kind) == (1, Damage.TRUNCATED)


def test_an_absurd_length_is_damage():
    file = pcap([FRAME]) + struct.pack("<IIII", 0, 0, 0xFFFFFFF0, 60)
    (problem,) = read_capture(file).problems
    assert (problem.kind, "4294967280" in problem.claim.en) == (Damage.IMPOSSIBLE, True)


def test_a_file_header_alone_is_a_capture_without_frames():
    capture = read_capture(pcap([]))
    assert (len(capture.frames), capture.problems) == (0, ())


def test_a_file_header_cut_short_is_truncated():
    capture = read_capture(pcap([])[:10])
    assert [problem.kind for problem in capture.problems] == [Damage.TRUNCATED]


@pytest.mark.parametrize("octets", [b"", b"\x7fELF", b"GET / HTTP/1.1", b"\xa1\xb2"])
def test_what_starts_like_no_capture_is_not_a_capture(octets):
    with pytest.raises(NotACapture) as caught:
        read_capture(octets, name="thing")
    assert caught.value.details["file"] == "thing"


def test_the_error_quotes_the_first_octets():
    with pytest.raises(NotACapture, match="7f 45 4c 46"):
        read_capture(b"\x7fELF", name="thing")
