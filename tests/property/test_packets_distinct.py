"""Distinct values are those of numpy's own function, with the same places."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.packets.distinct import among, begins, counted, distinct, grouped, ranked


@given(st.lists(st.integers(-5, 5)))
def test_what_is_found_is_what_numpy_finds(values: list[int]) -> None:
    array = np.array(values, np.int64)
    wanted, first, which, counts = np.unique(
        array, return_index=True, return_inverse=True, return_counts=True
    )
    assert distinct(array).tolist() == wanted.tolist()
    assert [part.tolist() for part in counted(array)] == [wanted.tolist(), counts.tolist()]
    assert [part.tolist() for part in ranked(array)] == [wanted.tolist(), which.tolist()]
    assert [part.tolist() for part in grouped(array)] == [
        wanted.tolist(),
        first.tolist(),
        which.tolist(),
    ]


@given(st.lists(st.integers(-5, 5)), st.lists(st.integers(-5, 5)))
def test_values_are_told_that_are_among_the_wanted(values: list[int], wanted: list[int]) -> None:
    array = np.array(values, np.int64)
    assert among(array, wanted).tolist() == np.isin(array, wanted).tolist()


def test_a_value_begins_where_another_ends() -> None:
    assert begins(np.array([1, 1, 2, 1])).tolist() == [True, False, True, True]
    assert begins(np.zeros(0)).tolist() == []
