"""Headers field by field: the bits that each takes, against frames made by hand."""

from __future__ import annotations

import struct

import pytest

from lab.page.layers import Field, Layer, layers
from tests.handmade import ACK, SYN, arp, ethernet, icmp, ipv4, ipv6, tcp, udp

OPTIONS = bytes.fromhex("020405b4010303070402080a0000000100000002")
SEGMENT = ethernet(ipv4(tcp(b"hello", ACK, options=OPTIONS + b"\0" * (-len(OPTIONS) % 4)), 6))


def layer(octets: bytes, name: str) -> Layer:
    return next(one for one in layers(octets) if one.name == name)


def field(octets: bytes, where: str, name: str) -> Field:
    return next(one for one in layer(octets, where).fields if one.name == name)


def value(octets: bytes, where: str, name: str) -> str:
    return field(octets, where, name).value


def test_layers_come_outermost_first() -> None:
    assert [one.name for one in layers(SEGMENT)] == ["Ethernet", "IPv4", "TCP"]


def test_every_bit_of_a_header_belongs_to_one_field() -> None:
    for one in layers(SEGMENT):
        bits = [bit for f in one.fields for bit in range(f.bit, f.bit + f.width)]
        assert bits == list(range(one.begin * 8, one.end * 8)), one.name


@pytest.mark.parametrize(
    ("name", "bit", "width", "written"),
    [
        ("Source Port", 0, 16, "40000"),
        ("Destination Port", 16, 16, "80"),
        ("Sequence Number", 32, 32, "1000"),
        ("Acknowledgment Number", 64, 32, "2000"),
        ("Data Offset", 96, 4, "10"),
        ("AE", 103, 1, "0"),
        ("ACK", 107, 1, "1"),
        ("SYN", 110, 1, "0"),
        ("FIN", 111, 1, "0"),
        ("Window", 112, 16, "502"),
        ("Urgent Pointer", 144, 16, "0"),
    ],
)
def test_the_fields_of_tcp_stand_where_rfc_9293_has_them(
    name: str, bit: int, width: int, written: str
) -> None:
    found = field(SEGMENT, "TCP", name)
    assert (found.bit - 34 * 8, found.width, found.value) == (bit, width, written)


@pytest.mark.parametrize(
    ("name", "bit", "width", "written"),
    [
        ("Version", 0, 4, "4"),
        ("IHL", 4, 4, "5"),
        ("Identification", 32, 16, "1"),
        ("DF", 49, 1, "1"),
        ("MF", 50, 1, "0"),
        ("Fragment Offset", 51, 13, "0"),
        ("Time to Live", 64, 8, "64"),
        ("Protocol", 72, 8, "6 (TCP)"),
        ("Destination Address", 128, 32, "10.0.0.2"),
    ],
)
def test_the_fields_of_ipv4_stand_where_rfc_791_has_them(
    name: str, bit: int, width: int, written: str
) -> None:
    found = field(SEGMENT, "IPv4", name)
    assert (found.bit - 14 * 8, found.width, found.value) == (bit, width, written)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Maximum Segment Size", "1460"),
        ("Window Scale", "7 (× 128)"),
        ("SACK Permitted", ""),
        ("Timestamps", "TSval 1, TSecr 2"),
    ],
)
def test_options_are_told_one_by_one(name: str, written: str) -> None:
    assert value(SEGMENT, "TCP", name) == written


def test_sack_blocks_are_told_with_both_edges() -> None:
    sack = bytes([5, 18]) + struct.pack(">IIII", 10, 20, 30, 40) + b"\1\1"
    assert value(ethernet(ipv4(tcp(options=sack), 6)), "TCP", "SACK") == "10–20, 30–40"


def test_an_option_whose_length_cannot_be_ends_them() -> None:
    broken = ethernet(ipv4(tcp(options=bytes([2, 40, 0, 0])), 6))
    assert value(broken, "TCP", "Malformed Option") == "02 28 00 00"


def test_a_field_names_the_octets_that_hold_it() -> None:
    assert field(SEGMENT, "TCP", "Window").octets == (34 + 14, 34 + 16)


def test_udp_and_its_length() -> None:
    assert value(ethernet(ipv4(udp(b"abc"), 17)), "UDP", "Length") == "11"


def test_arp_tells_who_asks() -> None:
    assert value(ethernet(arp(), 0x0806), "ARP", "Operation") == "1 (request)"


def test_icmp_is_called_by_its_type_and_code() -> None:
    assert layers(ethernet(ipv4(icmp(3, 3), 1)))[-1].name == "ICMP port unreachable"


def test_ipv6_fields_are_as_wide_as_rfc_8200_says() -> None:
    octets = ethernet(ipv6(tcp(flags=SYN), 6), 0x86DD)
    assert (field(octets, "IPv6", "Flow Label").width, value(octets, "IPv6", "Hop Limit")) == (
        20,
        "64",
    )


def test_what_follows_an_ipv6_extension_header_is_read_too() -> None:
    hop_by_hop = bytes([6, 0]) + bytes(6)
    names = [one.name for one in layers(ethernet(ipv6(hop_by_hop + tcp(), 0), 0x86DD))]
    assert names == ["Ethernet", "IPv6", "Hop-by-Hop Options", "TCP"]


def test_vlan_tags_are_layers() -> None:
    names = [one.name for one in layers(ethernet(ipv4(tcp(), 6), tags=(0x8100,)))]
    assert names == ["Ethernet", "VLAN tag", "IPv4", "TCP"]


def test_a_later_fragment_has_no_transport_header() -> None:
    names = [one.name for one in layers(ethernet(ipv4(b"x" * 40, 6, fragment=0x0010)))]
    assert names == ["Ethernet", "IPv4"]


def test_tls_records_are_told_one_after_another() -> None:
    records = bytes.fromhex("1603030002aabb") + bytes.fromhex("1703030001cc")
    octets = ethernet(ipv4(tcp(records), 6))
    assert [value_of.fields[0].value for value_of in layers(octets)[3:]] == [
        "22 (handshake)",
        "23 (application_data)",
    ]


def test_padding_after_a_packet_is_no_payload() -> None:
    padded = ethernet(ipv4(tcp(), 6)) + bytes.fromhex("160303000500")
    assert layers(padded)[-1].name == "TCP"


@pytest.mark.parametrize("length", range(len(SEGMENT)))
def test_a_frame_that_was_cut_is_read_as_far_as_it_goes(length: int) -> None:
    whole = layers(SEGMENT)
    for one, other in zip(layers(SEGMENT[:length]), whole, strict=False):
        assert one.name == other.name
        assert one.end <= length


def test_frames_of_a_kind_share_their_layouts() -> None:
    first, second = (
        layers(ethernet(ipv4(tcp(octets, options=OPTIONS), 6))) for octets in (b"a", b"b")
    )
    assert all(one.layout is other.layout for one, other in zip(first, second, strict=True))
    assert first[-1].values != second[-1].values  # their checksums differ


def test_a_packet_without_a_link_header() -> None:
    assert [one.name for one in layers(ipv4(udp(), 17), 101)] == ["IPv4", "UDP"]
