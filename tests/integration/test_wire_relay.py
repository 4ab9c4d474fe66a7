"""Real kernels over the wire: what each rule makes them do, and what is written down of it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from capture_network import eventually, ip
from numpy.typing import NDArray
from wire_network import ADDRESSES, PORT, Host, command, lab, taps, wire

from lab.evidence.touched import WireLog, touched_numbers
from lab.evidence.vantage import match_views
from lab.packets.checksums import checksum_errors
from lab.packets.frames import Capture, Protocol
from lab.packets.options import Options
from lab.packets.rows import frame
from lab.wire.netlink import read_link, set_isolated
from lab.wire.rules import (
    ACK,
    SYN,
    WINDOW_SCALE,
    Rule,
    clamp,
    corrupt,
    data,
    datagram,
    delay,
    drop,
    duplicate,
    frames,
    packets,
    pure_ack,
    rate,
    reorder,
    segment,
    strip,
)
from lab.wire.touched import Deed
from tests.handmade import CLIENT_MAC

pytestmark = pytest.mark.root
SERVER = (ADDRESSES["server"], PORT)
Hosts = tuple[Host, Host]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with lab() as both:
        yield both


CLOSED = bytes([7])  # TCP_CLOSE of net/tcp_states.h: the first octet of struct tcp_info


class Run:
    """A TCP exchange over the wire, recorded at both ports: "hello" there, "hello back" here."""

    def __init__(self, folder: Path, hosts: Hosts, *rules: Rule) -> None:
        client, server = hosts
        with taps(folder, hosts) as recording, wire(folder, hosts, *rules) as relay:
            with server.listener() as listener, client.socket() as one:
                begun = time.monotonic()
                one.connect(SERVER)
                self.connecting = time.monotonic() - begun
                one.sendall(b"hello")
                with listener.accept()[0] as other:
                    converse(one, other)
                self.exchanging = time.monotonic() - begun - self.connecting
            self.log: WireLog = relay.end()
            self.client, self.server = recording.end()


def converse(one: socket.socket, other: socket.socket) -> None:
    """Answer what was said, and close until the last ACK is there."""
    assert other.recv(100) == b"hello"
    other.sendall(b"hello back")
    assert one.recv(100) == b"hello back"
    one.shutdown(socket.SHUT_WR)
    assert other.recv(100) == b""
    other.shutdown(socket.SHUT_WR)
    assert one.recv(100) == b""
    assert eventually(lambda: other.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == CLOSED)


def kinds(log: WireLog) -> list[Deed]:
    return [touched.deed for touched in log.touched]


def tcp_rows(capture: Capture) -> NDArray[np.int64]:
    """Where the segments are; the switch itself may speak IGMP, at any time."""
    return np.flatnonzero(capture.frames.protocol == Protocol.TCP)


# ------------------------------------------------------------------------------ without rules


def test_isolated_ports_pass_nothing(hosts: Hosts, tmp_path: Path) -> None:
    client, _ = hosts
    first, second = (bytes(6) + CLIENT_MAC + b"\x88\xb5" + bytes([k]) * 50 for k in (1, 2))
    with taps(tmp_path, hosts) as recording:
        for isolated in (True, False):
            for host in hosts:
                set_isolated(host.port, isolated)
            client.send_raw(first if isolated else second)
        seen = recording.end()[1].frames.octets.tobytes()
    assert (seen.count(first), seen.count(second)) == (0, 1)


def test_without_rules_both_ports_see_the_same_frames(hosts: Hosts, tmp_path: Path) -> None:
    run = Run(tmp_path, hosts)
    match = match_views(run.client, run.server)
    assert len(tcp_rows(run.client)) >= 8
    assert set(tcp_rows(run.client)) <= set(match.first)
    assert set(tcp_rows(run.server)) <= set(match.second)


def test_without_rules_nothing_is_touched_and_everything_arrives(
    hosts: Hosts, tmp_path: Path
) -> None:
    log = Run(tmp_path, hosts).log
    assert log.touched == ()
    assert log.summary
    assert log.summary.carried == log.summary.delivered
    assert (log.summary.missed, log.summary.unfinished) == (0, 0)


def test_a_megabyte_arrives_whole(hosts: Hosts, tmp_path: Path) -> None:
    client, server = hosts
    sent = bytes(range(256)) * 4096
    with wire(tmp_path, hosts) as relay, server.listener() as listener, client.socket() as one:
        one.connect(SERVER)
        sending = Thread(target=one.sendall, args=(sent,))
        sending.start()
        with listener.accept()[0] as other:
            assert other.recv(len(sent), socket.MSG_WAITALL) == sent
        sending.join()
        summary = relay.end().summary
    assert summary
    assert summary.missed == 0


def test_an_idle_wire_answers_within_half_a_millisecond(hosts: Hosts, tmp_path: Path) -> None:
    client, server = hosts
    with wire(tmp_path, hosts), client.bound() as one, server.bound() as other:
        rounds = []
        for _ in range(50):
            begun = time.monotonic()
            one.sendto(b"ping", SERVER)
            other.sendto(b"pong", other.recvfrom(100)[1])
            one.recv(100)
            rounds.append(time.monotonic() - begun)
    assert min(rounds) < 0.0005


def test_a_tagged_frame_keeps_its_tag(hosts: Hosts, tmp_path: Path) -> None:
    client, server = hosts
    tagged = bytes(6) + CLIENT_MAC + bytes.fromhex("8100 0007 88b5") + b"tagged".ljust(50)
    with taps(tmp_path, hosts) as recording, wire(tmp_path, hosts) as relay:
        client.send_raw(tagged)
        with server.bound() as other, client.bound() as one:
            one.sendto(b"behind it", SERVER)
            other.recv(100)
        relay.end()
        assert tagged in recording.end()[1].frames.octets.tobytes()


# ------------------------------------------------------------------------------ loss


def test_a_lost_syn_is_sent_again_after_a_second(hosts: Hosts, tmp_path: Path) -> None:
    run = Run(tmp_path, hosts, drop(segment(SYN), nth=1))
    assert 0.99 <= run.connecting < 1.5
    assert len(tcp_rows(run.client)) == len(tcp_rows(run.server)) + 1


def test_a_lost_syn_ack_is_sent_again_after_a_second(hosts: Hosts, tmp_path: Path) -> None:
    run = Run(tmp_path, hosts, drop(segment(SYN, ACK), nth=1))
    assert 0.99 <= run.connecting < 1.5
    assert len(tcp_rows(run.server)) == len(tcp_rows(run.client)) + 1


def test_a_lost_third_ack_does_no_harm_when_data_follows(hosts: Hosts, tmp_path: Path) -> None:
    run = Run(tmp_path, hosts, drop(pure_ack(sender="client"), nth=1))
    assert kinds(run.log) == [Deed.DROPPED]
    assert run.connecting + run.exchanging < 0.5


def test_the_log_names_the_frame_that_was_lost(hosts: Hosts, tmp_path: Path) -> None:
    run = Run(tmp_path, hosts, drop(data(sender="client"), nth=1))
    (number,) = touched_numbers(run.client, "client", run.log.touched)
    assert number
    assert frame(run.client, number - 1).payload == b"hello"
    assert touched_numbers(run.server, "server", run.log.touched) == (None,)


def test_the_log_has_the_time_at_which_the_port_saw_the_frame(hosts: Hosts, tmp_path: Path) -> None:
    run = Run(tmp_path, hosts, drop(data(sender="client"), nth=1))
    (touched,) = run.log.touched
    (number,) = touched_numbers(run.client, "client", [touched])
    assert number
    assert abs(int(run.client.frames.time[number - 1]) - touched.time) < 10_000_000


def test_a_rule_that_met_nothing_is_reported(hosts: Hosts, tmp_path: Path) -> None:
    summary = Run(tmp_path, hosts, drop(data(sender="server"), nth=9)).log.summary
    assert summary
    assert [work.words.en for work in summary.idle] == [
        "The ninth data segment from the server is dropped."
    ]


# ------------------------------------------------------------------------------ the other rules


def test_a_corrupted_segment_is_discarded_and_sent_again(hosts: Hosts, tmp_path: Path) -> None:
    run = Run(tmp_path, hosts, corrupt(data(sender="client"), nth=1))
    (number,) = touched_numbers(run.server, "server", run.log.touched)
    assert list(checksum_errors(run.server)) == [number]
    assert list(checksum_errors(run.client)) == []
    assert run.exchanging > 0.19  # the retransmission timer


def syns(capture: Capture) -> list[Options]:
    """The options of the SYN and the SYN,ACK."""
    heads = [frame(capture, int(row)).tcp for row in tcp_rows(capture)[:2]]
    return [head.options for head in heads if head]


def test_a_stripped_option_counts_for_nobody_and_the_segment_is_accepted(
    hosts: Hosts, tmp_path: Path
) -> None:
    run = Run(tmp_path, hosts, strip(segment(SYN), option=WINDOW_SCALE))
    assert kinds(run.log) == [Deed.STRIPPED]  # one SYN: it did not have to be sent again
    assert [one.window_scale is None for one in syns(run.client)] == [False, True]
    assert syns(run.server)[0].window_scale is None
    assert list(checksum_errors(run.server)) == []


def test_a_clamped_mss_is_what_the_other_end_keeps_to(hosts: Hosts, tmp_path: Path) -> None:
    client, server = hosts
    with (
        wire(tmp_path, hosts, clamp(mss=600)),
        server.listener() as listener,
        client.socket() as one,
    ):
        one.connect(SERVER)
        with listener.accept()[0] as other:
            kept = [end.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) for end in (one, other)]
    assert kept[0] == kept[1]
    assert 600 - 12 <= kept[0] <= 600  # less the timestamps


def exchanged(folder: Path, hosts: Hosts, *rules: Rule, count: int, expect: int) -> list[bytes]:
    """The client's datagrams as they reach the server's program: numbers as text."""
    client, server = hosts
    with wire(folder, hosts, *rules), client.bound() as one, server.bound() as other:
        for k in range(1, count + 1):
            one.sendto(b"%d" % k, SERVER)
        return [other.recv(100) for _ in range(expect)]


def test_a_duplicated_datagram_arrives_twice(hosts: Hosts, tmp_path: Path) -> None:
    rule = duplicate(datagram(sender="client"), nth=2)
    assert exchanged(tmp_path, hosts, rule, count=3, expect=4) == [b"1", b"2", b"2", b"3"]


def test_a_reordered_datagram_arrives_behind_the_next(hosts: Hosts, tmp_path: Path) -> None:
    rule = reorder(datagram(sender="client"), nth=2)
    assert exchanged(tmp_path, hosts, rule, count=4, expect=4) == [b"1", b"3", b"2", b"4"]


def test_a_reordered_datagram_without_a_follower_arrives_all_the_same(
    hosts: Hosts, tmp_path: Path
) -> None:
    rule = reorder(datagram(sender="client"), nth=2, at_most_ms=30)
    assert exchanged(tmp_path, hosts, rule, count=2, expect=2) == [b"1", b"2"]


def test_a_full_queue_loses_datagrams(hosts: Hosts, tmp_path: Path) -> None:
    # a frame of 43 octets takes 34 ms: the first is on its way, two wait, the others are lost
    rule = rate(datagram(sender="client"), bits_per_second=10_000, queue=2)
    with wire(tmp_path, hosts, rule) as relay, hosts[0].bound() as one, hosts[1].bound() as other:
        for k in range(1, 7):
            one.sendto(b"%d" % k, SERVER)
        assert [other.recv(100) for _ in range(3)] == [b"1", b"2", b"3"]
        assert kinds(relay.end()) == [Deed.OVERFLOWED] * 3


def test_a_delay_is_kept_to_the_millisecond(hosts: Hosts, tmp_path: Path) -> None:
    run = Run(tmp_path, hosts, delay(packets(), ms=20))
    match = match_views(run.client, run.server)
    transit = abs(match.transit[np.isin(match.first, tcp_rows(run.client))])
    assert len(transit) >= 8
    assert 19_900_000 <= transit.min() < 21_000_000


def test_what_is_still_under_way_at_the_end_is_counted(hosts: Hosts, tmp_path: Path) -> None:
    rule = delay(datagram(), ms=60_000)
    with wire(tmp_path, hosts, rule) as relay, hosts[0].bound() as one:
        one.sendto(b"late", SERVER)
        log = tmp_path / "wire.jsonl"
        assert eventually(lambda: b"delayed" in log.read_bytes())
        summary = relay.end().summary
    assert summary
    assert summary.under_way == 1


# ------------------------------------------------------------------------------ the program


def test_the_bridge_forwards_again_afterwards(hosts: Hosts, tmp_path: Path) -> None:
    with wire(tmp_path, hosts) as relay:
        assert [read_link(host.port).isolated for host in hosts] == [True, True]
        relay.end()
    assert [read_link(host.port).isolated for host in hosts] == [False, False]


def test_it_ends_with_whoever_started_it(hosts: Hosts, tmp_path: Path) -> None:
    words = command(tmp_path, (), **{host.name: host.port for host in hosts})
    with subprocess.Popen([*words, "--until-eof"], stdin=subprocess.PIPE) as process:
        assert eventually((tmp_path / "ready").exists)
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0
    assert read_link(hosts[0].port).isolated is False


def test_ports_that_were_isolated_before_stay_so(hosts: Hosts, tmp_path: Path) -> None:
    set_isolated(hosts[0].port, True)
    with wire(tmp_path, hosts) as relay:
        relay.end()
    assert [read_link(host.port).isolated for host in hosts] == [True, False]


def test_a_host_that_leaves_does_not_end_the_wire(hosts: Hosts, tmp_path: Path) -> None:
    with wire(tmp_path, hosts, drop(frames())) as relay:
        with hosts[0].inside():
            ip("link del eth0")
        with hosts[1].bound() as other:
            other.sendto(b"is anybody there?", (ADDRESSES["client"], PORT))
        log = tmp_path / "wire.jsonl"
        assert eventually(lambda: b"dropped" in log.read_bytes())
        assert relay.end().summary


def test_frames_larger_than_usual_pass_where_the_ports_allow_them(
    hosts: Hosts, tmp_path: Path
) -> None:
    for host in hosts:
        ip(f"link set {host.name} mtu 9000")
        with host.inside():
            ip("link set eth0 mtu 9000")
    with wire(tmp_path, hosts), hosts[0].bound() as one, hosts[1].bound() as other:
        one.sendto(bytes(8000), SERVER)
        assert other.recv(9000) == bytes(8000)


def test_frames_that_rely_on_hardware_are_said_aloud(tmp_path: Path) -> None:
    with lab(offload=True) as hosts, wire(tmp_path, hosts) as relay, hosts[0].bound() as one:
        for host in hosts:
            other = hosts[1 - hosts.index(host)]
            with host.inside():
                ip(f"neigh replace {ADDRESSES[other.name]} lladdr 02:00:00:00:00:09 dev eth0")
        one.sendto(b"unfinished", SERVER)
        log = relay.end()
    assert log.summary
    assert log.summary.unfinished == 1
    assert "ethtool -K eth0 tx off" in relay.said
