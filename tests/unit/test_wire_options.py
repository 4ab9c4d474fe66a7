"""Middleboxes on the wire: an option taken out, an MSS lowered, and the checksum right again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.packets.checksums import checksum_errors
from lab.packets.options import Options
from lab.packets.rows import frame
from lab.wire.rules import (
    MULTIPATH,
    SYN,
    TIMESTAMPS,
    WINDOW_SCALE,
    Rule,
    clamp,
    corrupt,
    data,
    frames,
    strip,
)
from lab.wire.rules import segment as segments
from lab.wire.touched import Deed, digest
from tests.builders import capture
from tests.handmade import checksum as checksum_of
from tests.handmade import ipv6, pseudo, tcp
from tests.wire_frames import Bench, between, datagram, segment

MSS_1460 = bytes.fromhex("020405b4")
SCALE_7 = bytes.fromhex("01 030307")
CAPABLE = bytes.fromhex("1e04 0181")
STAMPS = bytes.fromhex("0101 080a 00000001 00000002")
OFFERED = MSS_1460 + SCALE_7 + CAPABLE + STAMPS
WITHOUT_CAPABLE = MSS_1460 + SCALE_7 + bytes.fromhex("01010101") + STAMPS


def syn(options: bytes = OFFERED, flags: str = "S") -> bytes:
    return segment("client", flags, options=options)


def arrived(sent: bytes, *rules: Rule) -> bytes:
    (octets,) = Bench(*rules).put("client", sent).arrived
    return octets


def options_of(octets: bytes) -> Options:
    header = frame(capture([(0, octets)]), 0).tcp
    assert header
    return header.options


def is_sound(octets: bytes) -> bool:
    return not len(checksum_errors(capture([(0, octets)])))


# What the wire sends is what a sender would have sent who never had the option: octet for octet.


def test_an_option_is_replaced_by_nops() -> None:
    without = arrived(syn(), strip(segments(SYN), option=MULTIPATH))
    assert without == syn(WITHOUT_CAPABLE)


def test_every_occurrence_of_an_option_is_taken_out() -> None:
    twice = arrived(syn(CAPABLE + MSS_1460 + CAPABLE), strip(segments(), option=MULTIPATH))
    assert twice == syn(bytes.fromhex("01010101") + MSS_1460 + bytes.fromhex("01010101"))


def test_an_option_of_data_segments_can_be_taken_out_and_the_data_stays() -> None:
    sent = segment("client", "PA", b"hello", options=STAMPS)
    without = arrived(sent, strip(data(), option=TIMESTAMPS))
    assert without == segment("client", "PA", b"hello", options=bytes([1]) * 12)


def test_the_mss_is_lowered() -> None:
    assert arrived(syn(), clamp(mss=536)) == syn(OFFERED.replace(MSS_1460, b"\2\4\2\x18"))


def test_a_syn_ack_is_clamped_too() -> None:
    assert options_of(arrived(syn(flags="SA"), clamp(mss=536))).mss == 536


def test_two_rules_may_rewrite_one_segment() -> None:
    both = arrived(syn(), clamp(mss=536), strip(segments(), option=WINDOW_SCALE))
    assert (options_of(both).mss, options_of(both).window_scale) == (536, None)
    assert is_sound(both)


def test_ipv6_segments_are_rewritten_as_well() -> None:
    def packet(options: bytes) -> bytes:
        ends = ("fd00::1", "fd00::2")
        return between("client", ipv6(tcp(flags=2, options=options, ends=ends), 6), 0x86DD)

    assert arrived(packet(OFFERED), strip(segments(), option=MULTIPATH)) == packet(WITHOUT_CAPABLE)


# ------------------------------------------------------------------------------ left alone


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        (syn(MSS_1460), strip(segments(), option=MULTIPATH)),
        (syn(b""), strip(segments(), option=MULTIPATH)),
        (syn(), clamp(mss=1460)),
        (syn(), clamp(mss=9000)),
        (syn(SCALE_7), clamp(mss=536)),
        (segment("client", "A", options=MSS_1460), clamp(frames(), mss=536)),
        (datagram("client", OFFERED), strip(frames(), option=MULTIPATH)),
        (datagram("client", OFFERED), clamp(frames(), mss=536)),
        (syn(bytes.fromhex("00") + CAPABLE + bytes(3)), strip(segments(), option=MULTIPATH)),
        (syn(bytes.fromhex("1e00 0181")), strip(segments(), option=MULTIPATH)),
        (syn(bytes.fromhex("0101 1e09")), strip(segments(), option=MULTIPATH)),
        (syn(bytes.fromhex("010101 1e")), strip(segments(), option=MULTIPATH)),
        (syn(bytes.fromhex("0203 05 01")), clamp(mss=1)),
    ],
    ids=[
        "no such option",
        "no options",
        "an MSS that is low enough",
        "a lower MSS",
        "no MSS",
        "no SYN",
        "no segment",
        "no segment to clamp",
        "behind the end of the options",
        "a length of none",
        "a length beyond the header",
        "a kind without a length",
        "an MSS of a wrong length",
    ],
)
def test_what_has_nothing_to_rewrite_stays_as_it_is_and_is_not_written_down(
    sent: bytes, rule: Rule
) -> None:
    bench = Bench(rule).put("client", sent)
    assert (bench.arrived, bench.touched) == ([sent], [])


def test_a_rule_that_found_nothing_to_rewrite_is_known_as_idle() -> None:
    bench = Bench(strip(segments(), option=MULTIPATH)).put("client", syn(MSS_1460))
    assert [work.touched for work in bench.cable.work()] == [0]


# ------------------------------------------------------------------------------ written down


@pytest.mark.parametrize(
    ("rule", "deed"),
    [
        (strip(segments(SYN), option=MULTIPATH), Deed.STRIPPED),
        (clamp(mss=536), Deed.CLAMPED),
    ],
)
def test_a_rewritten_frame_is_written_down_as_sent_and_as_it_arrives(
    rule: Rule, deed: Deed
) -> None:
    bench = Bench(rule).put("client", syn(), at=9)
    (touched,) = bench.touched
    assert (touched.deed, touched.time, touched.due, touched.lost) == (deed, 9, 9, False)
    assert touched.digest == digest(syn())
    assert touched.arriving == digest(bench.arrived[0])


# ------------------------------------------------------------------------------ the checksum


def test_a_checksum_that_was_wrong_stays_wrong() -> None:
    wrong = bytearray(syn())
    wrong[-1] ^= 1
    assert not is_sound(arrived(bytes(wrong), clamp(mss=536)))


def test_a_bit_that_the_wire_turns_over_is_not_mended() -> None:
    sent = segment("client", "PA", b"hello", options=STAMPS)
    damaged = arrived(sent, corrupt(data()), strip(data(), option=TIMESTAMPS))
    assert not is_sound(damaged)


@given(payload=st.binary(max_size=40), mss=st.integers(1, 1459), port=st.integers(1024, 65535))
def test_the_checksum_is_the_one_that_a_sender_would_have_written(
    payload: bytes, mss: int, port: int
) -> None:
    sent = segment("client", "S", payload, options=OFFERED, port=port)
    body = arrived(sent, clamp(mss=mss), strip(segments(), option=MULTIPATH))[34:]
    zeroed = body[:16] + bytes(2) + body[18:]
    wanted = checksum_of(pseudo(len(body), 6, "10.0.0.1", "10.0.0.2") + zeroed)
    assert int.from_bytes(body[16:18], "big") == wanted
