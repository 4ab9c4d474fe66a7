"""Whatever the octets: the reader answers or says that it is no capture, and stays in bounds."""

from __future__ import annotations

import gzip
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import DecoderMissing, NotACapture
from lab.packets.annotate import annotate
from lab.packets.checksums import checksum_errors
from lab.packets.frames import ABSENT, Damage
from lab.packets.link import DECODED
from lab.packets.reader import read_capture
from lab.packets.rows import frame
from tests.handmade import (
    arp,
    ethernet,
    icmp,
    interface,
    ipv4,
    ipv6,
    option,
    packet,
    pcap,
    section,
    tcp,
    udp,
)

CHAIN = bytes([44, 0]) + bytes(6) + struct.pack(">BBHI", 6, 0, 1, 9)
FRAMES = [
    ethernet(ipv4(tcp(b"hello", options=b"\x02\x04\x05\xb4"), 6), tags=(0x88A8, 0x8100)),
    ethernet(ipv4(icmp(3, 3, ipv4(udp(b"x"), 17)), 1)),
    ethernet(ipv6(CHAIN + tcp(), 0), 0x86DD),
    ethernet(ipv4(ipv6(udp(b"x"), 17), 41)),
    ethernet(arp(), 0x0806),
]
LINK_TYPES = DECODED


def ng(order, link_type=1):
    options = option(1, b"words", order) + option(2, bytes(4), order)
    parts = [packet(f, 9, order=order, options=options) for f in FRAMES]
    clock = option(9, b"\x89", order) + option(14, bytes(8), order)
    return section(order) + interface(order, link_type, options=clock) + b"".join(parts)


VALID = [ng("<"), ng(">"), ng("<") + ng(">"), pcap(FRAMES), pcap(FRAMES, order=">", cut=50)]


def read_through(octets):
    """Read, and look at everything that can be looked at."""
    try:
        capture = read_capture(octets)
    except (NotACapture, DecoderMissing):
        return None
    checksum_errors(capture)
    for index in range(len(capture.frames)):
        frame(capture, index)
    return capture


def assert_in_bounds(capture, *, of_fragments=False):
    """The header of a segment that came in fragments lies in an earlier frame."""
    frames = capture.frames
    cut = frames.start + frames.captured
    assert (cut <= len(frames.octets)).all()
    for column in (frames.network, frames.transport, frames.payload):
        begin = 0 if of_fragments and column is frames.transport else frames.start
        assert ((column == ABSENT) | ((column >= begin) & (column <= cut))).all()
    assert (frames.payload_length >= 0).all()


@given(st.binary(max_size=300))
def test_arbitrary_octets_are_read_or_refused(octets):
    read_through(octets)


@given(st.sampled_from([pcap([]), pcap([], order=">"), section(), section(">")]), st.binary())
def test_arbitrary_octets_after_a_good_beginning_are_read(begin, octets):
    assert_in_bounds(read_through(begin + octets))


@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(24, 1200), st.integers(0, 255)), max_size=8),
    st.integers(0, 1500),
)
def test_a_valid_file_changed_and_cut_is_read(file, changes, cut):
    octets = bytearray(file)
    for at, value in changes:
        octets[at % len(octets)] = value
    if (capture := read_through(bytes(octets[: 24 + cut]))) is not None:
        assert_in_bounds(capture)


@given(st.sampled_from(LINK_TYPES), st.lists(st.binary(max_size=120), max_size=6))
def test_arbitrary_frames_of_every_link_type_are_decoded(link_type, frames):
    capture = read_through(pcap(frames, link_type=link_type, cut=80))
    assert_in_bounds(capture)
    assert len(capture.frames) == len(frames)


TUNNELS = (1701, 2152, 3544, 4754, 4789, 4790, 5072, 6081, 6635, 8472)
NUMBERS = (0, 4, 6, 17, 41, 44, 47, 97, 137)
KINDS = (0x0800, 0x86DD, 0x8847, 0x8864, 0x8926, 0x894F, 0x88E5, 0x6558, 0x0040)


@given(
    st.lists(st.tuples(st.sampled_from(TUNNELS), st.binary(min_size=8, max_size=150)), max_size=6)
)
def test_arbitrary_octets_in_tunnels_over_udp_are_read(payloads):
    frames = [ethernet(ipv4(udp(octets, ports=(9, port)), 17)) for port, octets in payloads]
    assert_in_bounds(read_through(pcap(frames)))


@given(
    st.lists(
        st.tuples(st.sampled_from(NUMBERS), st.integers(0, 0x3FFF), st.binary(max_size=150)),
        max_size=12,
    )
)
def test_arbitrary_octets_in_packets_and_fragments_are_read(payloads):
    frames = [ethernet(ipv4(octets, number, fragment=f)) for number, f, octets in payloads]
    assert_in_bounds(read_through(pcap(frames)), of_fragments=True)


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.binary(max_size=150)), max_size=6))
def test_arbitrary_octets_of_every_kind_of_frame_are_read(payloads):
    frames = [ethernet(octets, kind) for kind, octets in payloads]
    assert_in_bounds(read_through(pcap(frames)))


@given(
    st.sampled_from(VALID[:3]),
    st.lists(st.tuples(st.integers(12, 1500), st.integers(0, 255)), max_size=4),
    st.integers(28, 1600),
)
def test_what_annotate_makes_of_a_damaged_file_is_sound(file, changes, cut):
    octets = bytearray(file)
    for at, value in changes:
        octets[at % len(octets)] = value
    damaged = bytes(octets[:cut])
    copied = b"".join(annotate(damaged, {1: ["hi"], 3: ["ho"]}, {}, ()))
    if (capture := read_through(damaged)) is not None and copied:  # not a section: no copy
        again = read_capture(copied)
        assert len(again.frames) == len(capture.frames)
        assert not any(problem.kind is Damage.TRUNCATED for problem in again.problems)


@given(
    st.lists(st.tuples(st.integers(2, 900), st.integers(0, 255)), max_size=4), st.integers(0, 900)
)
def test_a_compressed_file_changed_and_cut_is_read(changes, cut):
    octets = bytearray(gzip.compress(VALID[0], mtime=0))
    for at, value in changes:
        octets[at % len(octets)] = value
    if (capture := read_through(bytes(octets[: 20 + cut]))) is not None:
        assert_in_bounds(capture)


@pytest.mark.parametrize("link_type", LINK_TYPES)
@pytest.mark.parametrize("length", range(0, 70, 3))
def test_a_frame_at_the_very_end_of_the_file_is_not_read_beyond(link_type, length):
    assert_in_bounds(read_through(pcap([FRAMES[0][:length]], link_type=link_type)))


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(pcap([ethernet(b"\x81\0\0\7" * 16000, 0x8100)]), id="tags without end"),
        pytest.param(
            pcap([ethernet(ipv6(b"\0\0" * 30000, 0), 0x86DD)]), id="extension headers without end"
        ),
        pytest.param(
            section() + interface() + packet(b"", options=option(9, b"") * 100_000),
            id="options without end",
        ),
        pytest.param((section() + interface() + packet(b"")) * 5000, id="sections without end"),
        pytest.param(section() + interface() * 20000 + packet(b""), id="interfaces without end"),
    ],
)
def test_what_has_no_end_is_still_read_to_the_end(file):
    assert_in_bounds(read_through(file))
