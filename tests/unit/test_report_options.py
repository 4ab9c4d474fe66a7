"""What options, ECN marks and the urgent pointer of a segment say."""

from __future__ import annotations

import struct

import pytest

from lab.evidence.build import alone, view
from lab.packets.frames import Flags
from lab.packets.options import Options, parse_options
from lab.report import options
from lab.report.events import FrameEvent
from lab.report.ladder import ladder
from tests import handmade
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import Wire

ECE, CWR, AE, URG = 0x40, 0x80, 0x100, 0x20
FAST_OPEN, MULTIPATH = 34, 30
SYN_FLAGS, SYN_ACK = Flags.SYN, Flags.SYN | Flags.ACK


def carried(kind: int, value: bytes) -> Options:
    return parse_options(bytes([kind, 2 + len(value)]) + value)


def opening(flags: Flags, **values: object) -> list[str]:
    return [text.en for text in options.of_opening(Options(**values), flags)]  # type: ignore[arg-type]


def test_the_options_of_a_syn_are_told_in_short() -> None:
    told = opening(SYN_FLAGS, mss=1460, window_scale=7, sack_permitted=True, timestamps=(1, 0))
    assert told == ["mss 1460 ws 7 sack ts"]


def test_a_syn_without_options_tells_of_none() -> None:
    assert opening(SYN_FLAGS) == []


@pytest.mark.parametrize(
    ("flags", "cookie", "words"),
    [
        (SYN_FLAGS, b"", "asks for a Fast Open cookie"),
        (SYN_ACK, bytes(8), "gives a Fast Open cookie of 8 octets"),
        (SYN_FLAGS, bytes(8), "shows its Fast Open cookie of 8 octets"),
    ],
)
def test_fast_open_is_told_by_what_it_is_for(flags: Flags, cookie: bytes, words: str) -> None:
    assert opening(flags, fast_open=cookie) == [words]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0181", "MP_CAPABLE: asks for Multipath TCP"),
        ("0181" + "00" * 8, "MP_CAPABLE: agrees, with its key"),
        ("0181" + "00" * 16, "MP_CAPABLE: both keys"),
        ("1001" + "00" * 8, "MP_JOIN"),
        ("2011" + "00" * 16, "DATA_FIN: ends the stream over all paths"),
        ("2001" + "00" * 4, "DSS: Data ACK, over all paths"),
        ("7000" + "00" * 8, "MP_FASTCLOSE"),
    ],
)
def test_multipath_options_are_named(value: str, words: str) -> None:
    found = options.of_multipath(carried(MULTIPATH, bytes.fromhex(value)), alone=True)
    assert found
    assert found.en == words


def test_a_data_ack_that_goes_with_something_else_is_not_worth_a_word() -> None:
    assert options.of_multipath(carried(MULTIPATH, b"\x20\x01" + bytes(4)), alone=False) is None


def test_a_segment_without_options_has_none() -> None:
    assert options.of_multipath(Options(), alone=True) is None


def event(
    flags: int,
    mark: int = 0,
    *,
    urgent: int = 0,
    opened: int = SYN,
    payload: bytes = b"",
    extra: bytes = b"",
) -> FrameEvent:
    """The last of three segments: SYN, ACK, and this one, with an ECN mark in its IP header."""
    wire = Wire()
    for sequence, bits, field, data, more in (
        (99, opened, 0, b"", b""),
        (100, ACK, 0, b"", b""),
        (100, flags, mark, payload, extra),
    ):
        segment = bytearray(
            handmade.tcp(data, bits, sequence=sequence, options=more, ports=(41234, 12345))
        )
        segment[18:20] = struct.pack(">H", urgent if data else 0)
        packet = bytearray(handmade.ipv4(bytes(segment), 6, identification=len(wire.frames)))
        packet[1] = field
        wire.frames.append((len(wire.frames), handmade.ethernet(bytes(packet)), True))
    (section,) = ladder(alone(view("", "some.pcapng", wire.pcapng()))).sections
    return [one for one in section.events if isinstance(one, FrameEvent)][-1]


def words(one: FrameEvent) -> list[str]:
    return [text.en for text in one.words]


@pytest.mark.parametrize(
    ("mark", "said"),
    [(1, "ECT(1)"), (2, "ECT(0)"), (3, "CE: a queue on the way signals congestion")],
)
def test_the_mark_of_the_ip_header_is_told(mark: int, said: str) -> None:
    assert said in words(event(PSH | ACK, mark, payload=b"x"))


def test_no_mark_is_not_worth_a_word() -> None:
    assert words(event(PSH | ACK, payload=b"x")) == ["1 octet"]


def test_the_answers_to_a_mark_are_told() -> None:
    assert "ECE: a CE mark has arrived" in words(event(ACK | ECE))
    assert "CWR: has reduced its congestion window" in words(event(PSH | ACK | CWR, payload=b"x"))


def test_the_counter_of_accurate_ecn_is_not_taken_for_the_answers() -> None:
    told = words(event(ACK | ECE, opened=SYN | ECE | CWR | AE))
    assert not any(word.startswith("ECE") for word in told)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (SYN | ECE | CWR, "asks for ECN"),
        (SYN | ECE | CWR | AE, "asks for accurate ECN"),
        (SYN | ACK | ECE, "agrees to ECN"),
    ],
)
def test_flags_of_a_syn_negotiate_ecn(flags: int, said: str) -> None:
    frames = alone(view("", "some.pcapng", _one(flags))).view.capture.frames
    told = options.of_ecn(frames, 0, Flags(flags), accurate=False)
    assert [text.en for text in told] == [said]


def _one(flags: int) -> bytes:
    wire = Wire()
    wire.tcp(0, CLIENT if not flags & ACK else SERVER, flags, 99)
    return wire.pcapng()


def test_the_urgent_pointer_is_told() -> None:
    told = event(PSH | ACK | URG, urgent=3, payload=b"XY!")
    assert "urgent pointer 3: the octet before that place is urgent" in words(told)
    assert told.flags == "PSH,ACK,URG"


def test_a_segment_that_is_there_for_its_option_is_no_duplicate_ack() -> None:
    data_fin = bytes([MULTIPATH, 20]) + b"\x20\x11" + bytes(16)
    assert words(event(ACK, extra=data_fin)) == ["DATA_FIN: ends the stream over all paths"]
