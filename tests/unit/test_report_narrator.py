"""Live narration: each line from what came before it, from a file that grows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.packets.reader import read_capture
from lab.report.growing import Growing
from lab.report.narrator import Narrator, size
from lab.text import Language
from tests.handmade import ACK, CLIENT, FIN, PSH, SERVER, SYN, pcap
from tests.tour_run import RST, Wire, tour

NAMES = {CLIENT: "client", SERVER: "server"}


def narrate(wire: Wire) -> list[str]:
    return list(Narrator(NAMES, Language.EN).feed(read_capture(wire.pcapng())))


def opened() -> Wire:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(10, SERVER, SYN | ACK, 499, 100)
    wire.tcp(20, CLIENT, ACK, 100, 500)
    return wire


def test_the_three_steps_of_a_handshake_are_numbered() -> None:
    steps = [f"handshake {step} of 3" for step in (1, 2, 3)]
    assert all(step in line for step, line in zip(steps, narrate(opened()), strict=True))


def test_hosts_are_called_by_their_names() -> None:
    assert narrate(opened())[1].startswith("#2   server → client  SYN,ACK")


def test_an_unknown_end_is_called_by_its_endpoint() -> None:
    (line, *_) = Narrator({}, Language.EN).feed(read_capture(opened().pcapng()))
    assert "10.0.0.1:41234 → 10.0.0.2:12345" in line


def test_names_learnt_later_are_used_from_then_on() -> None:
    names: dict[str, str] = {}
    narrator = Narrator(names, Language.EN)
    names.update(NAMES)
    assert "client → server" in next(narrator.feed(read_capture(opened().pcapng())))


@pytest.mark.parametrize(
    ("sender", "flags", "sequence", "acknowledgment", "payload", "words"),
    [
        (CLIENT, PSH | ACK, 100, 500, b"hi", '2 octets: "hi"'),
        (CLIENT, FIN | ACK, 100, 500, b"", "close: client has nothing more to send"),
        (SERVER, RST | ACK, 500, 100, b"", "reset: server aborts the connection"),
        (SERVER, ACK, 500, 100, b"", "acknowledges nothing new"),
        (CLIENT, SYN, 99, 0, b"", "client sends its SYN again"),
        (CLIENT, SYN, 7777, 0, b"", "handshake 1 of 3"),
    ],
)
def test_a_segment_after_the_handshake(
    sender: str, flags: int, sequence: int, acknowledgment: int, payload: bytes, words: str
) -> None:
    wire = opened()
    wire.tcp(30, sender, flags, sequence, acknowledgment, payload)
    assert words in narrate(wire)[-1]


def test_octets_sent_again_are_a_retransmission() -> None:
    wire = opened()
    wire.tcp(30, CLIENT, PSH | ACK, 100, 500, b"hello")
    wire.tcp(40, CLIENT, PSH | ACK, 100, 500, b"hello")
    assert "retransmission" in narrate(wire)[-1]


def test_an_ack_counts_what_it_newly_covers() -> None:
    wire = opened()
    wire.tcp(30, CLIENT, PSH | ACK, 100, 500, b"hello")
    wire.tcp(40, SERVER, ACK, 500, 105)
    assert narrate(wire)[-1].endswith("acknowledges 5 octets")


def test_an_ack_across_the_wrap_counts_right() -> None:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, (1 << 32) - 3)
    wire.tcp(10, SERVER, SYN | ACK, 499, (1 << 32) - 2)
    wire.tcp(20, CLIENT, ACK, (1 << 32) - 2, 500)
    wire.tcp(30, CLIENT, PSH | ACK, (1 << 32) - 2, 500, b"hello")
    wire.tcp(40, SERVER, ACK, 500, 3)
    assert narrate(wire)[-1].endswith("acknowledges 5 octets")


def test_a_fin_is_acknowledged_once() -> None:
    wire = opened()
    wire.tcp(30, CLIENT, FIN | ACK, 100, 500)
    wire.tcp(40, SERVER, ACK, 500, 101)
    wire.tcp(50, SERVER, PSH | ACK, 500, 101, b"bye")
    assert ["FIN" in line for line in narrate(wire)[-2:]] == [True, False]


def test_fin_and_ack_in_one_segment() -> None:
    wire = opened()
    wire.tcp(30, CLIENT, FIN | ACK, 100, 500)
    wire.tcp(40, SERVER, FIN | ACK, 500, 101)
    assert "FIN and ACK in one segment" in narrate(wire)[-1]


def test_a_refusal_is_no_reset() -> None:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 1)
    wire.tcp(10, SERVER, RST | ACK, 0, 2)
    assert "refused: nothing listens on port 12345" in narrate(wire)[-1]


def test_an_icmp_error_says_what_it_answers() -> None:
    wire = Wire()
    wire.udp(0, CLIENT, b"hello?")
    wire.unreachable(50, wire.frames[0][1][14:42])
    words = "ICMP port unreachable; answers a UDP packet from client to server:21567"
    assert narrate(wire)[-1].endswith(words)


def test_a_flood_is_summed_up_but_control_segments_are_told() -> None:
    wire = opened()
    for index in range(500):
        wire.tcp(100 + index, CLIENT, PSH | ACK, 100 + index, 500, b"x")
    wire.tcp(9000, CLIENT, FIN | ACK, 600, 500)
    told = narrate(wire)
    assert (len(told), told[2].split(",")[0]) == (4, "… 501 frames")


def test_payloads_cannot_steer_the_terminal() -> None:
    wire = Wire()
    wire.udp(0, CLIENT, "\u202e\x1b[2J".encode())
    assert narrate(wire)[0].isprintable()


@given(st.lists(st.binary(max_size=120), min_size=1, max_size=8))
def test_any_frame_can_be_narrated(frames: list[bytes]) -> None:
    lines = list(Narrator(NAMES, Language.ZH).feed(read_capture(pcap(frames))))
    assert len(lines) == len(frames)


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6))
def test_any_tcp_header_can_be_narrated(headers: list[bytes]) -> None:
    prefix = opened().frames[0][1][:34]
    frames = [prefix + header for header in headers]
    assert all(
        line.isprintable() for line in Narrator(NAMES, Language.EN).feed(read_capture(pcap(frames)))
    )


@given(st.lists(st.integers(1, 400), max_size=30))
def test_a_growing_file_gives_each_frame_once(cuts: list[int]) -> None:
    octets, at, numbers = tour().pcapng(), 0, []
    growing = Growing()
    for size_ in [*cuts, len(octets)]:
        if found := growing.grow(octets[at : at + size_]):
            first = growing.frames + 1 - len(found.frames)
            numbers += range(first, first + len(found.frames))
        at += size_
    assert numbers == list(range(1, len(tour().frames) + 1))


def test_sizes_are_written_in_powers_of_ten() -> None:
    assert [size(n) for n in (999, 4_900_000)] == ["999 B", "4.9 MB"]
