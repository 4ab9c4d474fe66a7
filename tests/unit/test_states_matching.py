"""Which socket is which end of a connection, and where wire and kernel disagree."""

from __future__ import annotations

import pytest

from lab.evidence.states import (
    Appeared,
    Disagreement,
    Life,
    Line,
    Stay,
    Vanished,
    disagreements,
    listener_of,
    lives,
    sockets_of,
)
from lab.packets.addresses import Endpoint
from tests.builders import OPEN, one

CONNECTION = one(*OPEN)
CLIENT = CONNECTION.client.address, CONNECTION.client.port
SERVER = CONNECTION.server.address, CONNECTION.server.port


def socket(
    number: int,
    local: tuple[str, int],
    peer: tuple[str, int] | None,
    since: int,
    end: int = 0,
    state: str = "ESTABLISHED",
) -> Life:
    at = {"socket": number, "protocol": "tcp", "local": local, "peer": peer, "state": state}
    lines: list[Line] = [Appeared(time=since + 2, before=since + 1, since=since, **at)]  # type: ignore[arg-type]
    if end:
        lines.append(Vanished(time=end, before=end - 1, since=end - 2, **at))  # type: ignore[arg-type]
    return lives(lines)[0]


def test_each_end_is_found_by_its_addresses_and_ports() -> None:
    here, there = socket(1, CLIENT, SERVER, 100), socket(2, SERVER, CLIENT, 110)
    other = socket(3, (CLIENT[0], 40001), SERVER, 100)
    assert sockets_of(CONNECTION, [other, there, here], 100, 200) == (here, there)


def test_an_end_whose_host_was_not_sampled_is_not_known() -> None:
    here = socket(1, CLIENT, SERVER, 100)
    assert sockets_of(CONNECTION, [here], 100, 200) == (here, None)


def test_a_port_used_again_means_the_socket_of_that_time() -> None:
    first, second = socket(1, CLIENT, SERVER, 100, 200), socket(2, CLIENT, SERVER, 300, 400)
    assert sockets_of(CONNECTION, [first, second], 310, 390)[0] == second


def test_a_socket_that_was_gone_before_is_not_the_connections() -> None:
    gone = socket(1, CLIENT, SERVER, 100, 200)
    assert sockets_of(CONNECTION, [gone], 300, 400) == (None, None)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", SERVER[0]])
def test_a_listener_is_found_under_its_own_or_any_address(address: str) -> None:
    listener = socket(1, (address, 80), None, 0, state="LISTEN")
    assert listener_of(Endpoint(*SERVER), [listener], 50) == listener


def test_a_listener_that_was_closed_takes_no_more_connections() -> None:
    listener = socket(1, ("0.0.0.0", 80), None, 0, end=40, state="LISTEN")
    assert listener_of(Endpoint(*SERVER), [listener], 50) is None


MS = 1_000_000
CERTAIN = Stay("ESTABLISHED", since=9 * MS, by=11 * MS, until=50 * MS)


def test_wire_and_kernel_agree_within_the_margin() -> None:
    assert disagreements([CERTAIN], [(8 * MS, "SYN-SENT"), (11 * MS, "ESTABLISHED")]) == ()


def test_a_state_that_the_kernel_was_certainly_not_in_is_told() -> None:
    inferred = [(10 * MS, "ESTABLISHED"), (30 * MS, "CLOSE-WAIT")]
    assert disagreements([CERTAIN], inferred) == (
        Disagreement("CLOSE-WAIT", CERTAIN, since=31 * MS, until=49 * MS),
    )


def test_what_the_kernel_was_not_seen_in_proves_nothing() -> None:
    short = Stay("SYN-RECEIVED", since=9 * MS, by=11 * MS, until=11 * MS)
    assert disagreements([short], [(9 * MS, "ESTABLISHED")]) == ()
