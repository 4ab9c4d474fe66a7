"""A close in three segments: seen, not seen, or the server was late and the run can tell nothing."""

from __future__ import annotations

import json

import pytest

from lab.evidence.build import evidence
from lab.scenarios.base import Seen
from lab.scenarios.closing import closes_in_three
from tests.handmade import ACK, CLIENT, FIN, SERVER, SYN
from tests.tour_run import Wire, call, manifest

FIN_AT = 900  # µs


def closed(*, ack: int | None, close: int | None) -> Seen:
    """What is said of a close: µs after the client's FIN of a pure ACK and of the server's close()."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(58, SERVER, SYN | ACK, 499, 100)
    wire.tcp(70, CLIENT, ACK, 100, 500)
    wire.tcp(FIN_AT, CLIENT, FIN | ACK, 100, 500)
    if ack is not None:
        wire.tcp(FIN_AT + ack, SERVER, ACK, 500, 101)
    wire.tcp(FIN_AT + 60_000, SERVER, FIN | ACK, 500, 101)
    wire.tcp(FIN_AT + 60_020, CLIENT, ACK, 101, 501)
    at = [] if close is None else [FIN_AT + close]
    calls = "".join(json.dumps(call("server", one, one + 30, "close")) + "\n" for one in at)
    files = {"client.pcapng": wire.pcapng()}
    found = evidence(manifest(len(wire.frames)), files, {"server": calls.encode()})
    return closes_in_three(found, found.view.connections[0])


def test_a_server_in_time_acknowledges_with_its_own_fin() -> None:
    seen = closed(ack=None, close=59_990)
    assert (seen.kept, seen.late) == (True, False)


def test_a_server_that_was_late_is_no_broken_promise_and_no_kept_one() -> None:
    seen = closed(ack=41_000, close=59_990)
    assert (seen.kept, seen.late) == (False, True)
    assert seen.words.en == "four segments: ACK 41 ms after the FIN, close() only 60 ms after it"


@pytest.mark.parametrize(
    ("ack", "close"),
    [
        pytest.param(41_000, 10, id="the server was in time"),
        pytest.param(30, 59_990, id="the ACK was not delayed"),
        pytest.param(41_000, None, id="no close was recorded"),
    ],
)
def test_four_segments_for_another_reason_break_the_promise(ack: int, close: int | None) -> None:
    seen = closed(ack=ack, close=close)
    assert (seen.kept, seen.late) == (False, False)
