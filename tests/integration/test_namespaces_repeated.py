"""Run after run gives the same verdict, and nothing of them is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkout import Checkout
from tests.repeated import SCENARIO, repeat

pytestmark = [pytest.mark.root]
TIMES = 8  # make bench: 200


def test_run_after_run_has_the_same_verdict_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "tmp"
    own.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(own))
    kept, before, after = repeat(Checkout.make(tmp_path / "checkout"), TIMES)
    assert len(kept) == 1, SCENARIO
    assert after._replace(namespaces=0, interfaces=0) == before._replace(namespaces=0, interfaces=0)
