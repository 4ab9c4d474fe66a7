"""What stands before, around and inside packets: link headers, labels, tunnels."""

from __future__ import annotations

import struct

import pytest

from lab.packets.addresses import address_text
from lab.packets.frames import ABSENT, Protocol
from lab.packets.reader import read_capture
from tests.handmade import CLIENT, SERVER, ethernet, ipv4, ipv6, pcap, tcp, udp

SEGMENT = ipv4(tcp(b"hello", ports=(1111, 2222)), 6, source="192.0.2.1", destination="192.0.2.2")
SEGMENT6 = ipv6(tcp(b"hello", ports=(1111, 2222), ends=("fd00::1", "fd00::2")), 6)
FRAME = ethernet(SEGMENT)
SNAP = b"\xaa\xaa\x03\0\0\0\x08\0"
LAST, LABEL = struct.pack(">I", 16 << 12 | 0x100 | 64), struct.pack(">I", 17 << 12 | 64)
CONTROL_WORD = bytes(4)


def gre(kind, payload, flags=0, fields=b""):
    return struct.pack(">HH", flags, kind) + fields + payload


def over_udp(port, payload):
    return ethernet(ipv4(udp(payload, ports=(50000, port)), 17))


def columns(frame, link_type=1, cut=None):
    return read_capture(pcap([frame], link_type=link_type, cut=cut)).frames


def is_the_segment(frames):
    begin = frames.payload[0]
    return (
        frames.protocol[0] == Protocol.TCP
        and (frames.source_port[0], frames.destination_port[0]) == (1111, 2222)
        and frames.octets[begin : begin + frames.payload_length[0]].tobytes() == b"hello"
        and not frames.malformed[0]
    )


WIFI = b"\x08\x01" + bytes(22)
LINKS = {
    "PPP": (9, b"\x00\x21" + SEGMENT),
    "PPP with a short protocol field": (9, b"\x21" + SEGMENT),
    "PPP with its address": (9, b"\xff\x03\x00\x21" + SEGMENT),
    "PPP and IPv6": (9, b"\xff\x03\x00\x57" + SEGMENT6),
    "Cisco HDLC where PPP is announced": (9, b"\x0f\x00\x08\x00" + SEGMENT),
    "PPPoE": (51, b"\x11\0\0\1\0\x33\0\x21" + SEGMENT),
    "PPP over a serial line": (50, b"\xff\x03\x00\x21" + SEGMENT),
    "Cisco HDLC over a serial line": (50, b"\x0f\x00\x08\x00" + SEGMENT),
    "PPP with a direction": (204, b"\x01\xff\x03\x00\x21" + SEGMENT),
    "BSD loopback with an EtherType": (0, b"\0\x08\0\0" + SEGMENT),
    "BSD loopback with an EtherType and more": (0, b"\x0f\0\x08\0" + SEGMENT),
    "Cisco HDLC": (104, b"\x0f\x00\x08\x00" + SEGMENT),
    "Frame Relay": (107, b"\x18\x41\x03\xcc" + SEGMENT),
    "Frame Relay, Cisco's": (107, b"\x18\x41\x08\x00" + SEGMENT),
    "ATM with LLC": (100, SNAP + SEGMENT),
    "IP over InfiniBand": (242, bytes(40) + b"\x08\0\0\0" + SEGMENT),
    "IP over IEEE 1394": (138, bytes(16) + b"\x08\0" + SEGMENT),
    "SLIP": (8, bytes(16) + SEGMENT),
    "MPLS": (219, LAST + SEGMENT),
    "IEEE 802.11": (105, WIFI + SNAP + SEGMENT),
    "IEEE 802.11 with QoS": (105, b"\x88\x01" + bytes(24) + SNAP + SEGMENT),
    "IEEE 802.11 between access points": (105, b"\x08\x03" + bytes(28) + SNAP + SEGMENT),
    "radiotap": (127, b"\0\0\x0a\0" + bytes(6) + WIFI + SNAP + SEGMENT),
    "Prism": (119, b"\0\0\0\x44\x90\0\0\0" + bytes(136) + WIFI + SNAP + SEGMENT),
    "AVS": (163, b"\x80\x21\x10\x01\0\0\0\x40" + bytes(56) + WIFI + SNAP + SEGMENT),
    "OpenBSD's pflog": (117, b"\x3d\x02" + bytes(62) + SEGMENT),
    "OpenBSD's enc": (109, b"\x02\0\0\0" + bytes(8) + SEGMENT),
    "ARCNET, RFC 1051": (7, b"\1\2\xf0" + SEGMENT),
    "ARCNET, RFC 1201, of Linux": (129, b"\1\2\0\0\xd4\0\0\1" + SEGMENT),
    "Juniper Ethernet": (178, b"MGC\x80\0\2\1\0" + FRAME),
    "netfilter's log": (239, b"\2\0\0\0\5\0\x0a\0x\0\0\0\x31\0\x09\0" + SEGMENT),
    "Apple's PKTAP": (258, b"\x6c\0\0\0\1\0\0\0\1\0\0\0" + bytes(96) + FRAME),
    "PKTAP around PPP": (149, b"\x0c\0\0\0\1\0\0\0\x09\0\0\0\0\x21" + SEGMENT),
    "netANALYZER": (240, bytes(4) + FRAME),
}
SHIMS = {
    "SNAP": struct.pack(">H", 8 + len(SEGMENT)) + SNAP + SEGMENT,
    "SNAP of an old bridge": struct.pack(">H", 99) + b"\xaa\xaa\x03\0\0\xf8\x08\0" + SEGMENT,
    "PPPoE": b"\x88\x64\x11\0\0\1\0\x33\0\x21" + SEGMENT,
    "PPPoE with a short protocol field": b"\x88\x64\x11\0\0\1\0\x32\x21" + SEGMENT,
    "LLC alone": struct.pack(">H", 3 + len(SEGMENT)) + b"\6\6\3" + SEGMENT,
    "IEEE 802.1ah": b"\x88\xe7\0\0\0\7" + FRAME,
    "Cisco MetaData": b"\x89\x09\1\1\0\1\0\7\x08\0" + SEGMENT,
    "HSR": b"\x89\x2f\0\x40\0\1\x08\0" + SEGMENT,
    "VN-Tag and 802.1Q": b"\x89\x26\0\0\0\0\x81\0\0\7\x08\0" + SEGMENT,
    "MPLS": b"\x88\x47" + LABEL + LAST + SEGMENT,
    "MPLS and IPv6": b"\x88\x47" + LAST + SEGMENT6,
    "a pseudowire": b"\x88\x47" + LAST + FRAME,
    "a pseudowire with control word": b"\x88\x47" + LAST + CONTROL_WORD + FRAME,
    "a service header": b"\x89\x4f\x0f\xc2\2\1" + bytes(4) + SEGMENT,
    "a service header around a frame": b"\x89\x4f\x0f\xc6\1\3" + bytes(20) + FRAME,
    "MACsec": b"\x88\xe5\0\0\0\0\0\1\x08\0" + SEGMENT,
    "MACsec with its channel": b"\x88\xe5\x20\0\0\0\0\1" + bytes(8) + b"\x08\0" + SEGMENT,
    "tags around labels": b"\x81\0\0\7\x88\x47" + LAST + SEGMENT,
    "Ethernet in Ethernet": b"\x65\x58" + FRAME,
}
NUMBERS = {
    "IP in IP": (4, SEGMENT),
    "6in4": (41, SEGMENT6),
    "EtherIP": (97, b"\x30\0" + FRAME),
    "MPLS in IP": (137, LAST + SEGMENT),
    "GRE": (47, gre(0x0800, SEGMENT)),
    "GRE and IPv6": (47, gre(0x86DD, SEGMENT6)),
    "an authentication header": (51, b"\6\4" + bytes(22) + SEGMENT[20:]),
    "an authentication header around IP": (51, b"\4\4" + bytes(22) + SEGMENT),
    "GRE with all fields": (47, gre(0x0800, SEGMENT, 0xB000, bytes(12))),
    "PPTP": (47, gre(0x880B, b"\xff\x03\0\x21" + SEGMENT, 0x3081, bytes(12))),
    "bridging": (47, gre(0x6558, FRAME)),
    "NVGRE": (47, gre(0x6558, FRAME, 0x2000, bytes(4))),
    "ERSPAN I": (47, gre(0x88BE, FRAME)),
    "ERSPAN II": (47, gre(0x88BE, b"\x10" + bytes(7) + FRAME, 0x1000, bytes(4))),
    "ERSPAN III": (47, gre(0x22EB, b"\x20" + bytes(11) + FRAME, 0x1000, bytes(4))),
    "ERSPAN III of a platform": (47, gre(0x22EB, b"\x20" + bytes(10) + b"\1" + bytes(8) + FRAME)),
    "WCCP": (47, gre(0x883E, SEGMENT)),
    "WCCP 2": (47, gre(0x883E, bytes(4) + SEGMENT)),
    "MPLS in GRE": (47, gre(0x8847, LAST + SEGMENT)),
    "a PIM Register": (103, b"\x21\0" + bytes(6) + SEGMENT),
    "Ethernet in IP": (143, FRAME),
    "twice": (4, ipv4(gre(0x0800, SEGMENT), 47)),
}
PORTS = {
    "VXLAN": (4789, b"\x08" + bytes(7) + FRAME),
    "VXLAN without its flag": (4789, bytes(8) + FRAME),
    "VXLAN on Linux's old port": (8472, b"\x08" + bytes(7) + FRAME),
    "VXLAN-GPE": (4790, b"\x0c\0\0\1" + bytes(4) + SEGMENT),
    "VXLAN-GPE and a service header": (
        4790,
        b"\x0c\0\0\4" + bytes(4) + b"\x0f\xc2\2\1" + bytes(4) + SEGMENT,
    ),
    "Geneve": (6081, b"\0\0\x65\x58" + bytes(4) + FRAME),
    "Geneve with options": (6081, b"\2\0\x08\0" + bytes(12) + SEGMENT),
    "GTP-U": (2152, b"\x30\xff\0\x2d" + bytes(4) + SEGMENT),
    "GTP-U with extensions": (2152, b"\x34\xff\0\x2d" + bytes(7) + b"\x85\1\0\0\0" + SEGMENT),
    "Teredo": (3544, SEGMENT6),
    "Teredo with an origin": (3544, bytes(8) + SEGMENT6),
    "Teredo with authentication": (3544, b"\0\1\2\3" + bytes(14 + 8) + SEGMENT6),
    "LISP": (4341, bytes(8) + SEGMENT),
    "TZSP": (37008, b"\1\0\0\1\0\x0a\1\xff\1" + FRAME),
    "GRE": (4754, gre(0x0800, SEGMENT)),
    "MPLS": (6635, LAST + SEGMENT),
    "AYIYA": (5072, b"\x44\x52\x11\x29" + bytes(4 + 16 + 20) + SEGMENT6),
    "L2TP": (1701, b"\0\2\0\1\0\1\xff\x03\0\x21" + SEGMENT),
    "L2TP with all fields": (
        1701,
        b"\x4a\2\0\x41" + bytes(8) + b"\0\2\0\0\xff\x03\0\x21" + SEGMENT,
    ),
}


@pytest.mark.parametrize(("link_type", "frame"), LINKS.values(), ids=LINKS)
def test_link_types_are_stepped_over(link_type, frame):
    assert is_the_segment(columns(frame, link_type))


@pytest.mark.parametrize("following", SHIMS.values(), ids=SHIMS)
def test_what_follows_the_addresses_of_ethernet_is_stepped_over(following):
    assert is_the_segment(columns(bytes(12) + following))


@pytest.mark.parametrize(("number", "payload"), NUMBERS.values(), ids=NUMBERS)
def test_tunnels_of_ip_are_looked_into(number, payload):
    assert is_the_segment(columns(ethernet(ipv4(payload, number))))


@pytest.mark.parametrize(("port", "payload"), PORTS.values(), ids=PORTS)
def test_tunnels_over_udp_are_looked_into(port, payload):
    assert is_the_segment(columns(over_udp(port, payload)))


@pytest.mark.parametrize("length", range(14, 120, 7))
@pytest.mark.parametrize(("port", "payload"), PORTS.values(), ids=PORTS)
def test_a_tunnel_that_is_cut_off_gives_no_segment(port, payload, length):
    frames = columns(over_udp(port, payload), cut=min(length, 41 + len(payload) - 5 - 20))
    assert frames.protocol[0] != Protocol.TCP


@pytest.mark.parametrize("port", [port for port, _ in PORTS.values()])
def test_a_datagram_on_a_tunnels_port_that_holds_no_packet_is_a_datagram(port):
    frames = columns(over_udp(port, b"just some words, no packet"))
    assert (frames.protocol[0], frames.destination_port[0]) == (Protocol.UDP, port)
    assert frames.payload_length[0] == 26


def test_the_addresses_are_those_inside():
    frames = columns(over_udp(*PORTS["VXLAN"]))
    pair = [address_text(*map(int, ends[0])) for ends in (frames.source, frames.destination)]
    assert pair == ["192.0.2.1", "192.0.2.2"]


def test_of_a_tunnel_that_carries_neither_tcp_nor_udp_the_outer_ports_are_forgotten():
    inner = ethernet(ipv4(b"\x45" * 30, 89, source=CLIENT, destination=SERVER))
    frames = columns(over_udp(4789, b"\x08" + bytes(7) + inner))
    assert (frames.protocol[0], frames.source_port[0]) == (Protocol.OTHER, 0)
    assert (frames.transport[0], frames.payload[0]) == (ABSENT, ABSENT)


def test_encrypted_wifi_frames_stay_closed():
    assert columns(b"\x08\x41" + bytes(22) + SNAP + SEGMENT, 105).protocol[0] == Protocol.OTHER


def test_frames_that_macsec_encrypted_stay_closed():
    frames = columns(bytes(12) + b"\x88\xe5\x0c\0\0\0\0\1\x08\0" + SEGMENT)
    assert frames.protocol[0] == Protocol.OTHER


def test_tunnels_without_end_are_left_at_some_depth():
    packet = SEGMENT
    for _ in range(40):
        packet = ipv4(packet, 4)
    assert columns(ethernet(packet)).protocol[0] == Protocol.OTHER


LONG = ipv4(tcp(bytes(200), ports=(1111, 2222)), 6, source="192.0.2.1", destination="192.0.2.2")
VXLAN = b"\x08\0\0\0\0\0\x05\0"
IN_FRAGMENTS = {
    "IP": (4, LONG),
    "GRE": (47, gre(0x0800, LONG)),
    "VXLAN": (17, udp(VXLAN + ethernet(LONG), ports=(50000, 4789))),
}


@pytest.mark.parametrize(("number", "carried"), IN_FRAGMENTS.values(), ids=IN_FRAGMENTS)
def test_a_segment_is_as_long_as_it_says_where_the_tunnels_packet_came_in_fragments(
    number, carried
):
    """Else the next one would seem to follow a gap."""
    parts = [ipv4(carried[:136], number, fragment=0x2000), ipv4(carried[136:], number, fragment=17)]
    frames = read_capture(pcap(map(ethernet, parts))).frames
    assert frames.protocol.tolist() == [Protocol.TCP, Protocol.FRAGMENT]
    assert (frames.payload_length[0], frames.malformed.any()) == (200, False)
