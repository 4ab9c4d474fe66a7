"""Filter expressions: which exchanges of a known capture each of them chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import FilterFaulty
from lab.evidence.build import alone, view
from lab.filters.expression import parse
from lab.filters.fields import BY_NAME, FLAGS
from lab.filters.talks import protocol
from lab.findings.base import findings
from lab.report.choice import chosen_and_found, filtered
from lab.report.explanation import about
from lab.text import Language
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import Wire, greeting


def _capture() -> bytes:
    """tcp 0: a greeting; tcp 1: one with data sent twice, left open; tcp 2: no answer; udp 0."""
    wire = Wire()
    greeting(wire, 0, 41000, segments=4)  # frames 1 to 11, over 0.101 s
    ports, c, s = (41001, 443), 5000, 9000
    wire.tcp(2_000_000, CLIENT, SYN, c, ports=ports)  # 12
    wire.tcp(2_250_000, SERVER, SYN | ACK, s, c + 1, ports=ports)
    wire.tcp(2_250_010, CLIENT, ACK, c + 1, s + 1, ports=ports)  # a round trip of 250 ms
    wire.tcp(2_250_020, CLIENT, PSH | ACK, c + 1, s + 1, b"hello", ports=ports)
    wire.tcp(2_950_020, CLIENT, PSH | ACK, c + 1, s + 1, b"hello", ports=ports)
    wire.tcp(2_950_030, SERVER, ACK, s + 1, c + 6, ports=ports)
    wire.tcp(4_000_000, CLIENT, SYN, c, ports=(41002, 81))  # 18
    wire.udp(5_000_000, CLIENT, b"ping")  # 19, 20
    wire.udp(5_000_100, SERVER, b"pong")
    return wire.pcapng()


VIEW = view("", "four.pcapng", _capture())
FOUND = findings(alone(VIEW))
NAMES = {("tcp", 0): "greeting", ("tcp", 1): "slow", ("tcp", 2): "silent", ("udp", 0): "ping"}
ALL = set(NAMES.values())


def choose(expression: str) -> set[str]:
    return {NAMES[protocol(talk), talk.stream] for talk in filtered(VIEW, FOUND, parse(expression))}


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("tcp", {"greeting", "slow", "silent"}),
        ("udp", {"ping"}),
        ("not tcp", {"ping"}),
        ("tcp or udp", ALL),
        ("port 443", {"slow"}),
        ("tcp.port == 443 and retransmission", {"slow"}),
        ("tcp.analysis.retransmission", {"slow"}),
        ("tcp && !retransmission", {"greeting", "silent"}),
        ("udp.port == 443", set()),
        ("tcp.port != 443", {"greeting", "silent"}),
        ("port in {443, 81}", {"slow", "silent"}),
        ("port in 443 , 81", {"slow", "silent"}),
        ("port in {80..90 443}", {"slow", "silent"}),
        ("server.port == 41001", set()),
        ("client.port >= 41001 and tcp", {"slow", "silent"}),
        (f"host {SERVER}", ALL),
        ("net 10.0.0.0/30", ALL),
        ("host == 192.168.0.0/16", set()),
        ("host == ::1", set()),
        (f"client == {CLIENT} and server == {SERVER}", ALL),
        ("stream 1", {"slow"}),
        ("tcp.stream eq 0", {"greeting"}),
        ("udp.stream == 0", {"ping"}),
        ("stream == 0", {"greeting", "ping"}),
        ("frame == 18", {"silent"}),
        ("frame in 12..18", {"slow", "silent"}),
        ("frame <= 11 or frame.number gt 19", {"greeting", "ping"}),
        ("time > 3", {"silent", "ping"}),
        ("time in 1..2500ms", {"slow"}),
        ("date >= 2025-12-17T19:33:24Z", {"silent", "ping"}),
        ("date < 2025-12-17T19:33:21", {"greeting"}),
        ("duration > 0.5", {"slow"}),
        ("duration < 1ms", {"silent", "ping"}),
        ("rtt > 200ms", {"slow"}),
        ("rtt != 1", {"greeting", "slow"}),
        ("frames == 1", {"silent"}),
        ("octets == 5", {"slow"}),
        ("bytes < .5k and bytes > 0", {"greeting", "slow", "ping"}),
        ("conn_state == SF", {"greeting", "ping"}),
        ("conn_state in {S0, S1}", {"slow", "silent"}),
        ("history contains F", {"greeting"}),
        ('history == "S"', {"silent"}),
        ("handshake == three-way", {"greeting", "slow"}),
        ("handshake == unanswered", {"silent"}),
        ("teardown == four_segments", {"greeting"}),
        ('teardown == "Four Segments"', {"greeting"}),
        ("state == syn-sent", {"silent"}),
        ("(tcp or udp) and not (stream == 0 or stream == 1)", {"silent"}),
        ("udp or tcp and port 81", {"ping", "silent"}),
    ],
)
def test_an_expression_chooses(expression: str, chosen: set[str]) -> None:
    assert choose(expression) == chosen


def test_findings_are_asked_for_by_name_and_by_severity() -> None:
    own = {NAMES[one.protocol, one.stream]: one for one in FOUND if one.stream is not None}
    silent = own["silent"]
    assert "silent" in choose(f"finding == {silent.id} and severity == {silent.severity}")
    assert "greeting" not in choose(f"finding == {silent.id}")


@pytest.mark.parametrize(
    "expression", ["retransmission", "udp", "handshake == unanswered", "finding == unanswered"]
)
def test_what_is_found_about_the_chosen_does_not_depend_on_the_others(expression: str) -> None:
    chosen, found = chosen_and_found(alone(VIEW), parse(expression))
    assert about(found, chosen) == about(FOUND, chosen)


def test_the_chosen_are_told_from_the_others_by_number_and_by_frame() -> None:
    chosen = filtered(VIEW, FOUND, parse("stream == 1 or udp"))
    assert [chosen.has("tcp", number) for number in range(3)] == [False, True, False]
    assert chosen.has("udp", 0)
    assert (chosen.frames().nonzero()[0] + 1).tolist() == [*range(12, 18), 19, 20]
    assert chosen.positions.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("", 1),
        ("tcp and", 8),
        ("tcp udp", 5),
        ("(tcp", 5),
        ("tcp)", 4),
        ("prot 443", 1),
        ("port == https", 9),
        ("port ==", 8),
        ("port in {443", 13),
        ("host == nowhere", 9),
        ("host > 10.0.0.1", 6),
        ("port contains 4", 6),
        ("date > yesterday", 8),
        ("rtt > 5 parsecs", 9),
        ("rtt > 5parsecs", 7),
        ("tcp ; udp", 5),
        ('"tcp"', 1),
        ("frame in 3..", 10),
        ("not " * 200 + "tcp", 401),
    ],
)
def test_a_faulty_expression_says_where(expression: str, place: int) -> None:
    with pytest.raises(FilterFaulty) as caught:
        parse(expression)
    assert caught.value.details["place"] == place


def test_a_misspelt_field_is_told_its_neighbours() -> None:
    with pytest.raises(FilterFaulty) as caught:
        parse("retransmision")
    assert "retransmission" in caught.value.lines(Language.EN)[0]


WORDS = [
    *BY_NAME,
    *FLAGS,
    "tcp",
    "udp",
    "and",
    "or",
    "not",
    "in",
    "contains",
    "==",
    "!=",
    "<",
    ">=",
]
WORDS += [
    "(",
    ")",
    "{",
    "}",
    ",",
    "..",
    "1",
    "2..3",
    "10.0.0.1",
    "::/0",
    "SF",
    "5ms",
    '"',
    "é",
    "1e9",
]


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=40))
def test_whatever_is_written_is_refused_or_true_or_false_of_each(expression: str) -> None:
    try:
        chosen = choose(expression)
    except FilterFaulty:
        return
    assert chosen ^ choose(f"not ({expression})") == ALL
