"""What was not looked into is counted and named."""

from __future__ import annotations

import pytest

from lab.packets.left_out import left_out
from lab.packets.reader import read_capture
from tests.handmade import block, ethernet, interface, ipv4, packet, pcap, section, tcp

FRAME = ethernet(ipv4(tcp(), 6))


def said(octets):
    return [words.en for words in left_out(read_capture(octets))]


def test_of_what_was_read_whole_nothing_is_said():
    assert said(section() + interface() + packet(FRAME)) == []


def test_frames_of_a_closed_link_type_are_counted():
    assert said(pcap([FRAME, FRAME], link_type=147)) == ["link type 147 is not decoded (2 frames)"]


def test_an_interface_without_frames_is_not_named():
    assert said(section() + interface(link_type=147) + interface() + packet(FRAME, number=1)) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (9, "entries of the systemd journal are not read (2 of them)"),
        (10, "decryption secrets are kept, not used (2 blocks)"),
        (0xBAD, "pcapng blocks of type 0x00000bad are not read (2 of them)"),
        (0x40000BAD, "pcapng blocks of type 0x40000bad are not read (2 of them)"),
        (0x7777, "pcapng blocks of type 0x00007777 are not read (2 of them)"),
    ],
)
def test_blocks_that_are_not_read_are_counted_and_what_follows_is_read(kind, words):
    other = block(kind, bytes(8))
    octets = section() + interface() + other + packet(FRAME) + other + packet(FRAME)
    assert said(octets) == [words]
    assert len(read_capture(octets).frames) == 2
