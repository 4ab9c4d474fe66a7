"""TCP segments in IP fragments: the frame that completes one stands for it."""

from __future__ import annotations

import struct

import pytest

from lab.packets.checksums import checksum_errors
from lab.packets.frames import ABSENT, Protocol
from lab.packets.reader import read_capture
from lab.packets.rows import frame
from lab.tcp.connections import connections
from tests.handmade import ethernet, ipv4, ipv6, pcap, tcp, udp

MORE = 0x2000
SEGMENT = tcp(bytes(range(100)), 0x18, sequence=77)
TCP, FRAGMENT, UDP = Protocol.TCP, Protocol.FRAGMENT, Protocol.UDP


def pieces(payload, number=6, size=40, identification=9):
    """The packet in fragments of ``size`` octets."""
    cuts = range(0, len(payload), size)
    return [
        ethernet(
            ipv4(
                payload[at : at + size],
                number,
                fragment=at // 8 | (MORE if at + size < len(payload) else 0),
                identification=identification,
            )
        )
        for at in cuts
    ]


def pieces6(payload, size=40):
    cuts = range(0, len(payload), size)
    heads = [struct.pack(">BBHI", 6, 0, at | (at + size < len(payload)), 9) for at in cuts]
    return [
        ethernet(ipv6(head + payload[at : at + size], 44), 0x86DD)
        for head, at in zip(heads, cuts, strict=True)
    ]


def read(frames, **options):
    return read_capture(pcap(frames, **options)).frames


@pytest.mark.parametrize("parts", [pieces(SEGMENT), pieces6(SEGMENT)], ids=["IPv4", "IPv6"])
def test_the_last_fragment_stands_for_the_segment(parts):
    frames = read(parts)
    assert frames.protocol.tolist() == [FRAGMENT, FRAGMENT, TCP]
    assert (frames.sequence[2], frames.payload_length[2], frames.payload[2]) == (77, 100, ABSENT)


def test_the_options_may_lie_in_the_next_fragment():
    frames = read(pieces(tcp(bytes(20), options=bytes(8)), size=24))
    assert frames.protocol.tolist() == [FRAGMENT, TCP]
    assert (frames.payload_length[1], frames.malformed.any()) == (20, False)


def test_of_a_segment_that_stays_incomplete_half_a_header_is_a_fragment_too():
    frames = read(pieces(tcp(bytes(20), options=bytes(8)), size=24)[:1])
    assert (frames.protocol[0], frames.malformed[0]) == (FRAGMENT, False)


def test_in_any_order_the_one_that_completes_it_does():
    first, second, third = pieces(SEGMENT)
    frames = read([third, first, second])
    assert frames.protocol.tolist() == [FRAGMENT, FRAGMENT, TCP]


def test_of_what_never_came_whole_nothing_is_a_segment():
    frames = read([pieces(SEGMENT)[0], pieces(SEGMENT)[2]])
    assert frames.protocol.tolist() == [FRAGMENT, FRAGMENT]
    assert frames.source_port.tolist() == [0, 0]


def test_packets_are_told_apart_by_their_identification():
    mixed = [
        part
        for pair in zip(pieces(SEGMENT), pieces(SEGMENT, identification=8), strict=True)
        for part in pair
    ]
    assert read(mixed).protocol.tolist() == [FRAGMENT] * 4 + [TCP] * 2


def test_an_identification_may_come_again():
    assert read(pieces(SEGMENT) * 2).protocol.tolist() == [FRAGMENT, FRAGMENT, TCP] * 2


def test_fragments_may_overlap_and_repeat():
    first, second, third = pieces(SEGMENT)
    again = ethernet(ipv4(SEGMENT[32:80], 6, fragment=4 | MORE, identification=9))
    frames = read([first, first, again, third, second])
    assert frames.protocol.tolist() == [FRAGMENT, FRAGMENT, FRAGMENT, TCP, FRAGMENT]


def test_a_first_fragment_that_the_snap_length_cut_is_read_as_far_as_it_goes():
    frames = read(pieces(SEGMENT)[:1], cut=58)
    assert frames.protocol.tolist() == [TCP]


def test_a_segment_of_which_only_the_begin_was_captured_has_no_known_length():
    frames = read(pieces(SEGMENT)[:1], cut=58)
    assert (frames.sequence[0], frames.payload_length[0]) == (77, 0)


@pytest.mark.parametrize(("split", "cut"), [(pieces, 58), (pieces6, 90)], ids=["IPv4", "IPv6"])
def test_what_has_no_known_length_is_in_the_stream_but_not_analysed(split, cut):
    """As in Wireshark: no hole before it, none that it could fill, and no duplicate ACK."""
    numbers = (1001, 2001, 3001, 3001)
    parts = [part for number in numbers for part in split(tcp(bytes(1000), sequence=number))]
    (found,) = connections(read_capture(pcap(parts, cut=cut)))
    assert (len(found.rows), found.flags) == (4, {})


def test_a_datagram_is_its_first_fragment():
    frames = read(pieces(udp(bytes(100)), 17))
    assert frames.protocol.tolist() == [UDP, FRAGMENT, FRAGMENT]
    assert frames.payload_length.tolist() == [100, 0, 0]


def test_a_row_of_a_segment_in_fragments_has_its_header_and_no_payload():
    capture = read_capture(pcap(pieces(SEGMENT)))
    row = frame(capture, 2)
    assert row.tcp is not None
    assert (row.tcp.sequence, row.payload, row.payload_length) == (77, b"", 100)
    assert not len(checksum_errors(capture))


def test_fragments_that_overlap_without_end_do_not_hold_up_the_reading():
    part = ethernet(ipv4(bytes(8), 6, fragment=3 | MORE, identification=9))
    frames = read([part] * 30_000 + pieces(SEGMENT, size=64)[1:])
    assert set(frames.protocol.tolist()) == {FRAGMENT}
