"""Compressed captures: read whole, read as far as they go, and never more than a limit."""

from __future__ import annotations

import gzip
import sys
from unittest import mock

import pytest

from lab.errors import DecoderMissing, NotACapture
from lab.packets import compressed
from lab.packets.frames import Damage
from lab.packets.reader import read_capture
from tests.handmade import ethernet, ipv4, pcap, tcp

FILE = pcap([ethernet(ipv4(tcp(bytes([i]) * 900), 6)) for i in range(60)])
HALF = len(FILE) // 2


def zstd(octets):
    return pytest.importorskip("zstandard").ZstdCompressor().compress(octets)


@pytest.fixture(params=[gzip.compress, zstd], ids=["gzip", "zstd"])
def pack(request):
    return request.param


def read(octets):
    capture = read_capture(octets)
    return len(capture.frames), [(one.kind, one.offset) for one in capture.problems]


def test_a_compressed_file_is_read_like_the_file(pack):
    packed, plain = read_capture(pack(FILE)), read_capture(FILE)
    assert (packed.frames.octets == plain.frames.octets).all()
    assert (packed.frames.sequence == plain.frames.sequence).all()
    assert packed.problems == ()


def test_members_follow_each_other(pack):
    assert read(pack(FILE[:HALF]) + pack(FILE[HALF:])) == (60, [])


def test_members_of_both_kinds_follow_each_other(pack):
    assert read(gzip.compress(FILE[:HALF]) + pack(FILE[HALF:])) == (60, [])


def test_what_a_cut_file_still_holds_is_read(pack):
    packed = pack(FILE[:HALF]) + pack(FILE[HALF:])
    frames, problems = read(packed[:-20])
    assert 29 <= frames < 60
    assert problems[0][0] == Damage.TRUNCATED


def test_what_stands_before_the_damage_is_read(pack):
    first, second = pack(FILE[:HALF]), bytearray(pack(FILE[HALF:]))
    second[len(second) // 2 :] = b"\xff" * len(second[len(second) // 2 :])
    frames, problems = read(first + bytes(second))
    assert frames >= 29
    assert problems[0][0] in {Damage.IMPOSSIBLE, Damage.TRUNCATED}
    assert problems[0][1] >= HALF


def test_zeros_after_the_end_are_padding(pack):
    assert read(pack(FILE) + bytes(500)) == (60, [])


def test_other_octets_after_the_end_are_named(pack):
    assert read(pack(FILE) + b"words") == (60, [(Damage.IMPOSSIBLE, len(FILE))])


def test_no_more_than_the_limit_is_unpacked(pack):
    octets, problems = compressed.unpacked(memoryview(pack(bytes(50_000_000))), "bomb", 100_000)
    assert (len(octets), [one.offset for one in problems]) == (100_000, [100_000])


def test_a_compressed_file_that_is_no_capture_is_refused(pack):
    with pytest.raises(NotACapture):
        read_capture(pack(b"words, many words"))


def test_without_the_package_the_remedy_is_named():
    with (
        mock.patch.dict(sys.modules, {"zstandard": None}),
        pytest.raises(DecoderMissing, match="the package zstandard"),
    ):
        read_capture(b"\x28\xb5\x2f\xfd" + bytes(40), name="a.zst")
