"""Characters that a segment's edge or a recv() cuts: where the page marks them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from lab.evidence.build import alone, view
from lab.evidence.calls import Call
from lab.evidence.manifest import HostRecord
from lab.evidence.run import Evidence
from lab.page.build import scene
from lab.page.details import Teller
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import START, Wire

PORTS = (41234, 12345)


def sent(*pieces: bytes, reads: Sequence[int] = (), flags: str = "") -> Evidence:
    """The client sends these pieces, frames 4 on; the server's recv() return so many octets."""
    wire, number = Wire(), 1
    wire.tcp(0, CLIENT, SYN, 0)
    wire.tcp(10, SERVER, SYN | ACK, 0, 1)
    wire.tcp(20, CLIENT, ACK, 1, 1)
    for piece in pieces:
        wire.tcp(100 + number, CLIENT, PSH | ACK, number, 1, piece)
        number += len(piece)
    seen = alone(view("client", "handmade", wire.pcapng()))
    hosts = (HostRecord(name="client", addresses=(CLIENT,)),)
    hosts += (HostRecord(name="server", addresses=(SERVER,)),)
    calls = tuple(_recv(octets, flags) for octets in reads)
    return replace(
        seen, manifest=replace(seen.manifest, hosts=hosts), calls={"server": calls, "client": ()}
    )


def _recv(octets: int, flags: str) -> Call:
    return Call(
        before=START,
        after=START + 1,
        function="recv",
        program="server.py",
        fd=4,
        kind="tcp",
        arguments=(octets, flags) if flags else (octets,),
        octets=octets,
        local=[SERVER, PORTS[1]],
        peer=[CLIENT, PORTS[0]],
    )


def details(evidence: Evidence, number: int) -> dict[str, Any]:
    drawn = scene(evidence)
    teller = Teller(evidence, drawn, everything=True)
    told = {key: one for act in drawn.acts for key, one in teller.details(act, act.rows).items()}
    return dict(told[f"f{number}"])  # type: ignore[call-overload]


GBK = "你好".encode("gbk")  # four octets


def test_a_character_of_gbk_between_two_segments_is_cut_in_both() -> None:
    evidence = sent(GBK[:3], GBK[3:])
    assert details(evidence, 4)["gbk"] == (False, True)
    assert details(evidence, 5)["gbk"] == (True, False)


def test_segments_that_end_with_a_character_cut_none() -> None:
    evidence = sent(GBK[:2], GBK[2:])
    assert "gbk" not in details(evidence, 4)
    assert "gbk" not in details(evidence, 5)


def test_an_odd_octet_that_nothing_follows_is_no_cut_character() -> None:
    assert "gbk" not in details(sent(GBK[:3]), 4)


def test_a_recv_that_ends_within_a_segment_is_known_by_its_place_there() -> None:
    evidence = sent("你好".encode(), "吗".encode(), reads=(2, 6, 1))
    assert details(evidence, 4)["reads"] == [2]
    assert details(evidence, 5)["reads"] == [2]


def test_a_recv_that_ends_with_its_segment_cuts_nothing() -> None:
    assert "reads" not in details(sent("你好".encode(), reads=(6,)), 4)


def test_what_recv_only_peeks_at_is_not_taken_from_the_stream() -> None:
    assert "reads" not in details(sent("你好".encode(), reads=(2,), flags="MSG_PEEK"), 4)


def test_plain_ascii_has_no_character_to_cut() -> None:
    assert "reads" not in details(sent(b"hello", reads=(2,)), 4)
