"""The plain case read in one go gives the columns that reading layer after layer gives."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.packets import decode
from lab.packets.frames import Frames
from lab.packets.reader import read_capture
from tests.handmade import ethernet, ipv4, pcap, tcp, udp

FRAMES = [
    ethernet(ipv4(tcp(b"hello", 0x118, options=b"\x02\x04\x05\xb4"), 6)),
    ethernet(ipv4(tcp(sequence=2**32 - 1), 6) + bytes(6)),
    ethernet(ipv4(tcp(b"words"), 6, options=b"\1\1\1\1")),
    ethernet(ipv4(tcp(b"words" * 9), 6, fragment=0x2000)),
    ethernet(ipv4(udp(b"x"), 17)),
    ethernet(ipv4(tcp(), 6), tags=(0x8100,)),
]


def without_the_plain_case(octets):
    def nothing_is_plain(_draft, rows, _at):
        return np.zeros(len(rows), np.bool_)

    with mock.patch.object(decode, "plain_segments", nothing_is_plain):
        return read_capture(octets).frames


def assert_alike(octets):
    fast, slow = read_capture(octets).frames, without_the_plain_case(octets)
    for name in Frames.__struct_fields__:
        assert np.array_equal(getattr(fast, name), getattr(slow, name)), name


@pytest.mark.parametrize("cut", [None, 20, 53, 54, 57, 58, 60])
def test_frames_of_all_kinds(cut):
    assert_alike(pcap(FRAMES * 3, cut=cut))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(FRAMES),
            st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=3),
        ),
        max_size=8,
    ),
    st.sampled_from([None, 54, 58, 61]),
)
def test_frames_changed_at_random(changed, cut):
    frames = []
    for frame, changes in changed:
        octets = bytearray(frame)
        for at, value in changes:
            octets[at % len(octets)] = value
        frames.append(bytes(octets))
    assert_alike(pcap(frames, cut=cut))


def test_blocks_of_any_size_give_the_same():
    octets = pcap(FRAMES * 7)
    whole = read_capture(octets).frames
    with mock.patch.object(decode, "BLOCK", 4):
        parts = read_capture(octets).frames
    for name in Frames.__struct_fields__:
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
