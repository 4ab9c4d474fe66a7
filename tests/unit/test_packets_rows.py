"""One frame as a value: addresses, header fields, options, and what an ICMP error quotes."""

from __future__ import annotations

import struct

import pytest

from lab.packets.addresses import Endpoint
from lab.packets.frames import Direction, Flags, Protocol
from lab.packets.options import Options, parse_options
from lab.packets.reader import read_capture
from lab.packets.rows import frame
from tests.handmade import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    SYN,
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

SEGMENT = tcp(b"hello", options=struct.pack(">BBH", 2, 4, 1460))


def row(octets, link_type=1, cut=None):
    return frame(read_capture(pcap([octets], link_type=link_type, cut=cut)), 0)


def test_a_frame_is_numbered_from_one():
    assert frame(read_capture(pcap([b"a", b"b"])), 1).number == 2


def test_a_frame_that_is_not_there_is_an_index_error():
    with pytest.raises(IndexError):
        frame(read_capture(pcap([b"a"])), 1)


def test_the_octets_are_those_captured():
    assert row(ethernet(ipv4(SEGMENT, 6))).octets == ethernet(ipv4(SEGMENT, 6))


def test_the_direction_comes_from_the_file():
    flags = option(2, struct.pack("<I", Direction.OUTBOUND))
    file = section() + interface() + packet(b"x" * 60, options=flags)
    assert frame(read_capture(file), 0).direction is Direction.OUTBOUND


def test_link_addresses_are_written_with_colons():
    shown = row(ethernet(ipv4(SEGMENT, 6)))
    assert (shown.link_source, shown.link_destination) == ("02:00:00:00:00:01", "02:00:00:00:00:02")


def test_a_linux_cooked_frame_has_a_source_only():
    header = struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1", 0x0800)
    shown = row(header + ipv4(SEGMENT, 6), link_type=113)
    assert (shown.link_source, shown.link_destination) == ("02:00:00:00:00:01", "")


def test_raw_ip_has_no_link_address():
    assert row(ipv4(SEGMENT, 6), link_type=101).link_source == ""


def test_endpoints_are_address_and_port():
    shown = row(ethernet(ipv4(SEGMENT, 6)))
    assert (shown.source, shown.destination) == (Endpoint(CLIENT, 40000), Endpoint(SERVER, 80))


def test_ip_fields_that_one_shows():
    shown = row(ethernet(ipv4(SEGMENT, 6, ttl=61, identification=0xBEEF))).ip
    assert (shown.ttl, shown.identification, shown.dont_fragment) == (61, 0xBEEF, True)


def test_a_fragment_tells_its_offset_in_octets():
    shown = row(ethernet(ipv4(bytes(16), 17, fragment=0x2003)))
    assert (shown.ip.fragment_offset, shown.ip.more_fragments, shown.source) == (24, True, None)


def test_an_ipv6_fragment_takes_its_fields_from_the_fragment_header():
    chain = struct.pack(">BBHI", 17, 0, 24 | 1, 99)
    shown = row(ethernet(ipv6(chain + bytes(16), 44), 0x86DD)).ip
    assert (shown.fragment_offset, shown.more_fragments, shown.identification) == (24, True, 99)


def test_tcp_fields_and_options():
    shown = row(ethernet(ipv4(tcp(flags=SYN, options=SEGMENT[20:24]), 6))).tcp
    assert (shown.flags, shown.sequence, shown.options) == (Flags.SYN, 1000, Options(mss=1460))


def test_the_payload_is_what_was_captured_of_it():
    shown = row(ethernet(ipv4(tcp(b"hello"), 6)), cut=14 + 40 + 2)
    assert (shown.payload, shown.payload_length) == (b"he", 5)


def test_padding_is_not_payload():
    assert row(ethernet(ipv4(tcp(), 6)) + bytes(6)).payload == b""


def test_arp_names_sender_and_target():
    shown = row(ethernet(arp(), 0x0806)).arp
    assert (shown.operation, shown.sender, shown.target) == (1, CLIENT, SERVER)


def test_an_arp_cut_short_has_no_fields():
    assert row(ethernet(arp(), 0x0806), cut=14 + 20).arp is None


# ------------------------------------------------------------------------------- ICMP


@pytest.mark.parametrize(
    ("inner", "protocol", "ports"),
    [
        (ipv4(udp(), 17), Protocol.UDP, (50000, 53)),
        (ipv4(tcp(), 6), Protocol.TCP, (40000, 80)),
        (ipv4(udp(), 17)[:24], Protocol.UDP, (50000, 53)),
        (ipv4(udp(), 17)[:22], Protocol.UDP, (0, 0)),
        (ipv4(b"\x08\0\0\0", 1), Protocol.ICMP, (0, 0)),
        (ipv4(bytes(8), 17, fragment=1), Protocol.FRAGMENT, (0, 0)),
    ],
)
def test_an_icmp_error_quotes_the_packet_that_caused_it(inner, protocol, ports):
    quoted = row(ethernet(ipv4(icmp(3, 3, inner), 1))).icmp.quoted
    assert (quoted.protocol, quoted.source, quoted.destination) == (
        protocol,
        Endpoint(CLIENT, ports[0]),
        Endpoint(SERVER, ports[1]),
    )


def test_an_icmpv6_error_quotes_too():
    inner = ipv6(udp(ends=(CLIENT6, SERVER6)), 17)
    shown = row(ethernet(ipv6(icmp(1, 4, inner), 58), 0x86DD)).icmp
    assert (shown.code, shown.quoted.destination) == (4, Endpoint(SERVER6, 53))


def test_an_echo_quotes_nothing():
    shown = row(ethernet(ipv4(icmp(8, 0, ipv4(udp(), 17), rest=0x00070002), 1))).icmp
    assert (shown.type, shown.rest, shown.quoted) == (8, 0x00070002, None)


def test_a_quotation_that_is_no_packet_is_none():
    assert row(ethernet(ipv4(icmp(3, 3, b"\x45\0"), 1))).icmp.quoted is None


# ------------------------------------------------------------------------- TCP options


@pytest.mark.parametrize(
    ("octets", "parsed"),
    [
        (b"", Options()),
        (b"\x02\x04\x05\xb4", Options(mss=1460)),
        (b"\x01\x03\x03\x07", Options(window_scale=7)),
        (b"\x04\x02", Options(sack_permitted=True)),
        (b"\x05\x0a\0\0\0\1\0\0\0\2", Options(sack=((1, 2),))),
        (b"\x05\x12" + struct.pack(">4I", 1, 2, 5, 9), Options(sack=((1, 2), (5, 9)))),
        (b"\x08\x0a\0\0\0\1\0\0\0\2", Options(timestamps=(1, 2))),
        (b"\x01\x01\x08\x0a\0\0\0\1\0\0\0\2", Options(timestamps=(1, 2))),
        (
            b"\x01\x01\x08\x0a\0\0\0\1\0\0\0\2\x04\x02",
            Options(sack_permitted=True, timestamps=(1, 2)),
        ),
        (b"\x22\x02", Options(fast_open=b"")),
        (b"\x22\x06abcd", Options(fast_open=b"abcd")),
        (b"\x1e\x04ab", Options(unknown=((30, b"ab"),))),
        (b"\x02\x03\x05\x04\x02", Options(sack_permitted=True, unknown=((2, b"\x05"),))),
        (b"\x00\x04\x02", Options()),
        (b"\x04\x02\x02\x00\x04\x02", Options(sack_permitted=True)),
        (b"\x04\x02\x02\x01", Options(sack_permitted=True)),
        (b"\x04\x02\x02\x09\x05", Options(sack_permitted=True)),
        (b"\x04\x02\x02", Options(sack_permitted=True)),
    ],
)
def test_tcp_options_are_parsed_until_a_length_cannot_be(octets, parsed):
    assert parse_options(octets) == parsed
