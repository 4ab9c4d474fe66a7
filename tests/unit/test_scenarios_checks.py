"""Promises about kernels: how long a state lasted, when a timer is to go off."""

from __future__ import annotations

import pytest

from lab.evidence.kernel import Kernel
from lab.evidence.manifest import Manifest
from lab.evidence.run import Evidence
from lab.evidence.states import Life, Moment
from lab.scenarios.checks import goes_off, lasted
from lab.scenarios.script import Segment
from lab.text import same

MS = 1_000_000


def moment(at: int, state: str, *, timer: str = "", expires: int = 0) -> Moment:
    """A sample taken within a millisecond before ``at`` (ms); the one before it 5 ms earlier."""
    return Moment((at - 6) * MS, (at - 1) * MS, at * MS, state, timer, expires, {})


def run(*moments: Moment, last: int = 1000) -> Evidence:
    life = Life(1, "tcp", ("10.0.0.1", 5), ("10.0.0.2", 80), moments, None)
    manifest = Manifest(scenario="", engine="", started=0)
    return Evidence(manifest, (), kernel={"client": Kernel((life,), last=last * MS)})


@pytest.mark.parametrize(("least", "kept"), [(390, True), (401, False)])
def test_a_state_lasts_from_the_sample_that_shows_it_to_the_last_that_does(
    least: int, kept: bool
) -> None:
    evidence = run(moment(100, "ESTABLISHED"), moment(506, "CLOSE-WAIT"))
    promise = lasted("lasts", same("it lasts"), "client", "ESTABLISHED", least * MS)
    assert promise.check(evidence).kept is kept


def test_a_state_that_was_never_seen_has_not_lasted() -> None:
    promise = lasted("lasts", same("it lasts"), "client", "TIME-WAIT", 1)
    assert not promise.check(run(moment(100, "ESTABLISHED"))).kept


FIN = Segment(7, 100 * MS, "S", frozenset({"FIN", "ACK"}), 1, 0, 1)


@pytest.mark.parametrize(
    ("timer", "expires", "kept"),
    [("time-wait", 59_950, True), ("time-wait", 30_000, False), ("", 59_950, False)],
)
def test_a_timer_is_counted_from_the_segment_that_started_it(
    timer: str, expires: int, kept: bool
) -> None:
    seen = goes_off(moment(150, "TIME-WAIT", timer=timer, expires=expires), FIN, 60_000)
    assert (seen.kept, seen.frames) == (kept, (7,))
