"""Datagrams are grouped by endpoints; an ICMP error is tied to the datagram that it quotes."""

from __future__ import annotations

import struct
from ipaddress import ip_address

from lab.udp.exchanges import exchanges
from lab.udp.model import Exchange
from tests.builders import EPOCH, capture
from tests.handmade import CLIENT, CLIENT6, SERVER, SERVER6, ethernet, icmp, ipv4, udp


def request(payload: bytes = b"ping", port: int = 50000, to: int = 7) -> bytes:
    return ipv4(udp(payload, ports=(port, to)), 17, identification=len(payload))


def reply(payload: bytes = b"pong!", port: int = 50000, to: int = 7) -> bytes:
    ends = (SERVER, CLIENT)
    body = udp(payload, ports=(to, port), ends=ends)
    return ipv4(body, 17, source=SERVER, destination=CLIENT)


def unreachable(quoted: bytes) -> bytes:
    return ipv4(icmp(3, 3, quoted[:28]), 1, source=SERVER, destination=CLIENT)


def found(*packets: bytes, kind: int = 0x0800) -> tuple[Exchange, ...]:
    frames = [(EPOCH + i, ethernet(packet, kind)) for i, packet in enumerate(packets)]
    return exchanges(capture(frames))


def test_both_directions_make_one_exchange() -> None:
    (exchange,) = found(request(), reply())
    assert (exchange.datagrams, exchange.octets, exchange.conn_state) == ((1, 1), (4, 5), "SF")


def test_the_client_sent_the_first_datagram() -> None:
    (exchange,) = found(reply(), request())
    assert exchange.client.port == 7


def test_exchanges_are_numbered_by_their_first_datagrams() -> None:
    first, second = found(request(port=2), request(port=1), reply(port=2))
    assert ((first.rows + 1).tolist(), (second.rows + 1).tolist()) == ([1, 3], [2])


def test_an_unanswered_datagram_is_s0() -> None:
    assert found(request())[0].conn_state == "S0"


def test_a_lone_reply_of_a_well_known_port_is_shr() -> None:
    assert found(reply(to=53))[0].conn_state == "SHR"


def test_an_icmp_error_is_tied_to_the_datagram_it_quotes() -> None:
    (exchange,) = found(request(b"a"), request(b"bb"), unreachable(request(b"a")))
    assert exchange.errors == ((3, 1),)


def test_of_equal_datagrams_the_latest_caused_the_error() -> None:
    (exchange,) = found(request(), request(), unreachable(request()), request())
    assert exchange.errors == ((3, 2),)


def test_an_error_about_another_exchange_is_not_tied() -> None:
    (exchange,) = found(request(), unreachable(request(to=9)))
    assert exchange.errors == ()


def test_a_reply_is_not_taken_for_the_datagram_quoted() -> None:
    (exchange,) = found(reply(), unreachable(request()))
    assert exchange.errors == ()


def test_an_error_cut_short_is_not_tied() -> None:
    cut = ipv4(icmp(3, 3, request()[:24]), 1, source=SERVER, destination=CLIENT)
    assert found(request(), cut)[0].errors == ()


def test_an_icmpv6_error_is_tied_too() -> None:
    sent = _v6(udp(b"ping", ports=(50000, 7), ends=(CLIENT6, SERVER6)), 17, CLIENT6, SERVER6)
    error = _v6(icmp(1, 4, sent), 58, SERVER6, CLIENT6)
    (exchange,) = found(sent, error, kind=0x86DD)
    assert exchange.errors == ((2, 1),)


def _v6(payload: bytes, following: int, source: str, destination: str) -> bytes:
    head = struct.pack(">IHBB", 0x60000000, len(payload), following, 64)
    return head + ip_address(source).packed + ip_address(destination).packed + payload
