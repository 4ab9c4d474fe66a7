"""A frame read at a glance says what the analyzer's own decoder says of it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from lab.packets.addresses import V4_MAPPED
from lab.packets.frames import ABSENT, Capture, Flags, Protocol
from lab.packets.reader import read_capture
from lab.wire import sight
from lab.wire.sight import ARP, ICMP, ICMPV6, OTHER, TCP, UDP, Sight, look
from tests.handmade import arp, ethernet, icmp, ipv4, ipv6, pcap, tcp, udp

TOUR = Path(__file__).resolve().parents[2] / "captures" / "samples" / "tour"
NAMES = {
    Protocol.TCP: TCP,
    Protocol.UDP: UDP,
    Protocol.ICMP: ICMP,
    Protocol.ICMPV6: ICMPV6,
    Protocol.ARP: ARP,
    Protocol.FRAGMENT: OTHER,
    Protocol.OTHER: OTHER,
}
IN_FRAGMENTS = struct.pack(">BxHI", 17, 0, 1)  # an IPv6 fragment header: the first, and the last
HANDMADE = {
    "tcp": ethernet(ipv4(tcp(b"hello", 0x18), 6)),
    "tcp with options": ethernet(ipv4(tcp(b"x", options=bytes([1, 1, 1, 0])), 6)),
    "ip options": ethernet(ipv4(tcp(), 6, options=bytes([1, 1, 1, 0]))),
    "padded": ethernet(ipv4(tcp(), 6)) + bytes(6),
    "udp": ethernet(ipv4(udp(b"hello"), 17)),
    "icmp": ethernet(ipv4(icmp(3, 3, bytes(28)), 1)),
    "arp": ethernet(arp(), 0x0806),
    "tagged": ethernet(ipv4(udp(b"hello"), 17), tags=(0x8100,)),
    "first fragment": ethernet(ipv4(udp(b"hello"), 17, fragment=0x2000)),
    "later fragment": ethernet(ipv4(bytes(100), 17, fragment=185)),
    "ipv6 tcp": ethernet(ipv6(tcp(b"hello"), 6), 0x86DD),
    "ipv6 icmp": ethernet(ipv6(icmp(128, 0, b"ping"), 58), 0x86DD),
    "ipv6 fragment": ethernet(ipv6(IN_FRAGMENTS + udp(b"hello"), 44), 0x86DD),
    "ipv6 hop by hop": ethernet(ipv6(bytes([6, 0, 1, 4, 0, 0, 0, 0]) + tcp(), 0), 0x86DD),
    "neither": ethernet(bytes(50), 0x88B5),
}


def compare(capture: Capture, row: int) -> None:
    frames = capture.frames
    start = int(frames.start[row])
    octets = frames.octets[start : start + int(frames.captured[row])].tobytes()
    seen = look(octets, "client")
    assert seen.protocol == NAMES[Protocol(frames.protocol[row])]
    assert seen.version == frames.ip_version[row]
    assert (seen.source_port, seen.destination_port) == (
        frames.source_port[row],
        frames.destination_port[row],
    )
    assert (seen.flags, seen.sequence, seen.acknowledgment) == (
        frames.flags[row],
        frames.sequence[row],
        frames.acknowledgment[row],
    )
    if frames.payload[row] != ABSENT:
        assert (seen.begin, seen.payload) == (
            frames.payload[row] - start,
            frames.payload_length[row],
        )
    if seen.version == 4:
        assert int.from_bytes(seen.source, "big") | V4_MAPPED == frames.source[row][1]


@pytest.mark.parametrize("frame", HANDMADE.values(), ids=HANDMADE)
def test_a_glance_agrees_with_the_decoder(frame: bytes) -> None:
    compare(read_capture(pcap([frame])), 0)


@pytest.mark.parametrize("host", ["client", "server"])
def test_a_glance_agrees_with_the_decoder_on_a_real_run(host: str) -> None:
    capture = read_capture((TOUR / f"{host}.pcapng").read_bytes())
    for row in range(len(capture.frames)):
        compare(capture, row)


def test_the_flags_are_those_of_the_analyzer() -> None:
    assert all(getattr(sight, flag.name or "") == flag for flag in Flags)


@pytest.mark.parametrize("name", ["tcp", "udp", "icmp", "arp", "ipv6 tcp", "ipv6 hop by hop"])
def test_a_frame_that_is_cut_anywhere_is_still_read(name: str) -> None:
    whole = HANDMADE[name]
    for size in range(len(whole)):
        assert look(whole[:size], "client").payload == 0


def test_a_first_fragment_still_has_its_ports() -> None:
    seen = look(HANDMADE["first fragment"], "client")
    assert (seen.fragment, seen.destination_port) == (0, 53)


def test_a_later_fragment_has_its_offset_in_octets() -> None:
    assert look(HANDMADE["later fragment"], "client").fragment == 1480


def test_a_whole_packet_is_no_fragment() -> None:
    assert look(HANDMADE["udp"], "client").fragment is None


def test_an_icmp_error_has_type_and_code() -> None:
    seen: Sight = look(HANDMADE["icmp"], "client")
    assert (seen.type, seen.code) == (3, 3)
