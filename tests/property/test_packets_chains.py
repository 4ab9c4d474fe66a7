"""What is followed at many places at once is what following it one by one would have found."""

from __future__ import annotations

import struct
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.packets import chains, pcap, pcapng, pcapng_runs
from tests.handmade import interface, packet, section

SMALL_PARTS = {"PART": 64, "STRIDE": 32, "REACH": 128, "WINDOW": 512, "LARGEST_WINDOW": 2048}
DAMAGE = st.lists(st.tuples(st.integers(24, 1 << 14), st.integers(0, 255)), max_size=6)
SIZES = st.lists(st.integers(0, 90), min_size=20, max_size=120)
NOW = 1_700_000_000
FALSE_RECORD = struct.pack("<IIII", NOW, 0, 8, 8)


@pytest.fixture(autouse=True)
def _small_parts():
    with mock.patch.multiple(chains, **SMALL_PARTS):
        yield


def damaged(octets, changes, cut):
    octets = bytearray(octets)
    for at, value in changes:
        octets[24 + at % (len(octets) - 24)] = value  # the reader knows the file by its beginning
    return memoryview(bytes(octets[: len(octets) - cut]))


def pcap_file(order, sizes, filling):
    """``filling``: what the frames hold, over and over: false beginnings, or nothing."""
    head = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 90, 1)
    return head + b"".join(
        struct.pack(order + "IIII", NOW, i, size, size) + (filling * 90)[:size]
        for i, size in enumerate(sizes)
    )


@given(
    st.sampled_from("<>"),
    SIZES,
    st.sampled_from([b"\0", b"\1", FALSE_RECORD]),
    DAMAGE,
    st.integers(0, 200),
)
def test_pcap_records_are_those_of_the_loop(order, sizes, filling, changes, cut):
    octets = damaged(pcap_file(order, sizes, filling), changes, cut)
    layout = pcap.Layout(order, 24, 16, 8, 90)
    with mock.patch.multiple(pcap, SMALL=1 << 40):
        slow = pcap._walk(octets, layout)
    with mock.patch.multiple(pcap, SMALL=0):
        assert pcap._walk(octets, layout).tolist() == slow.tolist()


def pcapng_file(order, sizes, filling):
    between = {5: interface(order), 60: section(order) + interface(order)}
    return (
        section(order)
        + interface(order)
        + b"".join(
            between.get(size, b"") + packet((filling * 90)[:size], order=order) for size in sizes
        )
    )


@given(
    st.sampled_from("<>"),
    SIZES,
    st.sampled_from([b"\0", struct.pack("<IIIIIIII", 6, 32, 0, 0, 0, 0, 0, 32)]),
    DAMAGE,
    st.integers(0, 200),
)
def test_pcapng_blocks_are_those_of_the_loop(order, sizes, filling, changes, cut):
    octets = damaged(pcapng_file(order, sizes, filling), changes, cut)
    with mock.patch.multiple(pcapng, SMALL=1 << 40):
        slow = pcapng.walk(octets)
    with mock.patch.multiple(pcapng, SMALL=0, WINDOW=128):
        fast = pcapng.walk(octets)
    assert (fast.packets, fast.sections, fast.problem) == (
        slow.packets,
        slow.sections,
        slow.problem,
    )


@given(st.lists(st.integers(1, 255), min_size=1, max_size=2000), st.integers(0, 3000))
def test_any_chain_of_lengths_is_that_of_the_loop(lengths, stop):
    octets = np.array(lengths * (1 + 4096 // len(lengths)), np.uint8)
    chain = chains.Chain(lambda at: octets[at], lambda at: octets[at] > 9)
    expected = [0]
    while expected[-1] < stop:
        expected.append(expected[-1] + int(octets[expected[-1]]))
    found = chain.follow(0, stop).tolist()
    assert found == expected[: len(found)]


def test_a_sound_file_is_followed_fast_to_its_end():
    octets = memoryview(pcap_file("<", [60, 90, 7] * 200, b"\0"))
    with mock.patch.multiple(pcap, SMALL=0):
        *_, last = pcap._many(octets, pcap.Layout("<", 24, 16, 8, 90))
    assert len(octets) - last[-1] <= 16 + 90


def test_a_run_of_blocks_ends_at_the_first_other_block():
    blocks = [packet(bytes(size)) for size in range(0, 90, 2)]
    octets = memoryview(section() + interface() + b"".join(blocks) + interface() + blocks[0] * 9)
    first = len(section() + interface())
    run = pcapng_runs.enhanced_run(octets, first, "<")
    assert run.tolist() == (first + np.cumsum([0, *map(len, blocks)])).tolist()
