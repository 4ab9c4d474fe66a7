"""What belongs to no exchange is told too: calls that led to no packet, and frames on request."""

from __future__ import annotations

from msgspec.structs import replace

from lab.evidence.calls import Call
from lab.report.events import CallEvent, FrameEvent
from lab.report.ladder import ladder
from tests.tour_run import tour_evidence


def call(function: str, at: int, error: str = "") -> Call:
    return Call(
        before=at, after=at + 10, function=function, program="x.py", fd=9, line=1, error=error
    )


def test_calls_of_no_exchange_have_a_section_of_their_own() -> None:
    run = replace(tour_evidence(), calls={"client": (call("bind", 5, "EACCES"),)})
    last = ladder(run).sections[-1]
    assert (last.protocol, last.stream) == ("", -1)
    assert [event.words for event in last.events if isinstance(event, CallEvent)] == [
        "bind() = EACCES"
    ]


def test_equal_calls_in_a_row_are_counted() -> None:
    calls = tuple(call("recv", at, "EAGAIN") for at in range(0, 900, 100))
    (event,) = ladder(replace(tour_evidence(), calls={"client": calls})).sections[-1].events
    assert isinstance(event, CallEvent)
    assert (event.times, event.time) == (9, 0)


def test_frames_of_no_exchange_are_shown_on_request_and_counted_otherwise() -> None:
    run = tour_evidence()
    counted, shown = ladder(run), ladder(run, background=True)
    assert counted.background
    assert not shown.background
    frames = [event for event in shown.sections[-1].events if isinstance(event, FrameEvent)]
    assert len(frames) == sum(counted.background.values())
    assert {event.flags for event in frames} == {"ARP"}


def test_two_calls_that_alternate_are_counted_each() -> None:
    calls = tuple(call("recv" if at % 200 else "send", at, "EAGAIN") for at in range(0, 1000, 100))
    events = ladder(replace(tour_evidence(), calls={"client": calls})).sections[-1].events
    assert [event.times for event in events if isinstance(event, CallEvent)] == [5, 5]
