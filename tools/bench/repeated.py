"""200 runs of one scenario in a row: the same verdict each time, and nothing is left of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.checkout import Checkout
from tests.repeated import repeat
from tools.bench.figure import Figure

TIMES = 200


def figures() -> Iterator[Figure]:
    """How many different verdicts, and how many things there are more than after the first run."""
    with tempfile.TemporaryDirectory() as name:
        kept, before, after = repeat(Checkout.make(Path(name, "lab")), TIMES)
    broken = sorted(set().union(*kept).difference(set.intersection(*map(set, kept))))
    yield Figure(f"verdicts of {TIMES} runs that differ", len(kept) - 1, 0, ", ".join(broken))
    for thing, was, there in zip(before._fields, before, after, strict=True):
        yield Figure(f"{thing} left by {TIMES} runs", max(there - was, 0), 0, f"{was} → {there}")
