"""Columns: every link type, tags, tunnels, fragments, options, and headers cut or contradicting."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from lab.packets.addresses import address_text
from lab.packets.frames import ABSENT, Direction, Flags, Protocol
from lab.packets.reader import read_capture
from tests.handmade import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    arp,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    pcap,
    tcp,
    udp,
)

SEGMENT = tcp(b"hello", sequence=2**32 - 1, acknowledgment=7, flags=0x118, window=65535)
ENDS6 = (CLIENT6, SERVER6)


def columns(*frames, link_type=1, cut=None):
    return read_capture(pcap(frames, link_type=link_type, cut=cut)).frames


def payload(frames, index=0):
    begin = frames.payload[index]
    return frames.octets[begin : begin + frames.payload_length[index]].tobytes()


def addresses(frames, index=0):
    return tuple(
        address_text(*map(int, column[index])) for column in (frames.source, frames.destination)
    )


def test_the_fields_of_a_segment():
    frames = columns(ethernet(ipv4(SEGMENT, 6)))
    read = (frames.source_port, frames.destination_port, frames.sequence, frames.acknowledgment)
    assert [int(column[0]) for column in read] == [40000, 80, 2**32 - 1, 7]


def test_all_nine_control_bits_are_kept():
    frames = columns(ethernet(ipv4(tcp(flags=0x1FF), 6)))
    assert Flags(int(frames.flags[0])) == Flags(0x1FF)


def test_the_window_is_the_field():
    assert columns(ethernet(ipv4(SEGMENT, 6))).window.tolist() == [65535]


def test_offsets_point_into_the_file():
    frames = columns(ethernet(ipv4(SEGMENT, 6)))
    starts = [int(c[0]) for c in (frames.start, frames.network, frames.transport, frames.payload)]
    assert starts == [40, 54, 74, 94]


def test_ipv4_addresses_are_kept_mapped():
    assert addresses(columns(ethernet(ipv4(SEGMENT, 6)))) == (CLIENT, SERVER)


def test_ipv6_addresses_are_kept_whole():
    frames = columns(ethernet(ipv6(tcp(b"x", ends=ENDS6), 6), 0x86DD))
    assert (addresses(frames), frames.ip_version[0]) == (ENDS6, 6)


@pytest.mark.parametrize("tags", [(0x8100,), (0x88A8, 0x8100), (0x9100, 0x8100, 0x8100)])
def test_vlan_tags_are_stepped_over(tags):
    assert payload(columns(ethernet(ipv4(SEGMENT, 6), tags=tags))) == b"hello"


def test_a_pppoe_session_is_stepped_over():
    shim = struct.pack(">BBHHH", 0x11, 0, 1, 47, 0x0021)
    assert payload(columns(ethernet(shim + ipv4(SEGMENT, 6), 0x8864))) == b"hello"


def test_a_snap_header_names_the_type():
    inner = b"\xaa\xaa\x03\0\0\0\x08\0" + ipv4(SEGMENT, 6)
    assert payload(columns(ethernet(inner, len(inner)))) == b"hello"


@pytest.mark.parametrize("link_type", [101, 12, 14, 228])
def test_raw_ip_has_no_link_header(link_type):
    assert payload(columns(ipv4(SEGMENT, 6), link_type=link_type)) == b"hello"


@pytest.mark.parametrize("link_type", [101, 229])
def test_raw_ip_may_be_version_6(link_type):
    assert columns(ipv6(tcp(b"x", ends=ENDS6), 6), link_type=link_type).ip_version[0] == 6


@pytest.mark.parametrize(("link_type", "order"), [(0, "<"), (0, ">"), (108, ">")])
def test_loopback_headers_name_a_family(link_type, order):
    frames = columns(struct.pack(order + "I", 2) + ipv4(SEGMENT, 6), link_type=link_type)
    assert payload(frames) == b"hello"


@pytest.mark.parametrize("family", [10, 24, 28, 30])
def test_each_systems_number_for_ipv6_is_known(family):
    packet = struct.pack("<I", family) + ipv6(tcp(b"x", ends=ENDS6), 6)
    assert columns(packet, link_type=0).ip_version[0] == 6


def cooked(packet_type):
    return struct.pack(">HHH8sH", packet_type, 1, 6, bytes(8), 0x0800) + ipv4(SEGMENT, 6)


def cooked_2(packet_type):
    head = struct.pack(">HHIHBB8s", 0x0800, 0, 3, 1, packet_type, 6, bytes(8))
    return head + ipv4(SEGMENT, 6)


@pytest.mark.parametrize(("link_type", "make"), [(113, cooked), (276, cooked_2)])
def test_linux_cooked_headers_are_read(link_type, make):
    assert payload(columns(make(0), link_type=link_type)) == b"hello"


@pytest.mark.parametrize(("link_type", "make"), [(113, cooked), (276, cooked_2)])
def test_linux_cooked_headers_tell_the_direction(link_type, make):
    frames = columns(make(0), make(4), link_type=link_type)
    assert frames.direction.tolist() == [Direction.INBOUND, Direction.OUTBOUND]


def test_an_unknown_link_type_is_left_alone():
    frames = columns(ethernet(ipv4(SEGMENT, 6)), link_type=147)
    assert (frames.network[0], frames.protocol[0]) == (ABSENT, Protocol.OTHER)


def test_ethernet_padding_is_not_payload():
    frames = columns(ethernet(ipv4(tcp(), 6)) + bytes(6))
    assert (frames.payload_length[0], frames.malformed[0]) == (0, False)


def test_ip_options_are_stepped_over():
    assert payload(columns(ethernet(ipv4(SEGMENT, 6, options=b"\x01" * 8)))) == b"hello"


def test_tcp_options_are_stepped_over():
    assert payload(columns(ethernet(ipv4(tcp(b"hello", options=b"\x01" * 12), 6)))) == b"hello"


def test_an_ip_length_of_zero_means_the_frames_own_length():
    assert payload(columns(ethernet(ipv4(SEGMENT, 6, total=0)))) == b"hello"


def test_an_ipv6_length_of_zero_means_the_frames_own_length():
    frames = columns(ethernet(ipv6(tcp(b"hello", ends=ENDS6), 6, length=0), 0x86DD))
    assert payload(frames) == b"hello"


def test_a_first_fragment_has_a_transport_header():
    frames = columns(ethernet(ipv4(udp(bytes(24)), 17, fragment=0x2000)))
    assert (frames.protocol[0], frames.source_port[0]) == (Protocol.UDP, 50000)


def test_a_later_fragment_has_none():
    frames = columns(ethernet(ipv4(bytes(24), 17, fragment=0x2003)))
    assert (frames.protocol[0], frames.transport[0]) == (Protocol.FRAGMENT, ABSENT)


@pytest.mark.parametrize("kind", [0, 43, 60])
def test_ipv6_extension_headers_are_stepped_over(kind):
    chain = bytes([60, 1]) + bytes(14) + bytes([6, 0]) + bytes(6)
    frames = columns(ethernet(ipv6(chain + tcp(b"hello", ends=ENDS6), kind), 0x86DD))
    assert payload(frames) == b"hello"


def test_an_authentication_header_counts_in_words_of_four():
    chain = bytes([6, 4]) + bytes(22)
    frames = columns(ethernet(ipv6(chain + tcp(b"hello", ends=ENDS6), 51), 0x86DD))
    assert payload(frames) == b"hello"


@pytest.mark.parametrize(("offset", "protocol"), [(1, Protocol.UDP), (8, Protocol.FRAGMENT)])
def test_an_ipv6_fragment_header_tells_first_from_later(offset, protocol):
    chain = struct.pack(">BBHI", 17, 0, offset, 99)
    frames = columns(ethernet(ipv6(chain + udp(bytes(8), ends=ENDS6), 44), 0x86DD))
    assert frames.protocol[0] == protocol


def test_ip_inside_ip_shows_the_inner_packet():
    inner = ipv4(SEGMENT, 6, source="192.0.2.1")
    frames = columns(ethernet(ipv4(inner, 4)))
    assert (payload(frames), addresses(frames)[0]) == (b"hello", "192.0.2.1")


def test_ipv4_inside_ipv6_leaves_no_octet_of_the_outer_address():
    frames = columns(ethernet(ipv6(ipv4(SEGMENT, 6), 4), 0x86DD))
    assert (addresses(frames), frames.ip_version[0]) == ((CLIENT, SERVER), 4)


def test_udp_ends_where_its_own_length_says():
    frames = columns(ethernet(ipv4(udp(b"abc") + b"trailer", 17)))
    assert payload(frames) == b"abc"


def test_icmp_carries_what_follows_eight_octets():
    frames = columns(ethernet(ipv4(icmp(8, 0, b"ping"), 1)))
    assert (frames.protocol[0], payload(frames)) == (Protocol.ICMP, b"ping")


def test_arp_has_a_network_header_and_no_ip_version():
    frames = columns(ethernet(arp(), 0x0806))
    assert (frames.protocol[0], frames.network[0], frames.ip_version[0]) == (Protocol.ARP, 54, 0)


def test_frames_of_many_kinds_keep_their_order():
    one, two, three = ethernet(arp(), 0x0806), ethernet(ipv4(udp(), 17)), ethernet(b"", 0x88CC)
    four = ethernet(ipv6(tcp(ends=ENDS6), 6), 0x86DD)
    assert columns(one, two, three, four).protocol.tolist() == [
        Protocol.ARP,
        Protocol.UDP,
        Protocol.OTHER,
        Protocol.TCP,
    ]


# --------------------------------------------------------------- cut by the snap length


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_frame_cut_by_the_snap_length_is_not_malformed(cut):
    assert not columns(ethernet(ipv4(SEGMENT, 6)), cut=cut).malformed[0]


def test_a_transport_header_cut_off_is_absent():
    frames = columns(ethernet(ipv4(SEGMENT, 6)), cut=14 + 20 + 19)
    assert (frames.transport[0], frames.network[0] != ABSENT) == (ABSENT, True)


def test_a_payload_cut_off_keeps_its_length():
    frames = columns(ethernet(ipv4(SEGMENT, 6)), cut=14 + 20 + 20 + 2)
    assert (frames.payload_length[0], frames.payload[0] != ABSENT) == (5, True)


def test_tcp_options_cut_off_leave_no_payload_offset():
    segment = tcp(b"hello", options=b"\x01" * 12)
    frames = columns(ethernet(ipv4(segment, 6)), cut=14 + 20 + 24)
    assert (frames.payload[0], frames.payload_length[0]) == (ABSENT, 5)


# ------------------------------------------------------------------- contradictions


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(ethernet(b"")[:10], id="shorter than an Ethernet header"),
        pytest.param(ethernet(ipv4(SEGMENT, 6)[:12]), id="shorter than an IPv4 header"),
        pytest.param(ethernet(b"\x44" + ipv4(SEGMENT, 6)[1:]), id="IHL below five"),
        pytest.param(ethernet(b"\x65" + ipv4(SEGMENT, 6)[1:]), id="version 6 under type IPv4"),
        pytest.param(ethernet(ipv4(SEGMENT, 6, total=19)), id="total length below its header"),
        pytest.param(ethernet(ipv4(SEGMENT, 6, total=99)), id="total length beyond the frame"),
        pytest.param(ethernet(ipv6(b"", 6, length=99), 0x86DD), id="IPv6 beyond the frame"),
        pytest.param(ethernet(ipv4(SEGMENT[:10], 6)), id="no room for a TCP header"),
        pytest.param(
            ethernet(ipv4(SEGMENT[:12] + b"\x40\x10" + SEGMENT[14:], 6)), id="data offset below 5"
        ),
        pytest.param(
            ethernet(ipv4(SEGMENT[:12] + b"\xf0\x10" + SEGMENT[14:], 6)), id="data offset beyond"
        ),
        pytest.param(ethernet(ipv4(udp()[:4] + b"\0\7\0\0", 17)), id="UDP length below 8"),
        pytest.param(ethernet(ipv4(udp()[:4] + b"\1\0\0\0", 17)), id="UDP length beyond the IP"),
        pytest.param(ethernet(ipv4(b"\x08\0", 1)), id="no room for an ICMP header"),
        pytest.param(ethernet(arp()[:6], 0x0806), id="no room for an ARP header"),
    ],
)
def test_a_header_that_contradicts_itself_is_malformed(frame):
    assert columns(frame).malformed.tolist() == [True]


def test_a_bad_data_offset_leaves_no_payload():
    frames = columns(ethernet(ipv4(SEGMENT[:12] + b"\x40\x10" + SEGMENT[14:], 6)))
    assert (frames.payload[0], frames.payload_length[0]) == (ABSENT, 0)


def test_a_first_fragment_of_udp_may_name_more_than_it_holds():
    datagram = udp(bytes(100))[:40]
    assert not columns(ethernet(ipv4(datagram, 17, fragment=0x2000))).malformed[0]


@pytest.mark.parametrize("link_type", [0, 1, 9, 101, 108, 113, 228, 229, 276])
def test_an_empty_frame_is_read_without_error(link_type):
    assert columns(b"", link_type=link_type).network.tolist() == [ABSENT]


def test_the_columns_look_into_the_file_itself():
    file = pcap([ethernet(ipv4(SEGMENT, 6))])
    assert np.shares_memory(read_capture(file).frames.octets, np.frombuffer(file, np.uint8))
