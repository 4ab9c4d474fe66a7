"""The classic pcap format: byte orders, resolutions, and files that end or lie."""

from __future__ import annotations

import gzip
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


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"\x7fELF\2\1", "ELF"),
        (gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "gzip"),
        (b"PK\3\4", "zip"),
        (b"snoop\0\0\0", "snoop"),
        ("GET /é HTTP/1.1\r\n".encode() + b"\xc3", "text"),
        (bytes(40), "zeros"),
        (b"\xa1\xb2\0\1", "no format"),
        (b"", "nothing"),
    ],
)
def test_the_error_names_what_the_file_is(octets, kind):
    with pytest.raises(NotACapture, match=kind):
        read_capture(octets)


def variant(magic, order, *, version=(2, 4), link_type=1, before=0, extra=0, swapped=False):
    """A file in one of the formats that others made of pcap; the frames are cut by 4 octets."""
    head = struct.pack(order + "IHHiIII", magic, *version, 0, 0, 65535, link_type) + bytes(before)
    records = []
    for second, size in enumerate((10, 30, 20, 5)):
        lengths = (size + 4, size) if swapped else (size, size + 4)
        records.append(struct.pack(order + "IIII", NOW + second, 500, *lengths))
        records.append(bytes(extra) + bytes([size]) * size)
    return head + b"".join(records)


NOW = 1_600_000_000
VARIANTS = {  # how TShark 4.0 reads them too
    "plain": {"magic": 0xA1B2C3D4},
    "Red Hat's of 1999": {"magic": 0xA1B2C3D4, "extra": 8},
    "Nokia": {"magic": 0xA1B2C3D4, "extra": 4},
    "patched": {"magic": 0xA1B2CD34, "extra": 8},
    "SuSE": {"magic": 0xA1B2CD34, "extra": 12},
    "Ixia's hardware": {"magic": 0x1C0001AC, "before": 4},
    "Ixia's software": {"magic": 0x1C0001AB, "before": 4},
    "version 2.2": {"magic": 0xA1B2C3D4, "version": (2, 2), "swapped": True},
    "version 2.3": {"magic": 0xA1B2C3D4, "version": (2, 3)},
    "version 2.3 as before": {"magic": 0xA1B2C3D4, "version": (2, 3), "swapped": True},
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_is_read(order, options):
    capture = read_capture(variant(order=order, **options))
    frames = capture.frames
    assert frames.captured.tolist() == [10, 30, 20, 5]
    assert frames.length.tolist() == [14, 34, 24, 9]
    assert frames.octets[frames.start].tolist() == [10, 30, 20, 5]
    assert (frames.time == [(NOW + i) * 10**9 + 500_000 for i in range(4)]).all()
    assert not capture.problems


@pytest.mark.parametrize("order", "<>")
def test_aix_counts_nanoseconds_and_has_link_types_of_its_own(order):
    octets = variant(0xA1B2C3D4, order, version=(2, 2), link_type=6, swapped=True)
    capture = read_capture(octets)
    assert (capture.frames.time[0], capture.interfaces[0].link_type) == (NOW * 10**9 + 500, 1)


def test_nanoseconds():
    capture = read_capture(variant(0xA1B23C4D, "<"))
    assert capture.frames.time[0] == NOW * 10**9 + 500
