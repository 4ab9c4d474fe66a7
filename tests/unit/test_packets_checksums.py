"""Checksums: one, and those of all frames; what cannot be judged is left out."""

from __future__ import annotations

import pytest

from lab.packets.checksums import checksum_errors, internet_checksum
from lab.packets.reader import read_capture
from tests.handmade import (
    CLIENT6,
    SERVER6,
    arp,
    checksum,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    pcap,
    pseudo,
    tcp,
    udp,
)

ENDS6 = (CLIENT6, SERVER6)


def wrong(*frames, **how):
    return checksum_errors(read_capture(pcap(frames, **how))).tolist()


def changed(octets, at=-1):
    octets = bytearray(octets)
    octets[at] ^= 0x55
    return bytes(octets)


def icmp6(message):
    whole = pseudo(len(message), 58, *ENDS6) + message[:2] + bytes(2) + message[4:]
    return message[:2] + checksum(whole).to_bytes(2, "big") + message[4:]


RIGHT = {
    "tcp": ethernet(ipv4(tcp(b"hello"), 6)),
    "tcp of even length": ethernet(ipv4(tcp(b"hell"), 6)),
    "tcp over ipv6": ethernet(ipv6(tcp(b"hello", ends=ENDS6), 6), 0x86DD),
    "udp": ethernet(ipv4(udp(b"hello"), 17)),
    "udp over ipv6": ethernet(ipv6(udp(b"hello", ends=ENDS6), 17), 0x86DD),
    "icmp": ethernet(ipv4(icmp(8, 0, b"hello"), 1)),
    "icmpv6": ethernet(ipv6(icmp6(icmp(128, 0, b"hello")), 58), 0x86DD),
}


@pytest.mark.parametrize(
    ("octets", "expected"),
    [(b"", 0xFFFF), (b"\0\0", 0xFFFF), (b"\xff\xff", 0), (b"\0\1\xf2\3\xf4\xf5\xf6\xf7", 0x220D)],
)
def test_the_internet_checksum_as_rfc_1071_works_it_out(octets, expected):
    assert internet_checksum(octets) == expected


def test_an_odd_octet_counts_as_if_a_zero_followed():
    assert internet_checksum(b"abc") == internet_checksum(b"abc\0")


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_checksum_is_no_error(name):
    assert wrong(RIGHT[name]) == []


@pytest.mark.parametrize("name", RIGHT)
def test_a_changed_octet_is_an_error(name):
    assert wrong(changed(RIGHT[name])) == [1]


def test_the_wrong_frames_are_told_apart_from_the_right():
    frames = [f for right in RIGHT.values() for f in (right, changed(right))]
    assert wrong(*frames) == list(range(2, len(frames) + 1, 2))


def test_frames_at_odd_offsets_of_the_file_are_summed_too():
    assert wrong(b"odd", *RIGHT.values()) == []


def test_a_changed_ip_header_is_an_error():
    assert wrong(changed(RIGHT["udp"], 14 + 8)) == [1]


def test_a_frame_cut_by_the_snap_length_is_not_judged():
    assert wrong(changed(RIGHT["tcp"]), cut=56) == []


def test_a_datagram_without_checksum_is_not_judged():
    datagram = udp(b"hello")
    assert wrong(ethernet(ipv4(datagram[:6] + bytes(2) + datagram[8:], 17))) == []


@pytest.mark.parametrize("fragment", [0x2000, 0x2001, 0x0001])
def test_a_fragment_is_not_judged(fragment):
    assert wrong(ethernet(ipv4(changed(udp(b"hello")), 17, fragment=fragment))) == []


def test_what_has_no_checksum_is_no_error():
    assert wrong(ethernet(arp(), 0x0806), b"", b"\0" * 60) == []
