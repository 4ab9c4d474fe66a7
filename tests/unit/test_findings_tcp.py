"""Each kind of finding about TCP: an exchange in which it must appear, and one like it without."""

from __future__ import annotations

import struct

import pytest

from lab.evidence.manifest import Manifest
from lab.evidence.run import Evidence, View
from lab.findings.base import Finding, Severity, findings
from lab.packets.frames import Capture
from lab.tcp.connections import connections
from lab.udp.exchanges import exchanges
from tests.builders import MILLISECOND, OPEN, Sent, capture, conversation, mss, scale, sent
from tests.handmade import CLIENT, SERVER, ethernet, icmp, ipv4, tcp

MS, SECOND = MILLISECOND, 1000 * MILLISECOND
WITH_MSS = (
    sent(">", "S", options=mss(1460)),
    sent("<", "SA", ack=1, options=mss(1460)),
    sent(">", "A", seq=1, ack=1),
)
CLOSE = (
    sent(">", "FA", seq=1, ack=1),
    sent("<", "FA", seq=1, ack=2),
    sent(">", "A", seq=2, ack=2),
)
DATA = sent(">", "PA", seq=1, ack=1, length=100)
ACKED = sent("<", "A", seq=1, ack=101)


def of(told: Capture) -> Evidence:
    view = View("", "a.pcap", told, tuple(connections(told)), tuple(exchanges(told)))
    return Evidence(Manifest(scenario="", engine="", started=0), (view,))


def found(*segments: Sent) -> dict[str, Finding]:
    return {one.id: one for one in findings(of(conversation(*segments)))}


def again(segment: Sent, after: int) -> Sent:
    return Sent(**{name: getattr(segment, name) for name in Sent.__slots__} | {"after": after})


LOST_FIRST = (*OPEN, DATA, again(DATA, 250 * MS), ACKED)
HEALTHY = (*WITH_MSS, DATA, ACKED, sent(">", "FA", seq=101, ack=1), sent("<", "FA", seq=1, ack=102))
FAST = (
    *OPEN,
    DATA,
    ACKED,
    *(sent(">", "A", seq=s, ack=1, length=100) for s in (201, 301, 401)),
    *(sent("<", "A", seq=1, ack=101) for _ in range(3)),
    sent(">", "A", seq=101, ack=1, length=100),
    sent("<", "A", seq=1, ack=501),
)
PROBED = (*OPEN, DATA, sent(">", "PA", seq=101, ack=1, length=50))
TAIL = (*PROBED, sent(">", "PA", seq=101, ack=1, length=50, after=20 * MS))
SYN = sent(">", "S")
SYN_ACK = sent("<", "SA", ack=1)
THIRD = sent(">", "A", seq=1, ack=1)
PROBE = sent(">", "A", seq=0, ack=1, after=SECOND)
ANSWER = sent("<", "A", seq=1, ack=1)
NO_ROOM = sent("<", "A", seq=1, ack=101, window=0)
OPENED = sent("<", "A", seq=1, ack=101, window=500, after=400 * MS)
BIG = sent(">", "A", seq=1, ack=1, length=1400)
HELD = (
    sent(">", "PA", seq=1, ack=1, length=10),
    sent("<", "A", seq=1, ack=11, after=40 * MS),
    sent(">", "PA", seq=11, ack=1, length=10, after=MS // 10),
)
FIN = sent(">", "FA", seq=1, ack=1)
FIN_ACKED = sent("<", "A", seq=1, ack=2)
LATER = sent("<", "A", seq=1, ack=2, after=40 * SECOND)
HALF_CLOSED = sent("<", "PA", seq=1, ack=2, length=5)
SCALED = (
    sent(">", "S", options=mss(1460) + scale(7)),
    sent("<", "SA", ack=1, options=mss(1460) + scale(7)),
)
UNSCALED = (SCALED[0], sent("<", "SA", ack=1, options=mss(1460)))
ECN = (sent(">", "SEW"), sent("<", "SAE", ack=1))
MP_CAPABLE = bytes((30, 4, 1, 0))
MULTIPATH = (sent(">", "S", options=MP_CAPABLE), sent("<", "SA", ack=1, options=MP_CAPABLE))
WRITTEN_OVER = sent("<", "SA", ack=1, options=b"\x01" * len(MP_CAPABLE))
SYN_DATA = sent(">", "S", length=5)
TAKEN = (SYN_DATA, sent("<", "SA", ack=6), sent(">", "A", seq=6, ack=1))
NOT_TAKEN = (SYN_DATA, SYN_ACK, sent(">", "PA", seq=1, ack=1, length=5))
HOLE = (
    *OPEN,
    sent(">", "A", seq=101, ack=1, length=100),
    sent("<", "A", seq=1, ack=1, sack=((101, 201),)),
    sent(">", "A", seq=1, ack=1, length=100),
)
ON_ITS_WAY = sent("<", "PA", seq=1, ack=1, length=5)
ECHO = sent("<", "AE", seq=1, ack=101)


@pytest.mark.parametrize(
    ("kind", "frames", "with_it", "without_it"),
    [
        ("retransmission_timeout", (5,), LOST_FIRST, (*OPEN, DATA, ACKED)),
        ("fast_recovery", (12,), FAST, LOST_FIRST),
        ("tail_loss_probe", (5, 6), TAIL, PROBED),
        ("spurious_retransmission", (6,), (*OPEN, DATA, ACKED, DATA), LOST_FIRST),
        ("lost_syn", (1, 2), (SYN, again(SYN, SECOND), SYN_ACK, THIRD), OPEN),
        ("lost_syn_ack", (2, 3), (SYN, SYN_ACK, again(SYN, SECOND), SYN_ACK, THIRD), OPEN),
        ("repeated_syn_ack", (3, 4), (*OPEN, again(SYN_ACK, SECOND), THIRD), OPEN),
        ("half_handshake", (1, 2, 3), (SYN, SYN_ACK, sent(">", "R", seq=1)), OPEN),
        ("unanswered", (1, 2), (SYN, again(SYN, SECOND)), OPEN),
        ("peer_silent", (4, 5), (*OPEN, PROBE, PROBE), (*OPEN, PROBE, ANSWER, PROBE, ANSWER)),
        (
            "peer_silent",
            (5, 6),
            (*OPEN, DATA, again(DATA, 300 * MS), again(DATA, 600 * MS)),
            LOST_FIRST,
        ),
        ("zero_window", (5,), (*OPEN, DATA, NO_ROOM, OPENED), (*OPEN, DATA, ACKED)),
        (
            "window_stuck",
            (5, 7),
            (*OPEN, DATA, NO_ROOM, sent(">", "A", seq=101, ack=1, length=1), NO_ROOM),
            (*OPEN, DATA, NO_ROOM, OPENED),
        ),
        ("mss_missing", (1,), (*OPEN, DATA, ACKED), HEALTHY),
        ("nagle_delayed_ack", (4, 5, 6), (*OPEN, *HELD), (*OPEN, DATA, ACKED, *CLOSE)),
        (
            "path_mtu_black_hole",
            (6, 7, 8, 9),
            (
                *OPEN,
                sent(">", "PA", seq=1, ack=1, length=100),
                ACKED,
                *(
                    sent(">", "A", seq=101, ack=1, length=1400, after=wait * MS)
                    for wait in (1, 250, 500, 1000)
                ),
            ),
            (*OPEN, BIG, sent("<", "A", seq=1, ack=1401), *LOST_FIRST[3:4]),
        ),
        (
            "capture_gap",
            (5,),
            (*OPEN, DATA, sent("<", "A", seq=1, ack=501)),
            (*OPEN, DATA, ACKED),
        ),
        (
            "one_direction",
            (1,),
            tuple(sent(">", "A", seq=1, ack=a) for a in (1, 500, 1000)),
            OPEN,
        ),
        ("mid_stream", (1,), (DATA, ACKED), (*OPEN, DATA, ACKED)),
        ("close_wait", (4, 5), (*OPEN, FIN, FIN_ACKED, LATER), (*OPEN, FIN, HALF_CLOSED, LATER)),
        (
            "simultaneous_open",
            (1, 2, 3, 4),
            (SYN, sent("<", "S"), sent(">", "SA", ack=1), sent("<", "SA", ack=1)),
            OPEN,
        ),
        (
            "simultaneous_close",
            (4, 5, 6, 7),
            (
                *OPEN,
                FIN,
                sent("<", "FA", seq=1, ack=1),
                sent(">", "A", seq=2, ack=2),
                sent("<", "A", seq=2, ack=2),
            ),
            (*OPEN, *CLOSE),
        ),
        ("window_scale_refused", (1, 2), (*UNSCALED, THIRD), (*SCALED, THIRD)),
        ("ecn_refused", (1, 2), (ECN[0], SYN_ACK, THIRD), (*ECN, THIRD)),
        ("ecn_refused", (1, 2), (ECN[0], sent("<", "SAEW", ack=1)), (SYN, ECN[1], THIRD)),
        ("mptcp_refused", (1, 2), (MULTIPATH[0], SYN_ACK, THIRD), (*MULTIPATH, THIRD)),
        ("mptcp_refused", (1, 2), (MULTIPATH[0], WRITTEN_OVER, THIRD), (*MULTIPATH, THIRD)),
        ("half_close", (4, 6), (*OPEN, FIN, FIN_ACKED, HALF_CLOSED), (*OPEN, FIN, ON_ITS_WAY)),
        ("half_close", (4, 6), (*OPEN, FIN, FIN_ACKED, HALF_CLOSED), (*OPEN, *CLOSE)),
        ("fast_open", (1, 2), TAKEN, NOT_TAKEN),
        ("fast_open_refused", (1, 2), NOT_TAKEN, TAKEN),
        ("fast_open", (1, 2), TAKEN, OPEN),
        ("fast_open_refused", (1, 2), NOT_TAKEN, OPEN),
        (
            "sack_reneging",
            (5, 7),
            (*HOLE, sent("<", "A", seq=1, ack=101)),
            (*HOLE, sent("<", "A", seq=1, ack=201)),
        ),
        ("congestion_experienced", (5,), (*OPEN, DATA, ECHO), (*OPEN, DATA, ACKED)),
        ("port_reused", (6, 7), (*OPEN, *CLOSE, sent(">", "S", seq=9000)), (*OPEN, *CLOSE)),
        ("oversized", (4,), (*WITH_MSS, sent(">", "A", seq=1, ack=1, length=9000)), HEALTHY),
        (
            "clock_backwards",
            (5,),
            (*OPEN, DATA, again(ACKED, -SECOND)),
            (*OPEN, DATA, ACKED),
        ),
        ("urgent", (4,), (*OPEN, sent(">", "PAU", seq=1, ack=1, length=1)), (*OPEN, DATA)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_kind_where_it_is_and_where_it_is_not(
    kind: str, frames: tuple[int, ...], with_it: tuple[Sent, ...], without_it: tuple[Sent, ...]
) -> None:
    assert found(*with_it)[kind].frames == frames
    assert kind not in found(*without_it)


def test_a_plain_connection_has_no_findings() -> None:
    assert found(*WITH_MSS, DATA, ACKED) == {}


def test_what_to_look_at_next_is_said_in_both_languages() -> None:
    then = found(*LOST_FIRST)["retransmission_timeout"].next
    assert then is not None
    assert "timer" in then.en
    assert "定时器" in then.zh


def test_a_connection_that_the_kernel_answers_with_icmp_is_not_called_unanswered() -> None:
    syn = ipv4(tcp(flags=2), 6)
    error = ipv4(icmp(3, 13, syn[:28]), 1, source="10.0.0.9", destination=CLIENT)
    told = capture([(0, ethernet(syn)), (MS, ethernet(error))])
    (one,) = findings(of(told))
    assert (one.id, one.frames) == ("icmp_error", (2,))
    assert "administratively prohibited (10.0.0.9)" in one.words.en


def test_a_window_that_is_not_scaled_is_said_to_bound_the_throughput() -> None:
    words = found(*UNSCALED, again(THIRD, 9 * MS), DATA)["window_scale_refused"].words
    assert "52.4 Mbit/s" in words.en  # 65,535 octets each 10 ms
    assert "52.4 Mbit/s" in words.zh


def test_a_window_that_is_not_scaled_is_a_warning_once_a_sender_filled_it() -> None:
    filled = found(*UNSCALED, THIRD, sent(">", "A", seq=1, ack=1, length=64240))
    told = [one["window_scale_refused"].severity for one in (filled, found(*UNSCALED, THIRD, DATA))]
    assert told == [Severity.WARNING, Severity.NOTE]


def test_many_half_closes_are_told_together() -> None:
    every = (*OPEN, FIN, FIN_ACKED, HALF_CLOSED)
    many = [
        Sent(**{name: getattr(one, name) for name in Sent.__slots__} | {"ports": (port, 80)})
        for port in range(40000, 40011)
        for one in every
    ]
    one = found(*many)["half_close"]
    assert (len(one.frames), one.words.en[:17]) == (22, "In 11 connections")


def test_connections_that_a_server_answers_alike_are_told_together() -> None:
    both = [
        Sent(**{name: getattr(one, name) for name in Sent.__slots__} | {"ports": (port, 80)})
        for port in (40001, 40002)
        for one in UNSCALED
    ]
    one = found(*both)["window_scale_refused"]
    assert (one.frames, one.stream) == ((1, 2, 3, 4), None)
    assert "in 2 connections" in one.words.en


def test_many_refused_ports_are_one_finding_and_a_scan() -> None:
    segments = []
    for port in range(20):
        segments += [
            sent(">", "S", ports=(40000, port + 1)),
            sent("<", "RA", ack=1, ports=(40000, port + 1)),
        ]
    assert sorted(found(*segments)) == ["port_scan", "refused"]


def test_a_few_refused_ports_are_no_scan() -> None:
    segments = []
    for port in range(3):
        segments += [
            sent(">", "S", ports=(40000, port + 1)),
            sent("<", "RA", ack=1, ports=(40000, port + 1)),
        ]
    assert "port_scan" not in found(*segments)


def test_syns_from_everywhere_that_nobody_completes_are_a_flood() -> None:
    syns = [
        (
            n * MS,
            ethernet(
                ipv4(
                    tcp(flags=2, ends=(f"10.9.0.{n}", SERVER), ports=(1024 + n, 80)),
                    6,
                    source=f"10.9.0.{n}",
                )
            ),
        )
        for n in range(1, 61)
    ]
    (flood,) = [one for one in findings(of(capture(syns))) if one.id == "syn_flood"]
    assert "60 SYNs, from 60 addresses" in flood.words.en
    assert len(flood.frames) == 60


def numbered(number: int, after: int) -> tuple[int, bytes]:
    """A segment with an IPv4 identification of its own."""
    return after, ethernet(ipv4(tcp(b"abc", sequence=1000), 6, identification=number))


def test_a_packet_with_the_same_identification_was_doubled() -> None:
    frames = [
        (i * MS, ethernet(ipv4(tcp(b"x", sequence=i), 6, identification=i))) for i in range(1, 30)
    ]
    doubled = [*frames[:5], (5 * MS + 1000, frames[4][1]), *frames[5:]]
    (one,) = [one for one in findings(of(capture(doubled))) if one.id == "duplicated"]
    assert one.frames == (6,)
    assert "duplicated" not in {one.id for one in findings(of(capture(frames)))}


def test_a_capture_of_everything_twice_was_taken_at_two_places() -> None:
    frames = [
        (i * MS, ethernet(ipv4(tcp(b"x", sequence=i), 6, identification=i))) for i in range(1, 6)
    ]
    twice = [(time + late, octets) for time, octets in frames for late in (0, 1000)]
    (one,) = [one for one in findings(of(capture(twice))) if one.id == "captured_twice"]
    assert one.frames == (2, 4, 6, 8, 10)


def test_a_segment_sent_again_bears_a_new_identification_and_is_no_copy() -> None:
    told = capture([numbered(1, 0), numbered(2, MS)])
    assert not {"duplicated", "captured_twice"} & {one.id for one in findings(of(told))}


def test_a_router_that_names_the_next_mtu_is_quoted() -> None:
    big = ipv4(tcp(bytes(1400)), 6)
    error = ipv4(icmp(3, 4, big[:28], rest=1300), 1, source="10.0.0.9", destination=CLIENT)
    (one,) = [
        one
        for one in findings(of(capture([(0, ethernet(big)), (MS, ethernet(error))])))
        if one.id == "path_mtu"
    ]
    assert "10.0.0.9" in one.words.en
    assert "1,300 octets" in one.words.en
    assert struct.unpack(">H", error[26:28]) == (1300,)


def test_segments_cut_anew_for_a_router_are_no_loss() -> None:
    """What the sender repeats right after "fragmentation needed" had not been lost to a full queue."""
    wide = [(n * MS, octets) for n, octets in enumerate(_opening_and(bytes(1400)))]
    error = ipv4(icmp(3, 4, wide[3][1][14:42], rest=1300), 1, source="10.0.0.9", destination=CLIENT)
    shorter = [*_opening_and(bytes(1200))][3]
    told = capture([*wide, (4 * MS, ethernet(error)), (5 * MS, shorter)])
    ids = {one.id for one in findings(of(told))}
    assert "path_mtu" in ids
    assert not ids & {"retransmission", "fast_recovery", "retransmission_timeout"}


def _opening_and(payload: bytes) -> list[bytes]:
    """A handshake and one segment of data."""
    back = {"ports": (80, 40000), "ends": (SERVER, CLIENT)}
    answer = tcp(flags=18, sequence=1999, acknowledgment=1000, **back)
    return [
        ethernet(ipv4(tcp(flags=2, sequence=999), 6)),
        ethernet(ipv4(answer, 6, source=SERVER, destination=CLIENT)),
        ethernet(ipv4(tcp(), 6)),
        ethernet(ipv4(tcp(payload), 6)),
    ]
