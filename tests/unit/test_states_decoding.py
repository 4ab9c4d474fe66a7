"""The kernel's word on sockets: lines to samples, samples to lives and stays."""

from __future__ import annotations

import msgspec
import pytest

from lab.evidence.states import (
    NUMBERS,
    Appeared,
    Changed,
    Counters,
    Line,
    Stay,
    Sysctls,
    Vanished,
    decode_states,
    last_sample,
    lives,
    stays,
)
from services.sockdiag import TCP_INFO

LOCAL, PEER = ("10.0.0.1", 40000), ("10.0.0.2", 80)


def appeared(since: int, time: int, state: str, **numbers: int) -> Appeared:
    return Appeared(
        time=time, before=time - 1, since=since, socket=7, protocol="tcp", state=state,
        local=LOCAL, peer=PEER, numbers=numbers,
    )  # fmt: skip


def changed(since: int, time: int, state: str, **numbers: int) -> Changed:
    return Changed(
        time=time, before=time - 1, since=since, socket=7, protocol="tcp", state=state,
        local=LOCAL, peer=PEER, numbers=numbers,
    )  # fmt: skip


def vanished(since: int, time: int, state: str) -> Vanished:
    return Vanished(
        time=time, before=time - 1, since=since, socket=7, protocol="tcp", state=state,
        local=LOCAL, peer=PEER,
    )  # fmt: skip


WHOLE: tuple[Line, ...] = (
    Sysctls(time=5, values={"net.ipv4.tcp_sack": "1"}),
    appeared(10, 20, "SYN-SENT", cwnd=10, rto=1_000_000),
    changed(30, 40, "ESTABLISHED", rto=200_000),
    changed(50, 60, "ESTABLISHED", cwnd=12),
    vanished(70, 80, "ESTABLISHED"),
    Counters(time=90, values={"Tcp.InSegs": 3}),
)


def encoded(lines: tuple[Line, ...]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def test_every_kind_of_line_is_read_as_it_was_written() -> None:
    assert decode_states(encoded(WHOLE)) == WHOLE


def test_a_last_line_that_was_cut_off_is_left_out() -> None:
    assert decode_states(encoded(WHOLE)[:-5]) == WHOLE[:-1]


def test_a_damaged_line_in_the_middle_is_an_error() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_states(b'{"event":"born"}\n' + encoded(WHOLE))


def test_a_life_knows_all_numbers_at_each_moment() -> None:
    (life,) = lives(WHOLE)
    assert [moment.numbers for moment in life.moments] == [
        {"cwnd": 10, "rto": 1_000_000},
        {"cwnd": 10, "rto": 200_000},
        {"cwnd": 12, "rto": 200_000},
    ]


def test_the_history_of_a_number_has_its_values_by_time() -> None:
    (life,) = lives(WHOLE)
    assert life.history("cwnd") == ((20, 10), (40, 10), (60, 12))


def test_a_state_stays_through_samples_that_change_only_numbers() -> None:
    (life,) = lives(WHOLE)
    assert stays(life, last_sample(WHOLE)) == (
        Stay("SYN-SENT", since=10, by=20, until=30),
        Stay("ESTABLISHED", since=30, by=40, until=70),
        Stay("CLOSED", since=70, by=80, until=90),
    )


def test_a_state_seen_in_one_sample_only_is_certain_for_no_span() -> None:
    lines = (appeared(10, 20, "SYN-RECEIVED"), changed(19, 30, "ESTABLISHED"))
    first, second = stays(lives(lines)[0], last=40)
    assert (first.by, first.until, second.since) == (20, 20, 19)


def test_a_socket_that_is_still_there_has_no_end() -> None:
    (life,) = lives(WHOLE[:3])
    assert (life.ended, life.end) == (None, None)


def test_every_number_of_tcp_info_is_explained() -> None:
    assert {name for name, _, _ in TCP_INFO} <= NUMBERS.keys()
