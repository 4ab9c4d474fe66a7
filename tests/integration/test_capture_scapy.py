"""The ring as a scapy capture socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from capture_network import frame, ip, number, own_network, send, veth
from scapy.error import Scapy_Exception
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.sendrecv import AsyncSniffer, sniff

from lab.capture.scapy_socket import RingSocket

pytestmark = pytest.mark.root

QUERY = bytes(Ether(dst="02:00:00:00:00:02") / IP(dst="192.0.2.1") / UDP(dport=53) / b"query")
PING = bytes(Ether(dst="02:00:00:00:00:02") / IP(dst="192.0.2.1") / ICMP())


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield


@pytest.fixture
def port() -> int:
    return veth("far", "near")


@pytest.fixture
def ring_socket(port: int) -> Iterator[RingSocket]:
    with closing(RingSocket(port)) as opened:
        yield opened


def test_sniff_gets_every_frame_in_order(ring_socket: RingSocket) -> None:
    send("far", *map(frame, range(300)))
    seen = sniff(opened_socket=ring_socket, count=300, timeout=10)
    assert [number(bytes(packet)) for packet in seen] == list(range(300))


def test_sniff_dissects_what_the_ring_gives(ring_socket: RingSocket) -> None:
    send("far", QUERY)
    (packet,) = sniff(opened_socket=ring_socket, count=1, timeout=10)
    assert packet[UDP].dport == 53


def test_a_packet_has_the_kernels_time_to_the_nanosecond(ring_socket: RingSocket) -> None:
    before = time.time_ns()
    send("far", PING)
    after = time.time_ns()
    (packet,) = sniff(opened_socket=ring_socket, count=1, timeout=10)
    assert before <= int(packet.time * 10**9) <= after


def test_recv_raw_gives_the_class_the_octets_and_the_time(ring_socket: RingSocket) -> None:
    send("far", PING)
    RingSocket.select([ring_socket], 10)
    layer, octets, moment = ring_socket.recv_raw()
    assert (layer, octets) == (Ether, PING)
    assert moment is not None


def test_recv_raw_without_a_frame_gives_nothing(ring_socket: RingSocket) -> None:
    assert ring_socket.recv_raw() == (None, None, None)


def test_a_filter_lets_only_its_frames_through(port: int) -> None:
    with closing(RingSocket(port, filter="udp port 53")) as filtered:
        send("far", PING, QUERY, PING, QUERY)
        seen = sniff(opened_socket=filtered, count=2, timeout=10)
        assert [bytes(packet) for packet in seen] == [QUERY, QUERY]
        assert filtered.ring.statistics().seen == 2


def test_a_filter_that_does_not_compile_is_scapys_error(port: int) -> None:
    with pytest.raises(Scapy_Exception):
        RingSocket(port, filter="neither this nor that")


def test_an_async_sniffer_can_be_stopped(ring_socket: RingSocket) -> None:
    came = threading.Event()
    sniffer = AsyncSniffer(opened_socket=ring_socket, prn=lambda _: came.set())
    sniffer.start()
    send("far", PING)
    assert came.wait(10)
    assert [bytes(packet) for packet in sniffer.stop()] == [PING]


def test_sniff_ends_when_the_interface_goes(ring_socket: RingSocket) -> None:
    send("far", PING)
    ip("link del near")
    started = time.monotonic()
    seen = sniff(opened_socket=ring_socket, timeout=30)
    assert [bytes(packet) for packet in seen] == [PING]
    assert time.monotonic() - started < 15


def test_it_listens_only(ring_socket: RingSocket) -> None:
    with pytest.raises(OSError, match="cannot send"):
        ring_socket.send(PING)


def test_the_octets_stay_when_the_ring_goes_on(port: int) -> None:
    with closing(RingSocket(port, block_size=4096, blocks=2)) as small:
        send("far", frame(1))
        RingSocket.select([small], 10)
        first = small.recv_raw()[1]
        for later in range(2, 100):
            send("far", frame(later))
            RingSocket.select([small], 10)
            small.recv_raw()
        assert first == frame(1)


def test_it_is_bound_to_the_interface_it_was_given(ring_socket: RingSocket) -> None:
    assert ring_socket.iface == "near"
    assert socket.if_nametoindex(ring_socket.iface)
