"""Runs of real kernels, side by side: two plays of one scenario are alike, contrasts differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.analyze import load_run
from lab.backends.namespaces import NamespacesEngine
from lab.evidence.run import Evidence
from lab.proving import played
from lab.report.difference.compare import difference
from lab.report.difference.pairs import CONTRASTS, Contrast
from lab.report.difference.side import at_port
from lab.text import Language, Text
from tests.played import checkout_of, evidence_of, run_folder, shared

pytestmark = pytest.mark.namespaces

Take = Callable[[str], Evidence]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared(tmp_path_factory.getbasetemp())


@pytest.fixture
def take(base: Path) -> Take:
    """Reads a run as `lab diff` names it; the test is skipped where it is not available."""

    def read(target: str) -> Evidence:
        name, _, host = target.partition("@")
        folder = run_folder(base, name)
        if folder is None:
            pytest.skip(f"not available here: {name}")
        found = evidence_of(folder)
        return at_port(found, host) if host else found

    return read


def silent(_: Text) -> None:
    """What an engine says, unheard."""


@pytest.mark.parametrize("name", ["close_four_segments", "udp_echo", "data_loss_rto:single"])
def test_two_plays_of_a_scenario_are_alike(base: Path, take: Take, name: str) -> None:
    checkout = checkout_of(base)
    engine = NamespacesEngine(checkout.root, "en")
    again = load_run(played(engine, checkout.captures, name, silent, Language.EN))
    found = difference(take(name), again)
    assert [one.words.en for pair in found.pairs for one in pair.told] == []
    assert found.first is None
    assert found.alike


@pytest.mark.parametrize("pair", CONTRASTS, ids=lambda pair: f"{pair.left} {pair.right}")
def test_each_contrast_differs_at_a_step_that_is_named(take: Take, pair: Contrast) -> None:
    found = difference(take(pair.left), take(pair.right))
    assert found.first is not None
    assert not found.alike


def test_three_segments_against_four_differ_at_the_ack_of_the_fin(take: Take) -> None:
    found = difference(take("close_three_segments"), take("close_four_segments"))
    assert found.first is not None
    assert found.first.words.en.startswith("only B has")
    assert "server acknowledges the FIN" in found.first.words.en
