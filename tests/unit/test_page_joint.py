"""One ladder of several exchanges: whose they are, which order, where each row stands, what moves."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise

import pytest

from lab import page
from lab.evidence.build import alone, evidence, view
from lab.evidence.run import Evidence
from lab.page.build import scene
from lab.page.joint import joints, places
from lab.page.scene import Act, FrameRow, frames_of
from lab.report.people import people
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.pages import read
from tests.tour_run import RST, START, Wire, call, files, greeting, manifest, tour_evidence

FIRST, SECOND = 41000, 41001  # ports of the client


def joined(run: Evidence) -> tuple[Act, ...]:
    return joints(scene(run).acts, people(run.manifest))


def run_of(wire: Wire, *calls: dict[str, object]) -> Evidence:
    lines = b"".join(json.dumps(one).encode() + b"\n" for one in calls)
    return evidence(manifest(len(wire.frames)), files(wire), {"server": lines})


def interleaved() -> Wire:
    """Two greetings, the second 100 µs after the first."""
    wire = Wire()
    greeting(wire, 0, FIRST, segments=3)
    greeting(wire, 100, SECOND, segments=3)
    wire.frames.sort(key=lambda frame: frame[0])
    return wire


@cache
def both() -> Act:
    (found,) = joined(run_of(interleaved()))
    return found


def test_frames_of_two_connections_stand_in_the_order_in_which_they_passed() -> None:
    numbers = [row.event.number for row in frames_of(both().rows)]
    assert numbers == list(range(1, 21))


def test_a_frame_is_named_as_in_its_own_ladder() -> None:
    own = {row.key for act in scene(run_of(interleaved())).acts for row in act.rows}
    assert {row.key for row in both().rows} == own


@pytest.mark.parametrize("mode", [0, 1])
def test_each_row_stands_below_the_one_before(mode: int) -> None:
    tops = [row.top[mode] for row in both().rows]
    assert all(one < other for one, other in pairwise(tops))


def test_all_rows_have_one_clock() -> None:
    told = [row.clocks[0] for row in frames_of(both().rows)]
    assert told[:5] == ["0.000000", "0.000058", "0.000070", "0.000100", "0.000158"]


def test_the_time_since_the_previous_event_is_that_of_the_row_above() -> None:
    assert both().rows[3].clocks[1] == "+0.000030"  # the second SYN, after the first one's ACK


def test_an_arrow_falls_as_far_as_it_took_among_the_rows_of_both() -> None:
    syn = frames_of(both().rows)[0]
    (even, true), (even_later, true_later) = both().axis.at(START), both().axis.at(START + 4000)
    assert syn.arrow.fall == pytest.approx((even_later - even, true_later - true))


def test_the_tour_s_datagrams_stand_in_the_ladder_of_its_connections() -> None:
    (found,) = joined(tour_evidence())
    assert [text.en.split(" 10.")[0] for text in found.summary] == ["TCP 0", "TCP 1", "UDP 0"]


def test_one_exchange_needs_no_joint_ladder() -> None:
    wire = Wire()
    greeting(wire, 0, FIRST, segments=3)
    assert joined(run_of(wire)) == ()


def test_exchanges_with_different_hosts_are_not_joined() -> None:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 1, ports=(FIRST, 80))
    wire.tcp(50, SERVER, SYN, 1, ports=(80, SECOND))
    assert joined(alone(view("", "foreign.pcapng", wire.pcapng()))) == ()


def test_hosts_of_a_strange_capture_are_called_by_their_addresses() -> None:
    wire = Wire()
    for port in (FIRST, SECOND):
        wire.tcp(port, CLIENT, SYN, 1, ports=(port, 80))
        wire.tcp(port + 9, SERVER, RST | ACK, 0, 2, ports=(port, 80))
    (found,) = joined(alone(view("", "foreign.pcapng", wire.pcapng())))
    assert found.title.en.startswith(f"{CLIENT} and {SERVER}: 2 exchanges")


def waiting() -> Evidence:
    """A recv() of the first connection that waits while the second one opens."""
    wire, ports = Wire(), (SECOND, 12345)
    wire.tcp(0, CLIENT, SYN, 1, ports=(FIRST, 12345))
    wire.tcp(10, SERVER, RST | ACK, 0, 2, ports=(FIRST, 12345))
    wire.tcp(500, CLIENT, SYN, 1, ports=ports)
    wire.tcp(510, SERVER, RST | ACK, 0, 2, ports=ports)
    ends = {"local": [SERVER, 12345], "peer": [CLIENT, FIRST], "fd": 4}
    return run_of(wire, call("server", 100, 900, "recv", result=0, octets=0, **ends))


def test_a_call_that_waited_while_another_exchange_went_on_has_a_bracket() -> None:
    (found,) = joined(waiting())
    (bracket,) = found.calls
    assert bracket.span.top == found.axis.at(START + 100_000)


def test_in_its_own_ladder_that_call_needs_none() -> None:
    assert [act.calls for act in scene(waiting()).acts] == [(), ()]


def test_what_the_script_gets_of_a_frame_is_its_place_its_slope_and_its_clocks() -> None:
    place, row = places(both())[0], both().rows[0]
    assert isinstance(row, FrameRow)
    assert place.key == row.key
    assert place.places == pytest.approx((*row.top, *row.arrow.lift, *row.arrow.fall), abs=0.05)
    assert place.clocks == row.clocks[:3]


def test_no_row_is_on_the_page_twice() -> None:
    made = read(page.report("tour", tour_evidence(), None))
    ids = [one.attributes["id"] for one in made if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    assert made.one("section", "joint").all("li") == []


def test_a_run_too_long_to_be_in_the_page_at_once_has_no_joint_ladder() -> None:
    wire = interleaved()
    for index in range(400):
        wire.tcp(2000 + index, SERVER, PSH | ACK, 500 + index, 1, b"x", ports=(FIRST, 12345))
    made = read(page.report("long", run_of(wire), None))
    assert made.all("section", "joint") == []
    assert made.all("button", **{"data-tab": "joint0"}) == []
