"""The texts a learner reads of one fixed run, compared whole.

LAB_GOLDEN=write pytest tests/golden writes them anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from lab.evidence.run import Evidence
from lab.report.explanation import explain
from lab.report.ladder import ladder
from lab.report.narrator import Narrator
from lab.report.terminal import draw
from lab.report.verdict import draw_verdict, verdict
from lab.scenarios import find
from lab.text import Language
from tests.handmade import CLIENT, SERVER
from tests.tour_run import tour_evidence

FOLDER = Path(__file__).parent
Teller = Callable[[Evidence, Language, int], Iterable[str]]


def _ladder(evidence: Evidence, language: Language, width: int) -> Iterable[str]:
    return draw(ladder(evidence), language, width)


def _absolute(evidence: Evidence, language: Language, width: int) -> Iterable[str]:
    return draw(ladder(evidence, absolute=True), language, width)


def _verdict(evidence: Evidence, language: Language, width: int) -> Iterable[str]:
    return draw_verdict(verdict(find("tour"), evidence), language, width)


def _narration(evidence: Evidence, language: Language, width: int) -> Iterable[str]:
    return Narrator({CLIENT: "client", SERVER: "server"}, language).feed(evidence.view.capture)


TELLERS: dict[str, Teller] = {
    "ladder": _ladder,
    "absolute": _absolute,
    "explanation": explain,
    "verdict": _verdict,
    "narration": _narration,
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", list(TELLERS))
def test_the_tour_reads_as_it_always_has(name: str, language: Language, width: int) -> None:
    told = "".join(f"{line}\n" for line in TELLERS[name](tour_evidence(), language, width))
    path = FOLDER / f"tour-{name}-{language}-{width}.txt"
    if os.environ.get("LAB_GOLDEN") == "write":
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")
