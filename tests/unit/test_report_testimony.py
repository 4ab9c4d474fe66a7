"""What kernels said of frames and states: in the ladder and among the findings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from lab.evidence.build import evidence
from lab.evidence.events import (
    Address,
    Began,
    Congestion,
    Drop,
    Ended,
    ResetSent,
    Retransmission,
    StateChange,
    Told,
)
from lab.evidence.kernel import Kernel
from lab.evidence.run import Evidence
from lab.findings.base import Finding, findings
from lab.report.events import FrameEvent
from lab.report.ladder import ladder
from lab.report.terminal import draw
from lab.text import Language
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import MICROSECOND, MILLISECOND, RST, START, Wire, files, manifest

C, S = (CLIENT, 41234), (SERVER, 12345)
LENGTH = 14 + 20 + 20  # octets of a segment without options and data


def wire_of(*late: int) -> Wire:
    """A connection; the client's request, repeated at these times (ms)."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(50, SERVER, SYN | ACK, 499, 100)
    wire.tcp(100, CLIENT, ACK, 100, 500)
    wire.tcp(1000, CLIENT, PSH | ACK, 100, 500, b"hello")
    for time in late:
        wire.tcp(time * 1000, CLIENT, PSH | ACK, 100, 500, b"hello")
    return wire


def at(milliseconds: float) -> int:
    return START + int(milliseconds * MILLISECOND)


def told(wire: Wire, *events: Told, kernel: dict[str, Kernel] | None = None) -> Evidence:
    """A run of which tracepoints told this."""
    every = (Began(time=at(-100), uncertainty=50), *events, Ended(time=at(5000)))
    return msgspec.structs.replace(read(wire, every), kernel=kernel or {})


def read(wire: Wire, events: Sequence[Told]) -> Evidence:
    """Both captures as real taps record them: each frame with its direction at that host."""
    octets = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
    seen = Wire([(time, frame, not by_client) for time, frame, by_client in wire.frames])
    captures = files(wire) | {"client.pcapng": seen.pcapng(name="vethclient")}
    return evidence(manifest(len(wire.frames)), captures, {}, events=octets)


def drop(time: float, port: str, reason: str, length: int = LENGTH, alike: int = 1) -> Drop:
    passed = at(time) - 500
    return Drop(
        time=passed + 30_000, reason=reason, location="", protocol=2048, port=port, passed=passed,
        length=length, alike=alike,
    )  # fmt: skip


def changes(local: Address, peer: Address, *states: tuple[float, str, str]) -> list[Told]:
    return [
        StateChange(time=at(time), local=local, peer=peer, before=before, after=after)
        for time, before, after in states
    ]


OPENED = (
    *changes(C, S, (0.052, "SYN-SENT", "ESTABLISHED")),
    *changes(S, C, (0.108, "SYN-RECEIVED", "ESTABLISHED")),
)


def frames(run: Evidence) -> list[FrameEvent]:
    events = [event for section in ladder(run).sections for event in section.events]
    return [event for event in events if isinstance(event, FrameEvent)]


def words(run: Evidence, number: int) -> list[str]:
    (event,) = [event for event in frames(run) if event.number == number]
    return [text.en for text in event.words]


def of_kind(run: Evidence, kind: str) -> list[Finding]:
    return [one for one in findings(run) if one.id == kind]


def test_a_frame_that_the_other_hosts_kernel_dropped_says_so_before_its_payload() -> None:
    wire = wire_of()
    run = told(wire, drop(1.004, "vethserver", "NETFILTER_DROP", LENGTH + 5))
    said = words(run, 4)
    assert said[-2] == "✗ server's kernel dropped it: NETFILTER_DROP"
    assert said[-1] == "5 octets"


def test_a_frame_that_this_hosts_kernel_dropped_says_so() -> None:
    run = told(wire_of(), drop(0.05, "vethclient", "TCP_INVALID_SYN", LENGTH + 12))
    assert words(run, 2)[-1] == "✗ client's kernel dropped it: TCP_INVALID_SYN"


def test_a_dropped_frame_changes_no_state_of_its_receiver() -> None:
    run = told(wire_of(), drop(0.104, "vethserver", "TCP_LISTEN_OVERFLOW"))
    (third,) = [event for event in frames(run) if event.number == 3]
    assert third.states == ()


OLD_DATA = drop(0.054, "vethclient", "TCP_OLD_DATA", LENGTH + 12)


def test_a_segment_dropped_for_its_old_data_has_still_acknowledged() -> None:
    assert words(told(wire_of(), OLD_DATA), 2)[-1] == (
        "client's kernel took its ACK; the rest it had already: TCP_OLD_DATA"
    )


def test_what_such_an_ack_led_to_stands() -> None:
    (answer,) = [event for event in frames(told(wire_of(), OLD_DATA)) if event.number == 2]
    assert [letter for letter, _ in answer.states] == ["C"]


def test_a_drop_at_a_port_of_another_run_is_not_told() -> None:
    run = told(wire_of(), drop(0.104, "vethserver", "NO_SOCKET", alike=2))
    assert not any("dropped" in word for event in frames(run) for word in words(run, event.number))
    assert of_kind(run, "kernel_drop") == []


def test_a_drop_is_a_finding_with_its_meaning_and_the_frames() -> None:
    run = told(wire_of(), drop(1.004, "vethserver", "TCP_CSUM", LENGTH + 5))
    (found,) = of_kind(run, "kernel_drop")
    assert found.frames == (4,)
    assert found.words.en == (
        "server's kernel dropped a frame: TCP_CSUM, the TCP checksum was wrong."
    )


def test_the_counter_is_named_if_it_grew() -> None:
    run = told(
        wire_of(),
        drop(1.004, "vethserver", "TCP_CSUM", LENGTH + 5),
        kernel={"server": Kernel(counters={"Tcp.InCsumErrors": 1})},
    )
    (found,) = of_kind(run, "kernel_drop")
    assert found.words.en.endswith("Its counter Tcp.InCsumErrors grew by 1.")
    assert found.words.zh.endswith("计数器 Tcp.InCsumErrors 增加了 1。")


def again(time: float, *control: tuple[float, str]) -> list[Told]:
    """A retransmission by the client, and what its congestion control did."""
    return [
        Retransmission(time=at(time), local=C, peer=S, state="ESTABLISHED"),
        *(Congestion(time=at(when), local=C, peer=S, state=state) for when, state in control),
    ]


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ([(299.9, "Loss")], "client's kernel: retransmission timer"),
        ([(299.9, "Recovery")], "client's kernel: fast recovery"),
        ([], "client's kernel: tail loss probe"),
    ],
    ids=["timeout", "recovery", "probe"],
)
def test_a_retransmission_says_what_caused_it(
    control: list[tuple[float, str]], expected: str
) -> None:
    run = told(wire_of(300), *again(299.99, *control))
    assert expected in words(run, 5)
    assert not any("kernel" in word for word in words(run, 4))


def test_a_kernel_without_the_tracepoint_gives_no_cause() -> None:
    began = Began(time=at(-100), uncertainty=50, missing=("tcp/tcp_cong_state_set",))
    run = read(wire_of(300), [began, *again(299.99)])
    assert not any("kernel" in word for word in words(run, 5))


def test_a_reset_says_for_what() -> None:
    wire = wire_of()
    wire.tcp(2000, SERVER, RST | ACK, 500, 105)
    sent = ResetSent(time=at(1.99), local=S, peer=C, state="CLOSED", reason="TCP_ABORT_ON_CLOSE")
    assert words(told(wire, sent), 5)[-1] == "server's kernel: TCP_ABORT_ON_CLOSE"


# ---------------------------------------------------------------- states


def confirmed(run: Evidence) -> Sequence[tuple[str, ...]]:
    return [event.confirmed for event in frames(run) if event.states]


def legend(run: Evidence) -> str:
    return next(draw(ladder(run), Language.EN, 200))


def test_states_in_which_the_kernels_were_are_marked() -> None:
    run = told(wire_of(), *OPENED)
    assert confirmed(run) == [("C", "S"), ("C",), ("S",)]


def test_a_state_that_no_kernel_told_of_is_not_marked() -> None:
    run = told(wire_of(), *changes(C, S, (0.052, "SYN-SENT", "ESTABLISHED")))
    assert confirmed(run) == [("C",), ("C",), ()]


def test_two_sockets_that_cannot_be_told_apart_confirm_nothing() -> None:
    run = told(wire_of(), *OPENED, *OPENED)
    assert confirmed(run) == [(), (), ()]


def test_the_legend_explains_the_mark_where_there_is_one() -> None:
    assert "✓: the host's kernel was in that state" in legend(told(wire_of(), *OPENED))
    assert "✓" not in legend(told(wire_of()))


def test_a_state_that_the_kernel_reached_only_later_is_not_marked_but_told() -> None:
    late = changes(S, C, (0.01, "LISTEN", "SYN-RECEIVED"), (701, "SYN-RECEIVED", "ESTABLISHED"))
    run = told(wire_of(300, 700), *late)
    assert confirmed(run)[2] == ()
    assert words(run, 3)[-1] == "server's kernel is in ESTABLISHED only 701 ms later"


def test_a_frame_that_is_long_on_its_way_makes_no_kernel_late() -> None:
    """It counts when the frame passed the port of the host that the state is of."""
    wire = wire_of()
    taps = {
        "client.pcapng": Wire([(t, f, not c) for t, f, c in wire.frames]).pcapng(),
        "server.pcapng": wire.pcapng(shift=300 * MILLISECOND),
    }
    opened = changes(S, C, (300.11, "SYN-RECEIVED", "ESTABLISHED"))
    every = (Began(time=at(-100), uncertainty=50), *opened, Ended(time=at(5000)))
    octets = b"".join(msgspec.json.encode(event) + b"\n" for event in every)
    run = evidence(manifest(len(wire.frames)), taps, {}, events=octets)
    assert not any("later" in word for word in words(run, 3))


def test_agreement_is_no_finding() -> None:
    assert of_kind(told(wire_of(300, 700), *OPENED), "kernel_disagrees") == []


LATE = (
    *changes(C, S, (0.052, "SYN-SENT", "ESTABLISHED")),
    *changes(S, C, (0.01, "LISTEN", "SYN-RECEIVED"), (701, "SYN-RECEIVED", "ESTABLISHED")),
)
"""The server took no ACK but that of the last retransmission."""


def test_a_kernel_that_stayed_behind_is_a_finding() -> None:
    (found,) = of_kind(told(wire_of(300, 700), *LATE), "kernel_disagrees")
    assert found.frames == (3,)
    assert "server would be in ESTABLISHED; its kernel was in SYN-RECEIVED" in found.words.en


def test_a_busy_kernel_is_no_finding() -> None:
    late = changes(S, C, (0.01, "LISTEN", "SYN-RECEIVED"), (90, "SYN-RECEIVED", "ESTABLISHED"))
    assert of_kind(told(wire_of(300, 700), *late), "kernel_disagrees") == []


def test_a_fin_that_waits_behind_data_is_no_finding() -> None:
    closed = changes(C, S, (0.052, "SYN-SENT", "ESTABLISHED"), (200, "ESTABLISHED", "FIN-WAIT-1"))
    assert of_kind(told(wire_of(300, 700), *closed), "kernel_disagrees") == []


def test_a_socket_given_up_without_a_segment_is_no_finding() -> None:
    given_up = changes(C, S, (0.052, "SYN-SENT", "ESTABLISHED"), (1500, "ESTABLISHED", "CLOSED"))
    assert of_kind(told(wire_of(300, 700), *given_up), "kernel_disagrees") == []


def test_no_word_of_a_kernel_is_no_finding() -> None:
    assert of_kind(told(wire_of()), "kernel_disagrees") == []
    assert of_kind(told(wire_of()), "kernel_drop") == []


def test_times_of_the_trace_are_microseconds() -> None:
    """A drop is rounded down: its frame's time stamp may seem to come a little late."""
    run = told(wire_of(), drop(0.104 - MICROSECOND / MILLISECOND, "vethserver", "NO_SOCKET"))
    assert words(run, 3)[-1] == "✗ server's kernel dropped it: NO_SOCKET"
