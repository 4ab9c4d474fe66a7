"""Lines of a trace_pipe, recorded on Linux 6.18 unless a test says otherwise, read as events."""

from __future__ import annotations

import pytest

from lab.capture.trace_lines import TraceReader
from lab.evidence.events import (
    Congestion,
    Drop,
    ResetReceived,
    ResetSent,
    Retransmission,
    StateChange,
    Told,
)

CLIENT, SERVER = ("10.77.0.1", 34842), ("10.77.0.2", 81)
TASK = "         python3-28863   [001] ..s1.  "
IN_IPV4 = "saddr=10.77.0.1 daddr=10.77.0.2 saddrv6=::ffff:10.77.0.1 daddrv6=::ffff:10.77.0.2"
PASS = TASK + "5144.640328: net_dev_queue: dev=pob skbaddr=00000000663bc5ba len=74"
RECEIVE = TASK + "5144.640335: netif_receive_skb: dev=eth0 skbaddr=00000000663bc5ba len=60"
DROP = (
    "5144.640361: kfree_skb: skbaddr=00000000663bc5ba rx_sk=0000000000000000 protocol=2048"
    " location=tcp_v4_rcv+0x91/0x13f0 reason: NO_SOCKET"
)


@pytest.fixture
def reader() -> TraceReader:
    reader = TraceReader(offset=1_000)
    reader.addresses |= {"10.77.0.1", "fd00::1"}
    return reader


def told(reader: TraceReader, *lines: str) -> list[Told]:
    """All that these lines tell, were they the whole trace."""
    return [*(event for line in lines for event in reader.read(line)), *reader.rest()]


def test_a_state_change(reader: TraceReader) -> None:
    line = (
        f"{TASK}5144.640380: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=34842"
        f" dport=81 {IN_IPV4} oldstate=TCP_SYN_SENT newstate=TCP_CLOSE"
    )
    assert told(reader, line) == [
        StateChange(
            time=5_144_640_381_000, local=CLIENT, peer=SERVER, before="SYN-SENT", after="CLOSED"
        )
    ]


def test_a_state_change_in_ipv6(reader: TraceReader) -> None:
    line = (
        f"{TASK}5144.640380: inet_sock_set_state: family=AF_INET6 protocol=IPPROTO_TCP sport=1"
        " dport=2 saddr=0.0.0.0 daddr=0.0.0.0 saddrv6=fd00::1 daddrv6=fd00::2"
        " oldstate=TCP_SYN_SENT newstate=TCP_ESTABLISHED"
    )
    (event,) = told(reader, line)
    assert isinstance(event, StateChange)
    assert (event.local, event.peer) == (("fd00::1", 1), ("fd00::2", 2))


def test_a_retransmission(reader: TraceReader) -> None:
    line = (
        "          <idle>-0       [001] .Ns2.  5144.856050: tcp_retransmit_skb:"
        " skbaddr=000000008ecfe3c2 skaddr=0000000014e3cfad family=AF_INET sport=34842 dport=81"
        f" {IN_IPV4} state=TCP_ESTABLISHED err=0"
    )
    assert told(reader, line) == [
        Retransmission(time=5_144_856_051_000, local=CLIENT, peer=SERVER, state="ESTABLISHED")
    ]


def test_congestion_control_enters_the_state_loss(reader: TraceReader) -> None:
    line = (
        "          <idle>-0       [001] .Ns2.  5144.856050: tcp_cong_state_set: family=AF_INET"
        f" sport=34842 dport=81 {IN_IPV4} cong_state=4"
    )
    assert told(reader, line) == [
        Congestion(time=5_144_856_051_000, local=CLIENT, peer=SERVER, state="Loss")
    ]


def test_a_syn_ack_sent_again_is_a_retransmission_in_syn_received(reader: TraceReader) -> None:
    line = (
        f"{TASK}5144.856050: tcp_retransmit_synack: family=AF_INET sport=34842 dport=81 {IN_IPV4}"
    )
    (event,) = told(reader, line)
    assert isinstance(event, Retransmission)
    assert event.state == "SYN-RECEIVED"


def test_a_reset_for_want_of_a_socket(reader: TraceReader) -> None:
    line = (
        f"{TASK}5144.640353: tcp_send_reset: skbaddr=00000000663bc5ba skaddr=0000000000000000"
        " src=10.77.0.2:81 dest=10.77.0.1:34842 state=UNKNOWN reason=NO_SOCKET"
    )
    assert told(reader, line) == [
        ResetSent(time=5_144_640_354_000, local=SERVER, peer=CLIENT, state="", reason="NO_SOCKET")
    ]


def test_a_reset_in_ipv6(reader: TraceReader) -> None:
    line = (
        f"{TASK}5144.640353: tcp_send_reset: skbaddr=00000000663bc5ba skaddr=0000000000000000"
        " src=[fd00::2]:81 dest=[fd00::1]:34842 state=TCP_CLOSE reason=TCP_ABORT_ON_CLOSE"
    )
    (event,) = told(reader, line)
    assert isinstance(event, ResetSent)
    assert (event.local, event.peer) == (("fd00::2", 81), ("fd00::1", 34842))


def test_a_reset_as_kernels_before_6_10_tell_it(reader: TraceReader) -> None:
    line = (
        f"{TASK}5144.640353: tcp_send_reset: skbaddr=00000000663bc5ba skaddr=0000000014e3cfad"
        f" family=AF_INET sport=34842 dport=81 {IN_IPV4} state=TCP_CLOSE"
    )
    assert told(reader, line) == [
        ResetSent(time=5_144_640_354_000, local=CLIENT, peer=SERVER, state="CLOSED", reason="")
    ]


def test_a_reset_received(reader: TraceReader) -> None:
    line = (
        f"{TASK}5144.640377: tcp_receive_reset: family=AF_INET sport=34842 dport=81 {IN_IPV4}"
        " sock_cookie=2"
    )
    assert told(reader, line) == [ResetReceived(time=5_144_640_378_000, local=CLIENT, peer=SERVER)]


@pytest.mark.parametrize(
    "line",
    [
        f"{TASK}5144.6: tcp_receive_reset: cut",
        f"{TASK}5144.640377: tcp_receive_reset: family=AF_INET sport=1 dport=2 saddr=10.1.1.1"
        " daddr=10.1.1.2 saddrv6=::ffff:10.1.1.1 daddrv6=::ffff:10.1.1.2 sock_cookie=2",
        f"{TASK}5144.640377: inet_sock_set_state: family=AF_INET protocol=IPPROTO_MPTCP sport=1"
        f" dport=2 {IN_IPV4} oldstate=TCP_CLOSE newstate=TCP_SYN_SENT",
        f"{TASK}5144.640377: consume_skb: skbaddr=00000000663bc5ba",
        "# tracer: nop",
        "",
    ],
    ids=["no time", "foreign", "not TCP", "another event", "comment", "empty"],
)
def test_what_is_not_the_labs_is_not_told(reader: TraceReader, line: str) -> None:
    assert told(reader, line) == []


def test_a_drop_is_tied_to_the_port_that_its_frame_passed(reader: TraceReader) -> None:
    assert told(reader, PASS, RECEIVE, TASK + DROP) == [
        Drop(
            time=5_144_640_362_000,
            reason="NO_SOCKET",
            location="tcp_v4_rcv",
            protocol=2048,
            port="pob",
            passed=5_144_640_329_000,
            length=74,
        )
    ]


def test_a_drop_of_a_buffer_that_passed_no_port_is_counted_only(reader: TraceReader) -> None:
    assert told(reader, PASS.replace("663bc5ba", "77777777"), RECEIVE, TASK + DROP) == []
    assert reader.untold == 1


def test_a_drop_of_what_no_host_has_received_is_not_its_frame(reader: TraceReader) -> None:
    assert told(reader, PASS, TASK + DROP) == []


def test_a_buffer_that_was_received_into_again_holds_another_frame(reader: TraceReader) -> None:
    assert told(reader, PASS, RECEIVE, RECEIVE.replace("eth0", "lo"), TASK + DROP) == []


def test_a_drop_of_what_a_host_sends_is_none_of_what_it_received(reader: TraceReader) -> None:
    sent = TASK + DROP.replace("NO_SOCKET", "NEIGH_FAILED")
    assert told(reader, PASS, RECEIVE, sent) == []


def test_a_drop_long_after_the_passing_is_of_a_buffer_used_again(reader: TraceReader) -> None:
    assert told(reader, PASS, RECEIVE, TASK + DROP.replace("5144.640361", "5144.650361")) == []
    assert reader.untold == 1


def test_one_passing_explains_one_drop(reader: TraceReader) -> None:
    assert len(told(reader, PASS, RECEIVE, TASK + DROP, TASK + DROP)) == 1


def passing(at: str, skb: str = "00000000aaaaaaaa", port: str = "pob", length: int = 74) -> str:
    return f"{TASK}{at}: net_dev_queue: dev={port} skbaddr={skb} len={length}"


@pytest.mark.parametrize(
    ("others", "alike"),
    [
        ([], 1),
        ([passing("5144.640400")], 2),
        ([passing("5144.640200"), passing("5144.641000")], 3),
        ([passing("5144.650000")], 1),
        ([passing("5144.640400", port="pib"), passing("5144.640400", length=75)], 1),
    ],
    ids=["alone", "after it", "around it", "much later", "not alike"],
)
def test_a_drop_says_how_many_frames_it_could_be_confused_with(
    reader: TraceReader, others: list[str], alike: int
) -> None:
    lines = sorted(
        [PASS, RECEIVE, TASK + DROP, *others], key=lambda line: line.partition("]")[2][7:]
    )
    (event,) = told(reader, *lines)
    assert isinstance(event, Drop)
    assert event.alike == alike


def test_a_drop_is_told_once_what_follows_is_known(reader: TraceReader) -> None:
    assert [*reader.read(PASS), *reader.read(RECEIVE), *reader.read(TASK + DROP)] == []
    assert len(list(reader.read(passing("5144.650000")))) == 1


def test_events_that_the_kernel_lost_are_counted(reader: TraceReader) -> None:
    assert told(reader, "CPU:1 [LOST 123 EVENTS]", "CPU:0 [LOST 4 EVENTS]") == []
    assert reader.lost == 127
