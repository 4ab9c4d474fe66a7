"""What was not looked into is counted and named."""

from __future__ import annotations

import struct

import pytest

from lab.packets.left_out import left_out
from lab.packets.reader import read_capture
from tests.handmade import block, ethernet, interface, ipv4, packet, pcap, section, tcp

FRAME = ethernet(ipv4(tcp(), 6))


def said(octets):
    return [words.en for words in left_out(read_capture(octets))]


def test_of_what_was_read_whole_nothing_is_said():
    assert said(section() + interface() + packet(FRAME)) == []


def test_frames_of_a_closed_link_type_are_counted_and_the_first_is_placed():
    assert said(pcap([FRAME, FRAME], link_type=147)) == [
        "link type 147 (frames: 2, the first at octet 40)"
    ]


def test_an_interface_without_frames_is_not_named():
    assert said(section() + interface(link_type=147) + interface() + packet(FRAME, number=1)) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (9, "entries of the systemd journal (2, the first at octet 48)"),
        (10, "decryption secrets (blocks: 2, the first at octet 48)"),
        (0xBAD, "pcapng blocks of type 0x00000bad (2, the first at octet 48)"),
        (0x40000BAD, "pcapng blocks of type 0x40000bad (2, the first at octet 48)"),
        (0x7777, "pcapng blocks of type 0x00007777 (2, the first at octet 48)"),
    ],
)
def test_blocks_that_are_not_read_are_counted_and_what_follows_is_read(kind, words):
    other = block(kind, bytes(8))
    octets = section() + interface() + other + packet(FRAME) + other + packet(FRAME)
    assert said(octets) == [words]
    assert len(read_capture(octets).frames) == 2


def secret(label, session):
    return f"{label} {session:064x} {7:096x}\n".encode()


def sessions(*logs, order="<"):
    blocks = [
        block(10, struct.pack(order + "II", 0x544C534B, len(log)) + log, order) for log in logs
    ]
    found = read_capture(section(order) + interface(order) + b"".join(blocks))
    return found.tls_sessions


@pytest.mark.parametrize("order", "<>")
def test_a_tls_session_counts_once_however_many_secrets_it_has(order):
    log = secret("CLIENT_TRAFFIC_SECRET_0", 1) + secret("SERVER_TRAFFIC_SECRET_0", 1)
    assert sessions(log, secret("CLIENT_RANDOM", 2), secret("EXPORTER_SECRET", 1), order=order) == 2


def test_what_is_no_line_of_a_key_log_is_no_session():
    assert sessions(b"# made by hand\nCLIENT_RANDOM 12 34\n", b"\xff" * 99) == 0


def test_the_sessions_whose_secrets_are_there_are_told():
    log = secret("CLIENT_RANDOM", 2)
    keys = block(10, struct.pack("<II", 0x544C534B, len(log)) + log)
    assert said(section() + keys + interface() + packet(FRAME)) == [
        "decryption secrets, TLS sessions: 1 (blocks: 1, the first at octet 28)"
    ]
