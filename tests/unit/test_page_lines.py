"""Calls in a comparison: between the steps that they came between, tied to them, nothing twice."""

from __future__ import annotations

import json
from itertools import pairwise

from msgspec.structs import replace

from lab.evidence.build import evidence
from lab.evidence.run import Evidence
from lab.page.contrast import contrast
from lab.page.lines import MOST, lines
from lab.page.scene import CallRow
from lab.page.twofold import CALL, common
from lab.report.difference.compare import difference
from lab.report.difference.model import Mark, Row
from lab.report.difference.steps import Step
from lab.report.events import CallEvent
from tests.pages import Element, read
from tests.tour_run import Wire, files, greeting, greeting_calls, manifest


def step(time: int) -> Step:
    return Step(time, "client", 1, "C", "ACK", "", ())


def call(time: int) -> CallRow:
    return CallRow(f"c{time}", (0.0, 0.0), ("",) * 4, CallEvent(time, "C", "", "recv()"), "left")


def order(
    rows: list[tuple[int | None, int | None]], kept: list[int], ours: list[int], theirs: list[int]
) -> list[tuple[int | None, int | None, int | None]]:
    faced = [Row(Mark.SAME, *(None if t is None else step(t) for t in pair)) for pair in rows]
    found = lines(faced, kept, [[call(t) for t in side] for side in (ours, theirs)])
    return [(line.row, *line.times) for line in found]


def run(segments: int, *, logged: bool = True) -> Evidence:
    wire = Wire()
    greeting(wire, 0, 41234, segments=segments)
    told = replace(manifest(len(wire.frames)), scenario="")
    log = "".join(json.dumps(line) + "\n" for line in greeting_calls(0, 41234)).encode()
    return evidence(told, files(wire), {"client": log} if logged else {})


def drawn(*, logged: bool = True) -> Element:
    left, right = run(3, logged=logged), run(4, logged=logged)
    return read(contrast(("A", "B"), (left, right), difference(left, right)))


# ---------------------------------------------------------------- order


def test_calls_stand_after_the_last_step_before_them() -> None:
    assert order([(10, 10), (20, 20)], [0, 1], [5, 15], [25]) == [
        (None, 5, None),
        (0, 10, 10),
        (None, 15, None),
        (1, 20, 20),
        (None, None, 25),
    ]


def test_calls_of_both_runs_share_lines() -> None:
    assert order([(10, 10)], [0], [11, 12], [13]) == [(0, 10, 10), (None, 11, 13), (None, 12, None)]


def test_each_run_goes_by_its_own_clock() -> None:
    assert order([(10, 1000), (20, None)], [0, 1], [21], [1001]) == [
        (0, 10, 1000),
        (None, None, 1001),
        (1, 20, None),
        (None, 21, None),
    ]


def test_calls_among_rows_that_are_left_out_are_left_out() -> None:
    assert order([(10, 10), (20, 20), (30, 30)], [2], [5, 15, 31], []) == [
        (2, 30, 30),
        (None, 31, None),
    ]


def test_of_very_many_calls_in_one_place_the_first_are_drawn() -> None:
    assert len(order([(10, 10)], [0], list(range(11, 11 + 5 * MOST)), [])) == 1 + MOST


def test_a_line_of_calls_is_lower_than_a_row() -> None:
    placed = common([[0, 5, 9], [0, None, 9]], sizes=[CALL] * 3)
    assert placed.top(0, 1)[0] - placed.top(0, 0)[0] == CALL


def test_a_clock_may_begin_after_the_first_calls() -> None:
    placed = common([[0, 100], [50, 100]], starts=(100, 100))
    assert placed.top(0, 1)[1] == placed.top(1, 1)[1]
    assert placed.top(0, 0)[1] < placed.top(1, 0)[1]


# ---------------------------------------------------------------- the page


def test_every_call_of_both_runs_is_drawn_once() -> None:
    calls = drawn().all("div", "half", "call")
    said = [one.one("span", "said").text.strip().partition("(")[0] for one in calls]
    assert sum("socket" in words for words in said) == 2
    sides = ["a" if "a" in one.classes else "b" for one in calls]
    assert sides.count("a") == sides.count("b") == 9  # five calls, of which four lasted


def test_a_call_is_tied_to_its_frames_on_this_page() -> None:
    page = drawn()
    ids = {one.attributes["id"] for one in page if "id" in one.attributes}
    ties = [(one.attributes["href"][1:], one.text.strip("→← ")) for one in page.all("a", "tie")]
    assert ties
    assert {key for key, _ in ties} <= ids
    assert ("p0r3A", "#4") in ties


def test_how_long_a_call_took_is_bracketed() -> None:
    halves = drawn().one("div", "board").all("div", "half")
    assert [len(half.all("span", "bracket", "left")) for half in halves] == [4, 4]


def test_runs_without_call_logs_have_no_line_of_calls() -> None:
    assert not drawn(logged=False).all("li", "calls")


def test_lines_stand_one_beneath_the_other() -> None:
    places = [one.attributes["style"] for one in drawn().one("ol", "rows").all("li")]
    tops = [float(place.removeprefix("--y:").removesuffix("px")) for place in places]
    assert len(tops) > 11
    assert min(b - a for a, b in pairwise(tops)) >= CALL
