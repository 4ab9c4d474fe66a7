"""Findings about what is not TCP, and about the recording itself: where they are, and are not."""

from __future__ import annotations

import struct

import pytest

from lab.evidence.build import alone, view
from lab.evidence.manifest import Manifest
from lab.evidence.run import Evidence, View
from lab.findings.base import Finding, findings
from lab.packets.reader import read_capture
from lab.tcp.connections import connections
from lab.udp.dns import parse_question
from lab.udp.exchanges import exchanges
from tests.builders import MILLISECOND, capture
from tests.handmade import CLIENT, SERVER, arp, ethernet, ipv4, ipv6, pcap, tcp, udp

SECOND = 1000 * MILLISECOND
NAME = b"\x03www\x07example\x03com\x00\x00\x01\x00\x01"


def found(*frames: tuple[int, bytes]) -> list[Finding]:
    told = capture(frames)
    one = View("", "a.pcap", told, tuple(connections(told)), tuple(exchanges(told)))
    return list(findings(Evidence(Manifest(scenario="", engine="", started=0), (one,))))


def kinds(*frames: tuple[int, bytes]) -> set[str]:
    return {one.id for one in found(*frames)}


def datagram(payload: bytes, *, back: bool = False, port: int = 53, to: str = SERVER) -> bytes:
    ends = (to, CLIENT) if back else (CLIENT, to)
    ports = (port, 50000) if back else (50000, port)
    body = udp(payload, ports=ports, ends=ends)
    return ethernet(ipv4(body, 17, source=ends[0], destination=ends[1]))


def dns(*, flags: int, name: bytes = NAME) -> bytes:
    return struct.pack(">6H", 7, flags, 1, 0, 0, 0) + name


QUERY, NO_SUCH_NAME, ANSWER = dns(flags=0x0100), dns(flags=0x8183), dns(flags=0x8180)
LATER = (5 * SECOND, datagram(b"x", port=9))


def test_an_unanswered_query_names_what_was_asked() -> None:
    (one,) = found((0, datagram(QUERY)), LATER)
    assert (one.id, one.frames) == ("udp_unanswered", (1,))
    assert "www.example.com (A)" in one.words.en


def test_a_query_at_the_end_of_the_capture_may_still_be_answered() -> None:
    assert kinds((0, datagram(QUERY))) == set()


def test_a_query_with_an_answer_is_well() -> None:
    assert kinds((0, datagram(QUERY)), (MILLISECOND, datagram(ANSWER, back=True)), LATER) == set()


def test_a_name_that_does_not_exist_is_named() -> None:
    (one,) = found((0, datagram(QUERY)), (MILLISECOND, datagram(NO_SUCH_NAME, back=True)))
    assert (one.id, one.frames) == ("dns_failed", (2,))
    assert "NXDOMAIN" in one.words.en


def test_a_request_sent_again_without_an_answer_is_told() -> None:
    asked = [(n * SECOND, datagram(b"hello?", port=7000)) for n in range(3)]
    (one,) = found(*asked, LATER)
    assert (one.id, one.frames) == ("udp_unanswered", (1, 2, 3))


@pytest.mark.parametrize("to", [SERVER, "239.1.2.3", "10.0.0.255"])
def test_a_stream_and_what_goes_to_many_need_no_answer(to: str) -> None:
    same = to != SERVER
    sent = [
        (n * SECOND, datagram(b"a" if same else bytes([n]), port=7000, to=to)) for n in range(3)
    ]
    assert kinds(*sent, LATER) == set()


@pytest.mark.parametrize(
    "message",
    [b"", QUERY[:20], QUERY[:12] + b"\xc0\x0c\x00\x01\x00\x01", dns(flags=0, name=b"\x3fabc")],
    ids=["empty", "cut off", "a pointer", "a label that is cut off"],
)
def test_what_is_no_question_is_none(message: bytes) -> None:
    assert parse_question(message) is None


def test_octets_of_a_name_that_cannot_be_shown_are_escaped() -> None:
    question = parse_question(dns(flags=0, name=b"\x03a.\x07\x00\x00\x1c\x00\x01"))
    assert question is not None
    assert (question.name, question.type) == ("a\\046\\007", "AAAA")


def asking(times: int) -> list[tuple[int, bytes]]:
    return [(n * SECOND, ethernet(arp(1), 0x0806)) for n in range(times)]


def reply(link: bytes) -> bytes:
    """An ARP reply that says the server's address is at this link address."""
    message = bytearray(arp(2))
    message[8:14], message[14:18] = link, bytes([10, 0, 0, 2])
    return ethernet(bytes(message), 0x0806)


def test_an_address_that_nobody_answers_for() -> None:
    (one,) = found(*asking(3))
    assert (one.id, one.frames) == ("arp_unanswered", (1, 2, 3))


def test_an_address_that_is_answered_for() -> None:
    assert kinds(*asking(3), (4 * SECOND, reply(b"\x02\0\0\0\0\x02"))) == set()


def test_an_address_that_two_answer_for() -> None:
    replies = [(n, reply(bytes([2, 0, 0, 0, 0, n]))) for n in (2, 3)]
    (one,) = found(*replies)
    assert (one.id, one.frames) == ("arp_conflict", (1, 2))


FRAGMENTED = {"fragments_lost", "fragments_overlap"}


def fragments(*offsets: int) -> list[tuple[int, bytes]]:
    """Parts of a packet of 24 octets, 8 each; the one at 16 is the last."""
    whole = udp(bytes(16), ports=(1, 2))
    return [
        (at, ethernet(ipv4(whole[at : at + 8], 17, fragment=at // 8 | (at < 16) << 13)))
        for at in offsets
    ]


@pytest.mark.parametrize("offsets", [(0, 16), (8, 16), (0, 8)], ids=["middle", "first", "last"])
def test_a_packet_with_a_fragment_missing(offsets: tuple[int, ...]) -> None:
    (one,) = [one for one in found(*fragments(*offsets)) if one.id == "fragments_lost"]
    assert one.frames == (1, 2)


@pytest.mark.parametrize("offsets", [(0, 8, 16), (16, 0, 8), (0, 8, 8, 16)])
def test_a_packet_with_all_its_fragments(offsets: tuple[int, ...]) -> None:
    assert "fragments_lost" not in kinds(*fragments(*offsets))


def test_a_packet_that_came_whole_in_fragments_is_told() -> None:
    (one,) = [one for one in found(*fragments(0, 8, 16)) if one.id == "fragmented"]
    assert one.frames == (1, 2, 3)
    assert "24 octets in 3 fragments" in one.words.en


def test_a_packet_that_is_not_whole_is_not_told_twice() -> None:
    assert "fragmented" not in kinds(*fragments(0, 8))


def test_an_identification_used_again_is_another_packets() -> None:
    assert not kinds(*fragments(0, 8, 16), *fragments(0, 8, 16)) & FRAGMENTED


def six(at: int, *, more: bool) -> bytes:
    """A fragment of 8 octets of an IPv6 packet."""
    return ethernet(ipv6(struct.pack(">BBHI", 17, 0, at | more, 7) + bytes(8), 44), 0x86DD)


def test_an_ipv6_packet_with_a_fragment_missing() -> None:
    (one,) = found((0, six(0, more=True)), (1, six(16, more=False)))
    assert (one.id, one.frames) == ("fragments_lost", (1, 2))
    assert "fd00::1 is not whole: 8 of" in one.words.en


def test_a_last_fragment_that_is_missing_is_named() -> None:
    (one,) = [one for one in found(*fragments(0, 8)) if one.id == "fragments_lost"]
    assert "last fragment never came" in one.words.en


def test_an_ipv6_packet_with_all_its_fragments() -> None:
    parts = [six(0, more=True), six(8, more=True), six(16, more=False)]
    assert not kinds(*enumerate(parts)) & FRAGMENTED


def overlapping(begin: int) -> list[tuple[int, bytes]]:
    """A fragment of 16 octets, the packet's first, and the last, which begins at this octet."""
    first, last = (
        ethernet(ipv4(octets, 17, fragment=fragment))
        for octets, fragment in ((bytes(16), 0x2000), (b"a" * 16, begin // 8))
    )
    return [(0, first), (1, last)]


def test_fragments_that_overlap() -> None:
    (one,) = [one for one in found(*overlapping(8)) if one.id == "fragments_overlap"]
    assert one.frames == (1, 2)
    assert "from octet 8 on" in one.words.en


def test_fragments_that_follow_each_other_do_not_overlap() -> None:
    assert not kinds(*overlapping(16)) & FRAGMENTED


def test_a_fragment_that_was_duplicated_does_not_overlap() -> None:
    assert not kinds(*overlapping(16), overlapping(16)[1]) & FRAGMENTED


def test_arp_inside_a_tunnel_is_no_fragment() -> None:
    bridged = b"\0\0\x65\x58" + ethernet(arp(operation=1), 0x0806)
    # In an IPv4 header, a 1 where ARP has its operation would be a fragment's offset.
    assert "fragments_lost" not in kinds((0, ethernet(ipv4(bridged, 47))))


FRAMES = [ethernet(ipv4(tcp(bytes(200), sequence=n), 6)) for n in range(3)]


@pytest.mark.parametrize(
    ("cut", "severity"), [(None, None), (100, "note"), (40, "warning")], ids=str
)
def test_frames_that_were_cut_off(cut: int | None, severity: str | None) -> None:
    file = alone(view("", "a.pcap", pcap(FRAMES, cut=cut)))
    told = {one.id: str(one.severity) for one in findings(file)}
    assert told.get("snap_length") == severity


def test_nothing_is_found_in_a_capture_without_frames() -> None:
    told = read_capture(pcap([]), name="a.pcap")
    one = View("", "a.pcap", told, (), ())
    assert findings(Evidence(Manifest(scenario="", engine="", started=0), (one,))) == ()


def test_of_wrong_checksums_is_said_what_to_look_at() -> None:
    whole = ethernet(ipv4(tcp(b"abc"), 6))
    damaged = whole[:-1] + b"z"
    (one,) = [one for one in found((0, damaged)) if one.id == "checksum"]
    assert one.next is not None
    assert "TcpInCsumErrors" in one.next.en


@pytest.mark.parametrize(
    ("file", "id_", "told"),
    [
        pytest.param(pcap(FRAMES[:1], cut=1), "snap_length", "at most 1 octet:", id="cut"),
        pytest.param(
            pcap([ethernet(ipv4(tcp(b"abc"), 6))[:-1] + b"z"]),
            "checksum",
            "1 frame carries a wrong checksum.",
            id="checksum",
        ),
    ],
)
def test_a_single_one_is_told_in_the_singular(file: bytes, id_: str, told: str) -> None:
    (one,) = [one for one in findings(alone(view("", "a.pcap", file))) if one.id == id_]
    assert told in one.words.en
