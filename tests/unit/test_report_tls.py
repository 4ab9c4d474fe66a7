"""TLS records are named as far as an observer without keys can tell them apart."""

from __future__ import annotations

import ssl
import struct

import pytest

from lab.evidence.build import alone, view
from lab.report import tls
from lab.report.events import FrameEvent
from lab.report.ladder import ladder
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import Wire

TLS_1_2, TLS_1_3 = 0x0303, 0x0304


def record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BHH", kind, 0x0303, len(content)) + content


def message(kind: int, body: bytes = b"") -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def server_hello(version: int, random: bytes = bytes(32)) -> bytes:
    extension = struct.pack(">HHH", 43, 2, version) if version > TLS_1_2 else b""
    head = struct.pack(">H", TLS_1_2) + random + b"\0" + b"\x13\x01" + b"\0"
    return message(2, head + struct.pack(">H", len(extension)) + extension)


def client_hello(name: str = "lab.example") -> bytes:
    """One that OpenSSL makes."""
    outgoing = ssl.MemoryBIO()
    secured = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        secured.do_handshake()
    return outgoing.read()


def named(stream: bytes, version: int = TLS_1_3) -> list[str]:
    return [one.words.en for one in tls.records(stream, version)]


def test_a_client_hello_is_known_and_names_the_server() -> None:
    assert tls.is_tls(client_hello())
    assert named(client_hello()) == ["ClientHello for lab.example"]


def test_other_streams_are_not_taken_for_tls() -> None:
    assert not any(map(tls.is_tls, (b"", b"GET / HTTP/1.1\r\n", bytes(100), b"\x16\x03\x01")))


@pytest.mark.parametrize(("version", "name"), [(TLS_1_2, "TLS 1.2"), (TLS_1_3, "TLS 1.3")])
def test_a_server_hello_tells_the_version(version: int, name: str) -> None:
    stream = record(22, server_hello(version))
    assert tls.version_of(stream) == version
    assert named(stream, version) == [f"ServerHello: {name}"]


def test_a_hello_retry_request_is_told_from_a_server_hello() -> None:
    assert named(record(22, server_hello(TLS_1_3, tls.RETRY))) == ["HelloRetryRequest: TLS 1.3"]


def test_encrypted_records_of_tls_1_3_are_not_told_apart() -> None:
    first, second = named(record(23, b"x" * 20) + record(23, b"y" * 30))
    assert "look alike" in first
    assert second == "encrypted record"


def test_messages_after_change_cipher_spec_are_encrypted_in_tls_1_2() -> None:
    stream = record(22, message(16)) + record(20, b"\1") + record(22, b"z" * 40)
    assert named(stream, TLS_1_2) == [
        "ClientKeyExchange",
        "ChangeCipherSpec",
        "handshake message, encrypted",
    ]


def test_an_alert_in_clear_is_named() -> None:
    assert named(record(21, b"\2\x28"), TLS_1_2) == ["alert handshake_failure"]


def test_an_encrypted_alert_is_not() -> None:
    stream = record(20, b"\1") + record(21, b"s" * 26)
    assert named(stream, TLS_1_2)[-1] == "alert, encrypted"


def test_a_message_that_spans_records_is_named_once() -> None:
    certificate = message(11, bytes(300)) + message(14)
    stream = record(22, certificate[:200]) + record(22, certificate[200:])
    assert named(stream, TLS_1_2) == ["Certificate", "ServerHelloDone"]


def test_what_is_no_record_ends_the_reading() -> None:
    assert named(record(20, b"\1") + b"\x99garbage garbage") == [
        "ChangeCipherSpec (in TLS 1.3 for middleboxes only)"
    ]


@pytest.mark.parametrize("cut", range(0, 240, 7))
def test_a_hello_that_is_cut_harms_nobody(cut: int) -> None:
    hello = client_hello()
    assert len(named(hello[:cut])) <= 1
    damaged = hello[:cut] + b"\xff" * (len(hello) - cut)
    tls.records(damaged, TLS_1_3)
    tls.version_of(damaged)


def test_equal_records_are_counted() -> None:
    found = tls.records(record(23, b"a") * 3, TLS_1_2)
    assert [text.en for text in tls.told(found, 0, 100)] == ["3 × application data, encrypted"]


def events(*payloads: tuple[str, bytes]) -> list[FrameEvent]:
    """The ladder's events of a connection in which the ends say this."""
    wire, at = Wire(), {CLIENT: 100, SERVER: 500}
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(10, SERVER, SYN | ACK, 499, 100)
    wire.tcp(20, CLIENT, ACK, 100, 500)
    for index, (sender, payload) in enumerate(payloads):
        other = SERVER if sender == CLIENT else CLIENT
        wire.tcp(100 + index, sender, PSH | ACK, at[sender], at[other], payload)
        at[sender] += len(payload)
    (section,) = ladder(alone(view("", "some.pcapng", wire.pcapng()))).sections
    return [event for event in section.events if isinstance(event, FrameEvent)][3:]


def test_the_ladder_names_the_records_that_begin_in_a_segment() -> None:
    hello, answer = client_hello(), record(22, server_hello(TLS_1_3)) + record(20, b"\1")
    told = events((CLIENT, hello[:100]), (CLIENT, hello[100:]), (SERVER, answer))
    assert [[text.en for text in event.words] for event in told] == [
        ["ClientHello for lab.example", "100 octets"],
        [f"{len(hello) - 100} octets"],
        [
            "ServerHello: TLS 1.3",
            "ChangeCipherSpec (in TLS 1.3 for middleboxes only)",
            f"{len(answer)} octets",
        ],
    ]


def test_records_that_have_a_name_are_not_shown_in_hex() -> None:
    (event,) = events((CLIENT, client_hello()))
    assert event.payload == b""


def test_what_is_no_tls_is_shown_as_ever() -> None:
    (event,) = events((CLIENT, b"hello"))
    assert event.payload == b"hello"
