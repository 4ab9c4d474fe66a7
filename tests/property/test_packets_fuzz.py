"""A thousand damaged captures are read without harm; `make fuzz` reads a hundred thousand."""

from __future__ import annotations

import pytest

from tools.fuzz import examine, mutant, sources

PARTS = 8
MUTANTS = 1000 // PARTS


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_captures_are_read_or_refused(part):
    seeds = range(part * MUTANTS, (part + 1) * MUTANTS)
    outcomes = [examine(mutant(seed)) for seed in seeds]
    assert {"damaged", "read to the end"} <= set(outcomes)


def test_the_same_seed_makes_the_same_mutant():
    assert mutant(7) == mutant(7)


def test_mutants_differ_from_what_they_were_made_of():
    known = set(sources())
    assert sum(mutant(seed) in known for seed in range(200)) < 10
