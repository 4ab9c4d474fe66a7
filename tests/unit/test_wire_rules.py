"""Rules: which frames each noun names, what is refused, and that rules survive the way as JSON."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab.errors import RuleImpossible
from lab.text import Text
from lab.wire import rules
from lab.wire.flows import Flows
from lab.wire.matches import Match, predicate
from lab.wire.rules import (
    ACK,
    FIN,
    PSH,
    RST,
    SYN,
    Rule,
    decode_rules,
    delay,
    drop,
    encode_rules,
    every,
    onwards,
    seen,
    span,
)
from lab.wire.sight import look
from lab.wire.words import sentence
from tests.handmade import arp, icmp, ipv4, ipv6, tcp, udp
from tests.wire_frames import between, datagram, segment

FRAMES = {
    "SYN": segment("client", "S"),
    "SYN,ACK": segment("server", "SA"),
    "ACK": segment("client", "A"),
    "data": segment("client", "PA", b"hello"),
    "answer": segment("server", "PA", b"hello, world"),
    "FIN": segment("client", "FA"),
    "RST": segment("server", "R"),
    "datagram": datagram("client", b"hello"),
    "first fragment": datagram("client", b"hello", fragment=0x2000),
    "later fragment": between("client", ipv4(bytes(40), 17, fragment=185)),
    "unreachable": between("server", ipv4(icmp(3, 3, bytes(28)), 1)),
    "too big": between("server", ipv4(icmp(3, 4, bytes(28)), 1)),
    "neighbour": between("server", ipv6(icmp(135, 0, bytes(20)), 58), 0x86DD),
    "ARP request": between("client", arp(1), 0x0806),
    "ARP reply": between("server", arp(2), 0x0806),
    "other": between("client", bytes(46), 0x88B5),
}
ALL = set(FRAMES)
SEGMENTS = {"SYN", "SYN,ACK", "ACK", "data", "answer", "FIN", "RST"}
ARPS = {"ARP request", "ARP reply"}

NAMED: dict[str, tuple[Match, set[str]]] = {
    "frames": (rules.frames(), ALL),
    "frames of one host": (
        rules.frames(sender="server"),
        {"SYN,ACK", "answer", "RST", "unreachable", "too big", "neighbour", "ARP reply"},
    ),
    "packets": (rules.packets(), ALL - ARPS - {"other"}),
    "segments": (rules.segment(), SEGMENTS),
    "SYN is no SYN,ACK": (rules.segment(SYN), {"SYN"}),
    "SYN,ACK": (rules.segment(SYN, ACK), {"SYN,ACK"}),
    "all of": (rules.segment(ACK), SEGMENTS - {"SYN", "RST"}),
    "exactly": (rules.segment(ACK, exactly=True), {"ACK"}),
    "exactly two": (rules.segment(FIN, ACK, exactly=True), {"FIN"}),
    "one without another": (rules.segment(ACK, without=PSH), {"SYN,ACK", "ACK", "FIN"}),
    "FIN": (rules.segment(FIN), {"FIN"}),
    "RST": (rules.segment(RST), {"RST"}),
    "to a port": (rules.segment(destination_port=80), {"SYN", "ACK", "data", "FIN"}),
    "from a port": (rules.segment(source_port=80), {"SYN,ACK", "answer", "RST"}),
    "data": (rules.data(), {"data", "answer"}),
    "data of one host": (rules.data(sender="server"), {"answer"}),
    "long data": (rules.data(at_least=6), {"answer"}),
    "short data": (rules.data(at_most=5), {"data"}),
    "pure ACK": (rules.pure_ack(), {"ACK"}),
    "datagrams": (rules.datagram(), {"datagram", "first fragment"}),
    "datagrams to a port": (rules.datagram(destination_port=53, at_least=6), set()),
    "fragments": (rules.fragment(), {"first fragment", "later fragment"}),
    "first fragment": (rules.fragment(offset=0), {"first fragment"}),
    "later fragment": (rules.fragment(offset=1480), {"later fragment"}),
    "icmp": (rules.icmp(), {"unreachable", "too big", "neighbour"}),
    "icmp of a type": (rules.icmp(3), {"unreachable", "too big"}),
    "icmp of a code": (rules.icmp(3, 4), {"too big"}),
    "arp": (rules.arp(), ARPS),
    "arp reply": (rules.arp(operation=2), {"ARP reply"}),
    "to an address": (rules.packets(destination="10.0.0.2/32", sender="client"),
                      {"SYN", "ACK", "data", "FIN", "datagram", "first fragment", "later fragment"}),
    "from a prefix": (rules.segment(SYN, source="10.0.0.0/24"), {"SYN"}),
    "from another prefix": (rules.segment(SYN, source="198.51.100.0/24"), set()),
    "from a prefix of the other family": (rules.packets(source="fd00::/8"), {"neighbour"}),
}  # fmt: skip

RULES = (
    drop(rules.segment(SYN, ACK), nth=1),
    drop(rules.data("server", repeated=False), nth=span(2, 5), each_connection=True),
    drop(rules.packets(), after=seen(rules.keep_alive("client"), 2, for_ms=1500)),
    drop(rules.packets(), since=rules.pure_ack("client")),
    drop(rules.data(), percent=0.5, seed=3),
    drop(rules.fragment("client", offset=1480), nth=every(10)),
    drop(rules.icmp(3, 4, sender="server"), nth=onwards(3)),
    rules.strip(rules.segment(SYN), option=rules.MULTIPATH, nth=1),
    rules.clamp(mss=536),
    rules.corrupt(rules.data("server"), octet=-1, bit=7, nth=1),
    rules.duplicate(rules.datagram("client"), copies=2, after_ms=0.5),
    rules.reorder(rules.data("server"), nth=4, behind=2),
    rules.rate(rules.frames("client"), bits_per_second=1_000_000, queue=10, queue_octets=5000),
    delay(rules.frames(), ms=50, jitter_ms=10, in_order=False, seed=7),
)


@pytest.mark.parametrize(("match", "wanted"), NAMED.values(), ids=NAMED)
def test_a_noun_names_these_frames_and_no_others(match: Match, wanted: set[str]) -> None:
    fits = predicate(match)
    senders = {name: "server" if frame[11] == 2 else "client" for name, frame in FRAMES.items()}
    assert {name for name, frame in FRAMES.items() if fits(look(frame, senders[name]))} == wanted


def test_ipv6_carries_the_same_segments() -> None:
    frame = between("client", ipv6(tcp(flags=0x02), 6), 0x86DD)
    assert predicate(rules.segment(SYN, destination="fd00::2"))(look(frame, "client"))


def test_rules_survive_the_way_to_the_relay() -> None:
    assert decode_rules(encode_rules(RULES)) == RULES


def test_a_rule_that_cannot_be_is_refused_on_the_way_too() -> None:
    wrong = encode_rules([drop(rules.data(), nth=7)]).replace(b"7", b"0")
    with pytest.raises(RuleImpossible):
        decode_rules(wrong)


@pytest.mark.parametrize(
    "make",
    [
        lambda: drop(rules.data(), nth=0),
        lambda: drop(rules.data(), nth=span(3, 2)),
        lambda: drop(rules.data(), nth=every(0)),
        lambda: drop(rules.data(), percent=0),
        lambda: drop(rules.data(), percent=101),
        lambda: drop(rules.data(), after=rules.data(), since=rules.data()),
        lambda: drop(rules.data(), after=seen(rules.data(), 0)),
        lambda: drop(rules.data(), after=seen(rules.data(), for_ms=-1)),
        lambda: rules.data(at_least=10, at_most=9),
        lambda: rules.segment(SYN, without=SYN),
        lambda: rules.segment(source_port=65536),
        lambda: rules.packets(destination="server"),
        lambda: rules.fragment(offset=1481),
        lambda: rules.strip(rules.segment(SYN), option=1),
        lambda: rules.strip(rules.segment(SYN), option=256),
        lambda: rules.clamp(mss=0),
        lambda: rules.clamp(mss=65536),
        lambda: rules.corrupt(rules.data(), bit=8),
        lambda: rules.duplicate(rules.data(), copies=0),
        lambda: rules.duplicate(rules.data(), after_ms=-1),
        lambda: rules.reorder(rules.data(), behind=0),
        lambda: rules.reorder(rules.data(), at_most_ms=0),
        lambda: rules.rate(rules.frames(), bits_per_second=0),
        lambda: rules.rate(rules.frames(), bits_per_second=1, queue=-1),
        lambda: delay(rules.frames(), ms=-1),
        lambda: delay(rules.frames(), ms=5, jitter_ms=6),
    ],
)
def test_a_rule_that_cannot_be_is_refused_where_it_is_written(make: Callable[[], object]) -> None:
    with pytest.raises(RuleImpossible):
        make()


SENTENCES = [
    (drop(rules.segment(SYN, ACK), nth=1), "The first SYN,ACK is dropped.", "第 1 个 SYN,ACK 被丢弃。"),
    (drop(rules.data("server"), nth=3), "The third data segment from the server is dropped.",
     "server 发出的第 3 个数据报文段被丢弃。"),
    (drop(rules.data("server", repeated=False), nth=span(2, 5), each_connection=True),
     "Each new data segment from the server in each connection, the second to the fifth, is dropped.",
     "每条连接中 server 发出的第 2 到第 5 个首次发送的数据报文段被丢弃。"),
    (drop(rules.packets(), after=seen(rules.keep_alive("client"), 2)),
     "Each IP packet is dropped, after the second keep-alive probe from the client.",
     "在 client 发出的第 2 个 keep-alive 探测之后，每个 IP 包被丢弃。"),
    (drop(rules.packets(), since=seen(rules.pure_ack(), for_ms=1500)),
     "Each IP packet is dropped, from the first pure ACK on, for 1.5 s.",
     "从第 1 个纯 ACK 起，持续 1.5 s，每个 IP 包被丢弃。"),
    (drop(rules.data(), percent=1), "Each data segment, with a probability of 1 %, is dropped.",
     "每个数据报文段以 1% 的概率被丢弃。"),
    (drop(rules.segment(SYN, destination_port=5500), nth=onwards(21)),
     "Each SYN to port 5500, from the 21st on, is dropped.", "从第 21 个起的每个发往端口 5500 的 SYN 被丢弃。"),
    (drop(rules.segment(ACK, exactly=True), nth=every(10)),
     "Every tenth ACK without any other flag is dropped.", "每第 10 个不带其他标志的 ACK 被丢弃。"),
    (drop(rules.icmp(3, 4)), "Each ICMP message of type 3 code 4 is dropped.",
     "每个类型 3 code 4 的 ICMP 报文被丢弃。"),
    (drop(rules.arp(operation=1), nth=112), "The 112th ARP request is dropped.", "第 112 个 ARP 请求被丢弃。"),
    (drop(rules.fragment("client", offset=1480)),
     "Each IP fragment at offset 1480 from the client is dropped.", "client 发出的每个偏移 1480 的 IP 分片被丢弃。"),
    (rules.strip(rules.segment(SYN), option=rules.MULTIPATH),
     "Each SYN arrives without its Multipath TCP option.", "每个 SYN 到达时已被去掉 Multipath TCP 选项。"),
    (rules.strip(rules.segment(), option=253, nth=1),
     "The first TCP segment arrives without its 253 option.", "第 1 个 TCP 报文段到达时已被去掉 253 选项。"),
    (rules.clamp(rules.segment(SYN, ACK), mss=1360),
     "Each SYN,ACK arrives with an MSS of at most 1360.", "每个 SYN,ACK 到达时 MSS 被压低到至多 1360。"),
    (rules.corrupt(rules.data(repeated=True)),
     "Each retransmitted data segment arrives with a bit turned over.", "每个重传的数据报文段到达时有 1 位翻转。"),
    (rules.duplicate(rules.datagram(at_least=100), copies=2),
     "Each UDP datagram of at least 100 octets arrives 3 times.", "每个至少 100 字节的 UDP 数据报到达 3 次。"),
    (rules.reorder(rules.data("server"), nth=4),
     "The fourth data segment from the server is overtaken by the next.",
     "server 发出的第 4 个数据报文段让后面 1 个先到。"),
    (rules.rate(rules.frames(), bits_per_second=20_000_000, queue=40),
     "Each frame passes a link of 20 Mbit/s with a queue of 40 frames.", "每个帧经过 20 Mbit/s 的链路，队列长 40 帧。"),
    (delay(rules.frames("client"), ms=50, jitter_ms=10),
     "Each frame from the client arrives 50 ms ± 10 ms later.", "client 发出的每个帧晚 50 ms ± 10 ms 到达。"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "en", "zh"), SENTENCES)
def test_a_rule_reads_like_a_sentence(rule: Rule, en: str, zh: str) -> None:
    assert sentence(rule) == Text(en, zh)


def noted(*frames: tuple[str, bytes]) -> list[tuple[int, bool, bool]]:
    flows, found = Flows(), []
    for sender, frame in frames:
        sight = look(frame, sender)
        flows.note(sight)
        found.append((sight.connection, sight.repeated, sight.keep_alive))
    return found


def test_data_sent_before_is_repeated_and_data_that_goes_on_is_not() -> None:
    found = noted(
        ("client", segment("client", "S", seq=999)),
        ("client", segment("client", "PA", b"12345", seq=1000)),
        ("client", segment("client", "PA", b"12345", seq=1000)),
        ("client", segment("client", "PA", b"123", seq=1000)),
        ("client", segment("client", "PA", b"1234567", seq=1000)),
    )
    assert [repeated for _, repeated, _ in found] == [False, False, True, True, False]


def test_a_repeated_syn_is_repeated_and_a_new_one_begins_a_connection() -> None:
    found = noted(*[("client", segment("client", "S", seq=seq)) for seq in (1, 1, 500)])
    assert found == [(1, False, False), (1, True, False), (2, False, False)]


def test_both_directions_are_one_connection() -> None:
    found = noted(("client", segment("client", "S")), ("server", segment("server", "SA")))
    assert [connection for connection, _, _ in found] == [1, 1]


def test_numbers_wrap() -> None:
    found = noted(
        ("client", segment("client", "PA", b"12345678", seq=(1 << 32) - 4)),
        ("client", segment("client", "PA", b"1234", seq=4)),
        ("client", segment("client", "PA", b"12345678", seq=(1 << 32) - 4)),
    )
    assert [repeated for _, repeated, _ in found] == [False, False, True]


def test_a_probe_one_number_back_is_a_keep_alive_and_an_ack_is_none() -> None:
    found = noted(
        ("client", segment("client", "PA", b"12345", seq=1000)),
        ("client", segment("client", "A", seq=1005)),
        ("client", segment("client", "A", seq=1004)),
    )
    assert [keep_alive for _, _, keep_alive in found] == [False, False, True]


def test_a_reset_with_any_number_does_not_move_the_sender_on() -> None:
    found = noted(
        ("client", segment("client", "PA", b"12345", seq=1000)),
        ("client", segment("client", "R", seq=9000)),
        ("client", segment("client", "PA", b"12345", seq=1005)),
    )
    assert found[-1] == (1, False, False)


def test_datagrams_between_two_ends_are_one_exchange() -> None:
    other = between("client", ipv4(udp(b"x", ports=(50001, 53)), 17))
    found = noted(("client", datagram("client")), ("server", datagram("server")), ("client", other))
    assert [connection for connection, _, _ in found] == [1, 1, 2]
