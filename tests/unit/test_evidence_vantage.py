"""Two captures of one wire: what both saw, what one saw, and how long frames were under way."""

from __future__ import annotations

from lab.evidence.vantage import between_hosts, match_views
from lab.packets.reader import read_capture
from lab.packets.rows import frame
from lab.text import same
from lab.wire.touched import Deed, Touched, digest
from tests.handmade import arp, ethernet, interface, ipv4, packet, section, tcp, udp

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


def routed(octets):
    """The frame behind a router: other link addresses, TTL less one, another header checksum."""
    body = octets[34:]
    return bytes.fromhex("0200000000aa0200000000bb0800") + ipv4(
        body, octets[23], ttl=octets[22] - 1
    )


def test_a_packet_pairs_beyond_a_router():
    match = match_views(view((A, 1), (B, 2)), view((routed(A), 3), (routed(B), 4)))
    assert (match.first.tolist(), match.second.tolist()) == ([0, 1], [0, 1])
    assert match.routed


def test_a_packet_that_a_router_drops_is_only_in_the_first():
    match = match_views(view((A, 1), (B, 2), (C, 3)), view((routed(A), 3), (routed(C), 4)))
    assert match.only_first.tolist() == [1]


def test_what_stays_on_one_link_is_not_missed_beyond_a_router():
    first, second = view((ARP, 1), (A, 2), (ARP, 3)), view((routed(A), 3))
    match = between_hosts(match_views(first, second), first, second, (), 0, 9**18)
    assert match.only_first.tolist() == []


def test_without_a_router_a_broadcast_is_missed():
    first, second = view((ARP, 1), (A, 2)), view((A, 3))
    match = between_hosts(match_views(first, second), first, second, (), 0, 9**18)
    assert (match.routed, match.only_first.tolist()) == (False, [0])


def touched(sent, arriving):
    return Touched(
        time=1,
        rule=0,
        words=same(""),
        deed=Deed.CORRUPTED,
        sender="client",
        receivers=("server",),
        digest=digest(sent),
        arriving=digest(arriving) if arriving else "",
    )


def test_a_frame_that_the_wire_rewrote_pairs_by_its_log():
    first, second = view((A, 1), (B, 2)), view((A, 1), (C, 3))
    assert match_views(first, second).only_first.tolist() == [1]
    match = match_views(first, second, [touched(B, C)])
    assert (match.first.tolist(), match.second.tolist()) == ([0, 1], [0, 1])


def test_a_frame_that_the_wire_dropped_stays_lost():
    match = match_views(view((A, 1), (B, 2)), view((A, 1)), [touched(B, None)])
    assert match.only_first.tolist() == [1]


def test_a_syn_pairs_with_itself_whatever_became_of_its_options():
    near, far = (ethernet(ipv4(tcp(flags=2, sequence=7, window=w), 6)) for w in (1, 2))
    other = ethernet(ipv4(tcp(flags=2, sequence=8), 6))
    match = match_views(view((near, 1), (other, 2)), view((far, 3)))
    assert (match.first.tolist(), match.only_first.tolist()) == ([0], [1])


def test_of_equal_frames_the_one_that_fits_in_time_arrived():
    first = view((B, 1), (A, 100), (A, 500), (A, 900))
    match = match_views(first, view((B, 2), (A, 501), (A, 902)))
    assert match.only_first.tolist() == [1]
    match = match_views(view((B, 1), (A, 100)), view((B, 2), (A, 101), (A, 300)))
    assert match.only_second.tolist() == [2]
