"""Spans as they are written for people."""

from __future__ import annotations

import pytest

from lab.units import short_span


@pytest.mark.parametrize(
    ("span", "written"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1 µs"),
        (58_400, "58.4 µs"),
        (999_400, "999 µs"),
        (999_500, "1 ms"),
        (42_740_000, "42.7 ms"),
        (999_400_000, "999 ms"),
        (999_900_000, "1 s"),
        (1_054_000_000, "1.05 s"),
        (999_400_000_000, "999 s"),
        (999_900_000_000, "1000 s"),
        (86_400_000_000_000, "86400 s"),
        (-999_900_000, "-1 s"),
        (-1_500_400_000_000, "-1500 s"),
    ],
)
def test_a_span_has_three_digits_in_the_unit_that_suits_it(span: int, written: str) -> None:
    assert short_span(span) == written
