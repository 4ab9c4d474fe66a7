"""Where things stand on the page: order, scale, slopes, and what is too close or too far apart."""

from __future__ import annotations

import pytest

from lab.page.geometry import (
    APART,
    HEAD,
    LEFT,
    LONGEST,
    RIGHT,
    WIRE,
    Axis,
    Journey,
    Pace,
    arrow,
    axis,
    depths,
    even_heights,
    rows_of,
    span,
)

START = 1_766_000_000_000_000_000  # ns: as large as real times are
US, MS = 1_000, 1_000_000


def placed(*times: int, even: float = 50.0, least: float = 40.0) -> Axis:
    return axis([START + time for time in times], [even] * len(times), [least] * len(times))


def test_with_a_row_an_event_each_stands_below_the_one_before() -> None:
    tops = placed(0, 5 * US, 900 * MS).tops[0]
    assert tops.tolist() == [HEAD, HEAD + 50, HEAD + 100]


def test_true_scale_keeps_the_proportions_of_time() -> None:
    tops = placed(0, 100 * US, 300 * US).tops[1]
    assert tops[2] - tops[1] == pytest.approx(2 * (tops[1] - tops[0]))


def test_no_step_of_the_true_scale_is_too_short_to_be_read() -> None:
    tops = placed(0, 1 * US, 100 * US, 200 * US).tops[1]
    assert tops[1] - tops[0] == 40


def test_a_step_that_is_stretched_says_so() -> None:
    paces = [step.pace for step in placed(0, 1 * US, 100 * US, 200 * US).steps]
    assert paces == [Pace.STRETCHED, Pace.SCALE]


def test_a_quiet_period_is_drawn_together_and_keeps_its_duration() -> None:
    steps = placed(0, 100 * US, 200 * US, 1_000_200 * US).steps
    assert [step.span for step in steps if step.pace is Pace.QUIET] == [1_000_000 * US]


def test_a_quiet_period_is_not_as_long_as_it_took() -> None:
    quiet = placed(0, 100 * US, 200 * US, 1_000_200 * US).steps[-1]
    assert quiet.height < LONGEST


def test_of_two_quiet_periods_the_longer_looks_longer() -> None:
    steps = placed(0, 100 * US, 200 * US, 300 * MS, 3000 * MS).steps
    one, other = (step.height for step in steps if step.pace is Pace.QUIET)
    assert one < other


def test_the_scale_is_the_one_that_fits_most_steps() -> None:
    times = (0, 100 * MS, 200 * MS, 300 * MS, 300 * MS + 1 * US)
    paces = [step.pace for step in placed(*times).steps]
    assert paces == [Pace.SCALE, Pace.STRETCHED]


def test_a_moment_between_two_events_stands_between_them() -> None:
    assert placed(0, 100 * US).at(START + 25 * US)[0] == pytest.approx(HEAD + 12.5)


def test_nanoseconds_since_1970_lose_nothing() -> None:
    one, other = placed(0, 1000).at(START + 1), placed(0, 1000).at(START + 2)
    assert other[0] - one[0] == pytest.approx(0.05)


def test_times_that_run_backwards_do_not_turn_the_ladder_over() -> None:
    tops = placed(0, 100 * US, 50 * US, 200 * US).tops[1].tolist()
    assert tops == sorted(tops)


def test_without_events_there_is_nothing_to_place() -> None:
    assert axis([], [], []).steps == ()


# ---------------------------------------------------------------- arrows


def test_an_arrow_falls_from_when_it_was_sent_to_when_it_arrived() -> None:
    drawn = arrow(placed(0, 100 * US), 0, Journey(True, START, START + 50 * US))
    assert (drawn.begin, drawn.end, drawn.lift[0], drawn.fall[0]) == (LEFT, RIGHT, 0, 25)


def test_what_the_port_received_began_above_its_row() -> None:
    drawn = arrow(placed(0, 100 * US), 1, Journey(False, START + 60 * US, START + 100 * US))
    assert (drawn.begin, drawn.end, drawn.lift[0], drawn.fall[0]) == (RIGHT, LEFT, -20, 20)


def test_a_slower_frame_falls_further() -> None:
    place = placed(0, 100 * US, 200 * US)
    slow = arrow(place, 0, Journey(True, START, START + 150 * US))
    assert slow.fall[0] > arrow(place, 0, Journey(True, START, START + 20 * US)).fall[0]


def test_a_lost_frame_ends_on_the_wire() -> None:
    drawn = arrow(placed(0, 100 * US), 0, Journey(True, START, None, lost=True))
    assert (drawn.begin, drawn.end, drawn.lost) == (LEFT, WIRE, True)


def test_a_forged_frame_begins_on_the_wire() -> None:
    drawn = arrow(placed(0, 100 * US), 0, Journey(True, None, START, forged=True))
    assert (drawn.begin, drawn.end) == (WIRE, RIGHT)


def test_a_frame_to_somebody_else_ends_on_the_wire_and_is_not_lost() -> None:
    drawn = arrow(placed(0, 100 * US), 0, Journey(True, START, None, astray=True))
    assert (drawn.end, drawn.lost) == (WIRE, False)


def test_a_doubled_frame_forks_to_where_the_copy_arrived() -> None:
    journey = Journey(True, START, START + 20 * US, copies=(START + 80 * US,))
    assert arrow(placed(0, 100 * US), 0, journey).forked[0][0] == pytest.approx(40)


def test_a_frame_that_only_one_port_was_asked_about_lies_level() -> None:
    assert arrow(placed(0, 100 * US), 0, Journey(True, START, None)).fall == (0, 0)


def test_events_at_one_instant_keep_their_own_rows() -> None:
    place = placed(0, 0, 100 * US)
    assert arrow(place, 1, Journey(True, START, START)).lift == (0, 0)


def test_arrows_that_come_near_each_other_get_more_room() -> None:
    near = {
        0: Journey(True, START, START + 50 * US),
        1: Journey(False, START + 60 * US, START + 100 * US),
    }
    heights = even_heights([START, START + 100 * US], [50, 50], near)
    assert heights[1] * (1 - 0.9 / 2) >= APART


def test_steep_arrows_that_meet_at_the_port_get_room_for_the_words_of_both() -> None:
    times = [START, START + 100 * US, START + 200 * US, START + 300 * US]
    came, goes = START - 900 * US, START + 900 * US
    met = {1: Journey(False, came, times[1]), 2: Journey(True, times[2], goes)}
    one_way = {1: Journey(True, times[1], goes), 2: Journey(True, times[2], goes)}
    assert even_heights(times, [58] * 4, met)[2] > even_heights(times, [58] * 4, one_way)[2]


def test_level_arrows_take_the_usual_room() -> None:
    level = {0: Journey(True, START, None), 1: Journey(True, START + 100 * US, None)}
    assert even_heights([START, START + 100 * US], [60, 60], level) == [60, 60]


# ---------------------------------------------------------------- lanes and chunks


def test_a_bracket_is_as_long_as_its_call_took() -> None:
    assert span(placed(0, 100 * US), START + 20 * US, START + 80 * US).height[0] == pytest.approx(
        30
    )


def test_a_state_without_end_reaches_the_bottom() -> None:
    place = placed(0, 100 * US)
    last = span(place, START + 100 * US, None)
    assert last.top[0] + last.height[0] == place.heights[0]


def test_calls_that_overlap_stand_side_by_side() -> None:
    assert depths([(0, 10), (2, 5), (6, 8), (12, 20)]) == [0, 1, 1, 0]


def test_chunks_hold_every_row_once() -> None:
    assert rows_of(250, 100) == [(0, 100), (100, 200), (200, 250)]
