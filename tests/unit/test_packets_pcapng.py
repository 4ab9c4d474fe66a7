"""The pcapng format: sections, interfaces, clocks, options, block kinds, and files that lie."""

from __future__ import annotations

import struct

import pytest

from lab.packets.frames import Damage, Direction, Interface
from lab.packets.reader import read_capture
from tests.handmade import block, ethernet, interface, ipv4, option, packet, section, udp

FRAME = ethernet(ipv4(udp(b"hello"), 17))
BOTH = pytest.mark.parametrize("order", ["<", ">"])
S = 1_000_000_000


@BOTH
def test_a_section_is_read_in_its_own_byte_order(order):
    file = section(order) + interface(order) + packet(FRAME, 7_000_001, order=order)
    frames = read_capture(file).frames
    assert (frames.time.tolist(), frames.payload_length.tolist()) == ([7_000_001_000], [5])


def test_sections_of_both_orders_follow_each_other():
    parts = [section(o) + interface(o) + packet(FRAME, 5, order=o) for o in "<><"]
    capture = read_capture(b"".join(parts))
    assert capture.frames.time.tolist() == [5000] * 3


def test_interfaces_are_counted_over_all_sections():
    one = section() + interface() + interface() + packet(FRAME, number=1)
    capture = read_capture(one + section() + interface() + packet(FRAME))
    assert (len(capture.interfaces), capture.frames.interface.tolist()) == (3, [1, 2])


@pytest.mark.parametrize(
    ("resolution", "ticks", "time"),
    [
        (0, 3, 3 * S),
        (3, 1500, 1_500_000_000),
        (6, 1, 1000),
        (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (12, 1234, 1),
        (30, 2**64 - 1, 0),
        (0x80 | 10, 1536, 1_500_000_000),
        (0x80 | 32, (5 << 32) | (1 << 31), 5_500_000_000),
        (0x80 | 63, 1 << 62, 500_000_000),
        (0x80 | 127, 2**64 - 1, 0),
    ],
)
def test_ticks_of_any_resolution_become_nanoseconds(resolution, ticks, time):
    clock = option(9, bytes([resolution]))
    file = section() + interface(options=clock) + packet(FRAME, ticks)
    assert read_capture(file).frames.time.tolist() == [time]


def test_a_time_beyond_64_bits_stops_at_the_last_one():
    file = section() + interface(options=option(9, b"\0")) + packet(FRAME, 2**64 - 1)
    assert 2**63 - S <= read_capture(file).frames.time[0] <= 2**63 - 1


@BOTH
@pytest.mark.parametrize("offset", [100, -100])
def test_the_offset_of_a_clock_is_added(order, offset):
    options = option(14, struct.pack(order + "q", offset), order)
    file = section(order) + interface(order, options=options) + packet(FRAME, 10**6, order=order)
    assert read_capture(file).frames.time.tolist() == [(1 + offset) * S]


@BOTH
def test_an_interface_is_described(order):
    words = option(2, b"veth1", order) + option(3, b"the client's", order)
    capture = read_capture(section(order) + interface(order, 113, 96, words))
    assert capture.interfaces == (Interface(113, 96, "veth1", "the client's"),)


@BOTH
def test_counters_come_from_the_interface_statistics(order):
    counters = option(4, struct.pack(order + "Q", 10), order)
    counters += option(5, struct.pack(order + "Q", 2), order)
    statistics = block(5, struct.pack(order + "III", 0, 0, 0) + counters, order)
    (read,) = read_capture(section(order) + interface(order) + statistics).interfaces
    assert (read.received, read.dropped) == (10, 2)


def test_statistics_of_an_interface_that_is_not_there_are_skipped():
    statistics = block(5, struct.pack("<III", 9, 0, 0) + option(4, bytes(8)))
    assert read_capture(section() + interface() + statistics).interfaces == (Interface(1),)


@BOTH
@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.OUTBOUND])
def test_the_direction_is_in_the_flags(order, direction):
    options = option(2, struct.pack(order + "I", direction | 0x1C), order)
    file = section(order) + interface(order) + packet(FRAME, order=order, options=options)
    assert read_capture(file).frames.direction.tolist() == [direction]


@BOTH
def test_comments_belong_to_their_frame(order):
    words = option(1, "第一".encode(), order) + option(2, bytes(4), order)
    words += option(1, b"second", order)
    file = section(order) + interface(order) + packet(FRAME, order=order)
    file += packet(FRAME, order=order, options=words)
    assert read_capture(file).comments == ((2, "第一"), (2, "second"))


def test_an_option_longer_than_its_block_is_not_read():
    options = struct.pack("<HH", 1, 400) + b"abcd"
    capture = read_capture(section() + interface() + packet(FRAME, options=options))
    assert (capture.comments, capture.problems) == ((), ())


def test_a_simple_packet_has_no_time_and_is_cut_at_the_snap_length():
    simple = block(3, struct.pack("<I", len(FRAME)) + FRAME[:40])
    frames = read_capture(section() + interface(snap_length=40) + simple).frames
    assert (frames.captured[0], frames.length[0], frames.time[0]) == (40, len(FRAME), 0)


@BOTH
def test_the_old_packet_block_has_a_short_interface_number(order):
    head = struct.pack(order + "HHIIII", 1, 77, 0, 9, len(FRAME), len(FRAME))
    file = section(order) + interface(order) * 2 + block(2, head + FRAME, order)
    frames = read_capture(file).frames
    assert (frames.interface.tolist(), frames.time.tolist()) == ([1], [9000])


@pytest.mark.parametrize("kind", [4, 10, 0x0BAD, 0x80000001])
def test_blocks_of_other_kinds_are_stepped_over(kind):
    file = section() + interface() + block(kind, bytes(20)) + packet(FRAME)
    capture = read_capture(file)
    assert (len(capture.frames), capture.problems) == (1, ())


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (packet(FRAME)[:-2], Damage.TRUNCATED),
        (packet(FRAME)[:5], Damage.TRUNCATED),
        (b"\0", Damage.TRUNCATED),
        (packet(FRAME)[:-4] + bytes(4), Damage.IMPOSSIBLE),
        (struct.pack("<II", 6, 0xFFFFFFFC) + bytes(40), Damage.IMPOSSIBLE),
        (struct.pack("<II", 6, 0) + bytes(40), Damage.IMPOSSIBLE),
        (struct.pack("<II", 6, 33) + bytes(40), Damage.IMPOSSIBLE),
        (block(6, bytes(8)), Damage.IMPOSSIBLE),
        (block(6, struct.pack("<IIIII", 0, 0, 0, 4000, 4000) + FRAME), Damage.IMPOSSIBLE),
        (packet(FRAME, number=1), Damage.IMPOSSIBLE),
        (section(version=2), Damage.IMPOSSIBLE),
        (block(0x0A0D0D0A, bytes(16)), Damage.IMPOSSIBLE),
        (section()[:14], Damage.TRUNCATED),
    ],
)
def test_damage_ends_the_reading_and_keeps_what_came_before(damage, kind):
    whole = section() + interface() + packet(FRAME)
    capture = read_capture(whole + damage + packet(FRAME) * (kind is Damage.IMPOSSIBLE))
    (problem,) = capture.problems
    assert (len(capture.frames), problem.kind, problem.offset) == (1, kind, len(whole))


def test_a_packet_before_any_interface_is_damage():
    capture = read_capture(section() + packet(FRAME))
    assert (len(capture.frames), capture.problems[0].kind) == (0, Damage.IMPOSSIBLE)
