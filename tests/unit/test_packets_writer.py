"""Blocks that the lab writes, and what an independent reader says of them."""

from __future__ import annotations

import subprocess

import pytest

from lab.packets import pcapng_writer as writer
from lab.packets.annotate import annotate
from lab.packets.frames import Direction, Interface
from lab.packets.reader import read_capture
from tests.handmade import ethernet, interface, ipv4, ipv6, packet, section, tcp, udp

FRAME = ethernet(ipv4(tcp(b"hello"), 6))
S = 1_000_000_000
NOON = 1_700_000_000_123_456_789


def begin():
    return writer.section_header() + writer.interface_description("veth1")


def annotated(file, comments=None, names=None, statistics=()):
    return b"".join(annotate(file, comments or {}, names or {}, statistics))


def recorded():
    """A file with everything the lab writes."""
    frames = [FRAME, ethernet(ipv4(udp(b"?"), 17)), ethernet(ipv6(b"\x3b", 59), 0x86DD)]
    parts = [
        writer.section_header(
            hardware="x86_64", system="Linux 6.1", application="lab", comments=("a tour",)
        ),
        writer.interface_description(
            "veth1", description="the client's port", snap_length=262144, capture_filter="tcp"
        ),
        writer.decryption_secrets(b"CLIENT_RANDOM 00 11\n"),
        *(
            writer.packet_block(NOON + i, frame, Direction.INBOUND + i % 2)
            for i, frame in enumerate(frames)
        ),
        writer.interface_statistics(
            0, NOON + 9, start=NOON, end=NOON + 9, received=3, dropped=0, accepted=3
        ),
    ]
    return b"".join(parts)


@pytest.mark.parametrize("size", range(60, 65))
def test_a_frame_of_any_length_is_padded_to_words(size):
    frame = FRAME[:60].ljust(size, b"\1")
    block = writer.packet_block(1, frame)
    assert (len(block) % 4, len(read_capture(begin() + block).frames)) == (0, 1)


def test_a_time_keeps_its_nanoseconds():
    assert read_capture(begin() + writer.packet_block(NOON, FRAME)).frames.time[0] == NOON


def test_a_frame_cut_short_keeps_its_length_on_the_wire():
    block = writer.packet_block(0, FRAME[:30], length=len(FRAME))
    frames = read_capture(begin() + block).frames
    assert (frames.captured[0], frames.length[0]) == (30, len(FRAME))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_frame_may_be_any_buffer(kind):
    assert writer.packet_block(5, kind(FRAME)) == writer.packet_block(5, FRAME)


def test_many_frames_at_once_are_the_same_blocks():
    frames = [(i, len(FRAME), Direction.OUTBOUND, FRAME[: 30 + i]) for i in range(4)]
    single = [writer.packet_block(t, f, d, length=n) for t, n, d, f in frames]
    assert writer.packet_blocks(frames) == b"".join(single)


def test_an_option_too_long_for_its_length_field_is_cut_between_characters():
    words = read_capture(
        begin() + writer.with_comments(writer.packet_block(0, FRAME), ["字" * 30000])
    ).comments[0][1]
    assert words == "字" * (65535 // 3)


def test_the_interface_is_described_for_readers():
    described = read_capture(recorded()).interfaces[0]
    assert (described.name, described.description) == ("veth1", "the client's port")


def test_counters_are_read_back():
    described = read_capture(recorded()).interfaces[0]
    assert (described.received, described.dropped) == (3, 0)


# ---------------------------------------------------------------------------- annotate


def test_nothing_to_add_is_a_copy():
    assert annotated(recorded()) == recorded()


def test_comments_are_added_to_the_frames_with_these_numbers():
    file = annotated(recorded(), {1: ["one"], 3: ["three", "三"]})
    assert read_capture(file).comments == ((1, "one"), (3, "three"), (3, "三"))


def test_comments_that_were_there_stay_first():
    file = annotated(annotated(recorded(), {2: ["old"]}), {2: ["new"]})
    assert read_capture(file).comments == ((2, "old"), (2, "new"))


def test_comments_leave_times_and_directions_alone():
    before = read_capture(recorded()).frames
    after = read_capture(annotated(recorded(), {1: ["x"], 2: ["y"]})).frames
    assert (after.time.tolist(), after.direction.tolist()) == (
        before.time.tolist(),
        before.direction.tolist(),
    )


def test_names_stand_after_the_interfaces_and_before_the_frames():
    file = annotated(begin() + writer.packet_block(0, FRAME), names={"10.0.0.1": "client"})
    assert file == begin() + writer.name_resolution({"10.0.0.1": "client"}) + writer.packet_block(
        0, FRAME
    )


def test_names_are_added_even_without_frames():
    assert b"client" in annotated(begin(), names={"10.0.0.1": "client"})


def test_statistics_are_added_with_the_time_of_the_last_frame():
    file = begin() + writer.packet_block(NOON, FRAME)
    added = annotated(file, statistics=[Interface(1, received=7, dropped=2)])
    assert added == file + writer.interface_statistics(0, NOON, received=7, dropped=2)


def test_a_big_endian_file_is_annotated_in_its_own_order():
    file = section(">") + interface(">") + packet(FRAME, 5, order=">")
    added = annotated(file, {1: ["hi"]}, {"10.0.0.1": "client"}, [Interface(1, received=3)])
    capture = read_capture(added)
    assert (capture.comments, capture.interfaces[0].received, capture.problems) == (
        ((1, "hi"),),
        3,
        (),
    )


def test_a_file_cut_short_is_copied_up_to_its_last_whole_block():
    assert annotated(recorded()[:-3]) == recorded()[: recorded().rindex(b"\5\0\0\0")]


def test_pieces_are_bounded_whatever_the_file():
    file = begin() + writer.packet_block(0, bytes(60_000)) * 100
    assert max(map(len, annotate(file, {}, {}, ()))) < 2_000_000


# ------------------------------------------------------------------ the independent reader


def run(*command, file):
    done = subprocess.run([*command, str(file)], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    assert (done.returncode, complaints) == (0, [])
    return done.stdout


@pytest.fixture
def written(tmp_path):
    file = tmp_path / "tour.pcapng"
    counted = [Interface(1, received=3, dropped=1)]
    names = {"10.0.0.1": "client", "fd00::1": "client"}
    file.write_bytes(annotated(recorded(), {1: ["SYN 第一步"], 2: ["a", "b"]}, names, counted))
    return file


@pytest.mark.tshark
def test_tshark_reads_every_frame_without_complaint(written):
    assert len(run("tshark", "-n", "-r", file=written).splitlines()) == 3


@pytest.mark.tshark
def test_tshark_shows_time_direction_and_comments(written):
    fields = ["frame.time_epoch", "frame.packet_flags_direction", "frame.comment"]
    command = ["tshark", "-n", "-T", "fields", *(w for f in fields for w in ("-e", f)), "-r"]
    assert run(*command, file=written).splitlines()[:2] == [
        "1700000000.123456789\t0x00000001\tSYN 第一步",
        "1700000000.123456790\t0x00000002\ta,b",
    ]


@pytest.mark.tshark
def test_tshark_shows_the_names(written):
    assert "client" in run("tshark", "-N", "n", "-r", file=written)


@pytest.mark.tshark
@pytest.mark.parametrize(
    "words",
    [
        "a tour",
        "x86_64",
        "Linux 6.1",
        "Name = veth1",
        "Description = the client's port",
        "Filter string = tcp",
        "Time precision = nanoseconds (9)",
        "Number of resolved IPv4 addresses in file: 1",
        "Number of resolved IPv6 addresses in file: 1",
        "Number of decryption secrets in file: 1",
    ],
)
def test_capinfos_shows(written, words):
    assert words in run("capinfos", "-M", file=written)
