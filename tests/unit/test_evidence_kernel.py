"""What a kernel said of its sockets is found again by connection, counter and sysctl."""

from __future__ import annotations

import json

import pytest

from lab.evidence.kernel import Kernel, decode_kernel
from lab.evidence.run import Evidence
from lab.scenarios.base import Seen
from lab.scenarios.checks import called, counted, returned, sampled
from lab.tcp.segments import CLIENT, SERVER
from lab.text import same
from tests.tour_run import tour_evidence

MS = 1_000_000


def log(*lines: dict[str, object]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def socket_line(event: str, at: int, state: str, evidence: Evidence) -> dict[str, object]:
    one = evidence.view.connections[0]
    return {
        "event": event,
        "time": at,
        "before": at - 1000,
        "since": at - MS,
        "socket": 1,
        "protocol": "tcp",
        "state": state,
        "local": [one.client.address, one.client.port],
        "peer": [one.server.address, one.server.port],
    }


def kernel_of(evidence: Evidence) -> Kernel:
    began, ended = evidence.span(evidence.view.connections[0])
    return decode_kernel(
        log(
            {"event": "sysctls", "time": began, "values": {"net.ipv4.tcp_fin_timeout": "60"}},
            socket_line("appeared", began + MS, "ESTABLISHED", evidence),
            socket_line("changed", ended, "TIME-WAIT", evidence),
            socket_line("vanished", ended + MS, "TIME-WAIT", evidence),
            {"event": "counters", "time": ended + 2 * MS, "values": {"Tcp.ActiveOpens": 1}},
        )
    )


def with_kernel() -> Evidence:
    bare = tour_evidence()
    return Evidence(bare.manifest, bare.views, bare.calls, kernel={"client": kernel_of(bare)})


def test_states_of_an_end_are_in_order_and_end_closed() -> None:
    evidence = with_kernel()
    (one, *_), kernel = evidence.view.connections, evidence.kernel["client"]
    assert kernel.states(one, CLIENT, evidence.span(one)) == ("ESTABLISHED", "TIME-WAIT", "CLOSED")


def test_an_end_that_is_another_hosts_is_not_found() -> None:
    evidence = with_kernel()
    with pytest.raises(LookupError):
        evidence.kernel["client"].states(evidence.view.connections[0], SERVER)


def test_counters_and_sysctls_are_those_of_the_run() -> None:
    kernel = with_kernel().kernel["client"]
    assert kernel.counters == {"Tcp.ActiveOpens": 1}
    assert kernel.sysctls == {"net.ipv4.tcp_fin_timeout": "60"}


def seen(promise: object, evidence: Evidence) -> Seen:
    found: Seen = promise.check(evidence)  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        (("ESTABLISHED", "CLOSED"), True),
        (("TIME-WAIT",), True),
        (("TIME-WAIT", "ESTABLISHED"), False),
        (("LAST-ACK",), False),
    ],
)
def test_sampled_states_are_promised_in_their_order(states: tuple[str, ...], kept: bool) -> None:
    assert seen(sampled("x", same("x"), "client", *states), with_kernel()).kept is kept


@pytest.mark.parametrize(
    ("least", "most", "kept"), [(1, None, True), (2, None, False), (0, 0, False)]
)
def test_growth_of_a_counter_has_bounds(least: int, most: int | None, kept: bool) -> None:
    promise = counted("x", same("x"), "client", "Tcp.ActiveOpens", least, most)
    assert seen(promise, with_kernel()).kept is kept


def test_a_host_that_was_not_sampled_proves_nothing() -> None:
    with pytest.raises(LookupError):
        seen(counted("x", same("x"), "server", "Tcp.ActiveOpens", 0), with_kernel())


def test_calls_are_promised_with_their_outcomes() -> None:
    evidence = with_kernel()
    made = [call.error or "ok" for call in called(evidence, "client", "connect")]
    assert made
    assert seen(returned("x", same("x"), "client", "connect", *made), evidence).kept
    assert not seen(returned("x", same("x"), "client", "connect", *made, "ok"), evidence).kept
    assert not seen(returned("x", same("x"), "client", "connect"), evidence).kept
