"""Two captures of one wire: what both saw, what one saw, and how long frames were under way."""

from __future__ import annotations

from lab.evidence.vantage import between_hosts, match_views
from lab.packets.reader import read_capture
from lab.packets.rows import frame
from tests.handmade import arp, ethernet, interface, ipv4, packet, section, udp

A, B, C = (ethernet(ipv4(udp(data), 17)) for data in (b"a", b"b", b"c"))
ARP = ethernet(arp(), 0x0806)


def view(*frames):
    """Each frame as (octets, time in µs)."""
    parts = (packet(octets, ticks) for octets, ticks in frames)
    return read_capture(section() + interface() + b"".join(parts))


def test_the_same_frames_pair():
    match = match_views(view((A, 1), (B, 2)), view((A, 3), (B, 4)))
    assert (match.first.tolist(), match.second.tolist()) == ([0, 1], [0, 1])


def test_order_need_not_be_the_same():
    match = match_views(view((A, 1), (B, 2)), view((B, 3), (A, 4)))
    assert (match.first.tolist(), match.second.tolist()) == ([0, 1], [1, 0])


def test_a_frame_lost_between_is_only_in_the_first():
    match = match_views(view((A, 1), (B, 2), (C, 3)), view((A, 1), (C, 3)))
    assert (match.only_first.tolist(), match.only_second.tolist()) == ([1], [])


def test_a_frame_from_elsewhere_is_only_in_the_second():
    match = match_views(view((A, 1)), view((ARP, 1), (A, 2)))
    assert (match.only_first.tolist(), match.only_second.tolist()) == ([], [0])


def test_repeated_frames_pair_in_order():
    match = match_views(view((ARP, 1), (A, 2), (ARP, 3)), view((ARP, 5), (ARP, 6)))
    assert (match.first.tolist(), match.second.tolist()) == ([0, 2], [0, 1])


def test_transit_is_in_nanoseconds_and_signed():
    match = match_views(view((A, 10), (B, 20)), view((A, 13), (B, 18)))
    assert match.transit.tolist() == [3000, -2000]


def test_captures_without_frames_match_nothing():
    match = match_views(view(), view((A, 1)))
    assert (match.first.tolist(), match.only_second.tolist()) == ([], [0])


def test_a_frame_that_no_host_sent_is_not_missed_at_the_other_port():
    first, second = view((A, 1), (B, 2)), view((A, 1))
    strangers = between_hosts(
        match_views(first, second), first, second, {"02:00:00:00:00:ff"}, 0, 9**18
    )
    assert strangers.only_first.tolist() == []


def test_a_frame_from_before_the_other_port_was_recorded_is_not_missed():
    first, second = view((A, 1), (B, 2)), view((B, 2))
    both = between_hosts(match_views(first, second), first, second, (), since=1_500, until=9**18)
    assert both.only_first.tolist() == []


def test_a_hosts_frame_lost_while_both_ports_were_recorded_is_missed():
    first, second = view((A, 1), (B, 2)), view((A, 1))
    sender = frame(first, 1).link_source
    lost = between_hosts(match_views(first, second), first, second, {sender}, 0, 9**18)
    assert lost.only_first.tolist() == [1]
