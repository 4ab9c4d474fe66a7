"""The diagnosis room on the page: the client's symptoms, at most five pieces of evidence, the cause."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field

from lab.errors import NoRunYet, NotAvailable
from lab.evidence.run import Evidence
from lab.quiz.diagnosis import CAUSES, MOST, PIECES, PRICE, Piece, cases, judged, symptoms
from lab.report.answers import words
from lab.report.room import draw_piece
from lab.text import Language
from lab.web.bench import Bench, Found
from lab.web.sittings import Open

COLUMNS = 100


@dataclass(slots=True)
class Case:
    """One case and what was looked at."""

    scenario: str
    folder: str
    evidence: Evidence
    looked: list[Piece] = field(default_factory=list)


class Room:
    """The cases that are open."""

    def __init__(self, bench: Bench) -> None:
        """``bench``: where runs come from."""
        self._bench = bench
        self.cases = Open[Case]()

    def open(self) -> dict[str, object]:
        """Play one of the cases without a word; raises NoRunYet, OneAtATime, and what playing raises."""
        ((scenario, (folder, evidence)),) = self._gather().items()
        name = self.cases.add(Case(scenario, folder.name, evidence))
        causes = sorted(CAUSES, key=lambda one: CAUSES[one].en)
        return {
            "case": name,
            "symptoms": symptoms(evidence),
            "most": MOST,
            "price": PRICE,
            "pieces": [[one.value, words(text)] for one, text in PIECES.items()],
            "causes": [[one, words(CAUSES[one])] for one in causes],
        }

    def _gather(self) -> Found:
        """The run of one case; of the next where there is none, or it cannot be played here."""
        lacks = self._bench.lacks()
        possible = [name for name in cases() if not lacks([name])]
        random.shuffle(possible)
        for scenario in possible:
            with suppress(NoRunYet, NotAvailable):
                return self._bench.gather([scenario], shown=False)
        raise NoRunYet(scenario=cases()[0])

    def piece(self, name: str, wanted: Piece) -> dict[str, object]:
        """A piece of evidence, line by line; none once the last was given."""
        case = self.cases.find(name)
        if wanted not in case.looked:
            if len(case.looked) >= MOST:
                return {"lines": None, "left": 0}
            case.looked.append(wanted)
        return {"lines": _shown(case.evidence, wanted), "left": MOST - len(case.looked)}

    def name_cause(self, name: str, cause: str) -> dict[str, object]:
        """Whether that is the cause; the case is then closed."""
        case = self.cases.close(name)
        found = judged(case.scenario, cause, case.looked)
        return {
            "right": found.right,
            "score": found.score,
            "cause": words(CAUSES[case.scenario]),
            "run": case.folder,
        }


def _shown(evidence: Evidence, wanted: Piece) -> dict[str, list[str]]:
    """In both languages."""
    return {one.value: draw_piece(evidence, wanted, one, COLUMNS) for one in Language}
