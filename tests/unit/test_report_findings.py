"""Each kind of finding, in the smallest exchange that shows it."""

from __future__ import annotations

import json

import pytest

import lab.findings
import lab.findings.tcp
from lab.evidence.build import alone, evidence, view
from lab.evidence.run import Evidence
from lab.findings.base import Finding, findings, kinds
from tests.handmade import ACK, CLIENT, FIN, PSH, SERVER, SYN
from tests.tour_run import RST, Wire, call, manifest, tour, tour_evidence


def opened() -> Wire:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(100, SERVER, SYN | ACK, 499, 100)
    wire.tcp(200, CLIENT, ACK, 100, 500)
    return wire


def found(wire: Wire) -> tuple[Finding, ...]:
    return findings(file_of(wire))


def file_of(wire: Wire, dropped: int = 0) -> Evidence:
    return alone(view("", "some.pcapng", wire.pcapng(dropped=dropped)))


def refused() -> Wire:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 1)
    wire.tcp(10, SERVER, RST | ACK, 0, 2)
    return wire


def unanswered() -> Wire:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 1)
    wire.tcp(1_000_000, CLIENT, SYN, 1)
    return wire


def aborted() -> Wire:
    wire = opened()
    wire.tcp(300, CLIENT, PSH | ACK, 100, 500, b"hello")
    wire.tcp(400, SERVER, RST | ACK, 500, 105)
    return wire


def gone() -> Wire:
    wire = opened()
    wire.tcp(300, CLIENT, PSH | ACK, 100, 500, b"hello")
    wire.tcp(400, SERVER, RST, 500)
    return wire


def retransmitted() -> Wire:
    wire = opened()
    wire.tcp(300, CLIENT, PSH | ACK, 100, 500, b"hello")
    wire.tcp(300_000, CLIENT, PSH | ACK, 100, 500, b"hello")
    return wire


def stuffed() -> Wire:
    wire = opened()
    wire.tcp(300, CLIENT, PSH | ACK, 100, 500, b"hello")
    wire.tcp(400, SERVER, ACK, 500, 105, window=0)
    return wire


def unreachable() -> Wire:
    wire = Wire()
    wire.udp(0, CLIENT, b"hello?")
    wire.unreachable(50, wire.frames[0][1][14:42])
    return wire


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (refused(), ("refused", (1, 2))),
        (unanswered(), ("unanswered", (1, 2))),
        (aborted(), ("reset", (5,))),
        (retransmitted(), ("retransmission_timeout", (5,))),
        (stuffed(), ("zero_window", (5,))),
        (unreachable(), ("icmp_error", (1, 2))),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_kind_and_the_frames_that_show_it(wire: Wire, expected: tuple[str, object]) -> None:
    assert expected in [(one.id, one.frames) for one in found(wire)]


def test_a_good_run_has_no_findings() -> None:
    assert findings(tour_evidence()) == ()


def test_a_reset_without_ack_answers_for_a_connection_that_is_gone() -> None:
    (one,) = found(gone())
    assert "no longer had" in one.words.en


def test_the_call_log_tells_how_much_was_left_unread() -> None:
    wire, ends = aborted(), {"local": [SERVER, 12345], "peer": [CLIENT, 41234]}
    line = json.dumps(call("server", 350, 360, "recv", octets=2, result=2, **ends)).encode() + b"\n"
    run = evidence(manifest(5), {"client.pcapng": wire.pcapng()}, {"server": line})
    assert "3 octets unread" in findings(run)[0].words.en


def test_drops_that_the_file_itself_records_are_found() -> None:
    assert [one.id for one in findings(file_of(tour(), dropped=2))] == ["dropped"]


def test_damage_on_the_way_is_a_wrong_checksum() -> None:
    wire = opened()
    wire.tcp(300, CLIENT, PSH | ACK, 100, 500, b"hello")
    wire.frames[3] = (300, wire.frames[3][1][:-1] + b"?", True)
    assert [(one.id, one.frames) for one in found(wire)] == [("checksum", (4,))]


def test_a_sum_left_to_the_network_card_is_told_from_damage() -> None:
    wire = opened()
    wire.tcp(300, CLIENT, FIN | ACK, 100, 500)
    octets = wire.frames[3][1]
    partial = sum(int.from_bytes(octets[at : at + 2]) for at in (26, 28, 30, 32)) + 6 + 20
    partial = (partial & 0xFFFF) + (partial >> 16)
    wire.frames[3] = (300, octets[:50] + partial.to_bytes(2) + octets[52:], True)
    assert [(one.id, one.frames) for one in found(wire)] == [("offload", (4,))]


def test_every_module_of_the_package_is_a_kind() -> None:
    assert all(callable(kind.find) for kind in kinds(lab.findings))


def test_every_module_of_tcp_looks_at_connections_one_by_one_or_together() -> None:
    offered = [{"survey", "examine"} & set(dir(kind)) for kind in kinds(lab.findings.tcp)]
    assert all(len(names) == 1 for names in offered)
