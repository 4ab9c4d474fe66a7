"""The quiz as a server keeps it: questions that are open, each with its prediction, runs and hints.

Everything that decides anything is `lab.quiz`'s, as in the terminal.
"""

from __future__ import annotations

import random
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import time_ns
from typing import TypeVar

from msgspec.structs import replace

from lab import questions
from lab.errors import NoLongerOpen, NoRunYet
from lab.evidence.run import Evidence
from lab.learner import load_progress, save_progress
from lab.proving import gather, usable
from lab.questions.base import Proof, Question
from lab.questions.runs import Runs
from lab.quiz import interview as interviews
from lab.quiz.grading import Answers, Grade, grade
from lab.quiz.hints import MOST, hint
from lab.quiz.progress import Progress, recorded
from lab.quiz.rubric import Explained, explained
from lab.quiz.stages import upcoming
from lab.text import Text
from lab.web.playing import Player

KEPT = 64  # open questions; the oldest go first
Found = Mapping[str, tuple[Path, Evidence]]
T = TypeVar("T")


class Open(OrderedDict[str, T]):
    """What is open, by a name that nobody guesses; the oldest is closed when there are too many."""

    def add(self, one: T) -> str:
        """Open it; returns its name."""
        name = secrets.token_urlsafe(12)
        self[name] = one
        while len(self) > KEPT:
            self.popitem(last=False)
        return name

    def find(self, name: str) -> T:
        """What has this name; raises NoLongerOpen."""
        if name not in self:
            raise NoLongerOpen
        return self[name]


class Bench:
    """Where the runs for questions come from: played now, or the newest where nothing is played."""

    def __init__(self, captures: Path, player: Player | None) -> None:
        """``player``: None if the page only shows."""
        self.captures, self._player = captures, player

    def gather(self, scenarios: Iterable[str], *, shown: bool = True) -> Found:
        """A run of each; raises NoRunYet, OneAtATime, and what playing raises."""
        if self._player is None:
            return {name: self._newest(name) for name in scenarios}
        player = self._player
        return gather(
            self.captures, scenarios, lambda name: player.play(name, shown=shown), fresh=True
        )

    def another(self, scenarios: Iterable[str]) -> Found | None:
        """Runs of which the numbers are others; None where nothing is played."""
        return self.gather(scenarios) if self._player else None

    def offers(self, scenarios: Iterable[str]) -> bool:
        """Whether there can be a run of each."""
        if self._player is not None:
            return True
        return all(any(self.captures.glob(f"*Z*-{n.replace(':', '.')}")) for n in scenarios)

    def _newest(self, scenario: str) -> tuple[Path, Evidence]:
        found = usable(self.captures, scenario)
        if found is None:
            raise NoRunYet(scenario=scenario)
        return found


@dataclass(slots=True)
class Sitting:
    """One question from the prediction to the verdict."""

    question: Question
    why: str = ""  # "review", "new"
    interview: bool = False
    chain: tuple[str, ...] = ()  # what is asked after it
    begun: int = field(default_factory=time_ns)
    answers: Answers = field(default_factory=Answers)
    found: Found | None = None
    graded: Grade | None = None

    @property
    def runs(self) -> Runs:
        """The runs that the learner looks at; raises NoLongerOpen before there are any."""
        if self.found is None:
            raise NoLongerOpen
        return Runs({name: got[1] for name, got in self.found.items()})


class Desk:
    """Asks, and keeps the learner's progress."""

    def __init__(self, bench: Bench, progress: Path | None) -> None:
        """``progress``: the learner's file; None: it is kept in memory."""
        self._bench, self._file = bench, progress
        self._kept, self._turn = Progress(), Lock()
        self.sittings = Open[Sitting]()

    def progress(self) -> Progress:
        """What the learner has shown; raises ProgressDamaged."""
        return load_progress(self._file) if self._file else self._kept

    def open(self, name: str = "", *, interview: bool = False, chain: tuple[str, ...] = ()) -> str:
        """Ask the question that is named, else what is up next; raises QuestionUnknown, NoRunYet."""
        why = ""
        if name:
            question = questions.find(name)
        elif interview:
            question = questions.find(random.choice(interviews.CHAINS)[0])  # noqa: S311
        else:
            why, question = self._next()
        if interview and not name:
            known = {one.id: one for one in questions.every()}
            chain = tuple(one.id for one in interviews.chain(question, known)[1:])
        return self.sittings.add(Sitting(question, why, interview, chain))

    def _next(self) -> tuple[str, Question]:
        coming = upcoming(self.progress(), questions.every(), time_ns())
        for why, question in coming:
            if self._bench.offers(question.runs):
                return why, question
        raise NoRunYet(scenario=coming[0][1].runs[0] if coming else "tour")

    def speak(self, name: str, text: str) -> Explained:
        """An interview's answer in words, given once, before anything is seen; what it says and lacks."""
        one = self.sittings.find(name)
        if one.interview and one.found is None and not one.answers.text:
            one.answers = replace(one.answers, text=text)
        return explained(one.question, one.answers.text)

    def predict(self, name: str, guess: int | None, confidence: int | None) -> None:
        """Commit a prediction; after the run it stays."""
        one = self.sittings.find(name)
        if one.found is None:
            one.answers = replace(one.answers, guess=guess, confidence=confidence)

    def run(self, name: str) -> Found:
        """The runs to look at, played now; the same again if asked again."""
        one = self.sittings.find(name)
        if one.found is None:
            one.found = self._bench.gather(one.question.runs)
        return one.found

    def hint(self, name: str) -> Text:
        """The next hint; the last is an example from a run that is played for it."""
        one = self.sittings.find(name)
        nth, other = one.answers.hints, None
        if nth == len(one.question.hints):
            other = self._proof(one.question, self._bench.another(one.question.runs))
        told = hint(one.question, nth, other)
        if one.graded is None:
            one.answers = replace(one.answers, hints=min(nth + 1, MOST))
        return told

    @staticmethod
    def _proof(question: Question, found: Found | None) -> Proof | None:
        if found is None:
            return None
        return questions.prove(question, Runs({name: got[1] for name, got in found.items()}))

    def grade(self, name: str, values: Mapping[str, object], text: str) -> Sitting:
        """Grade what is handed in, once, and keep it."""
        one = self.sittings.find(name)
        runs = one.runs
        with self._turn:
            if one.graded is None:
                said = one.answers.text if one.interview else text
                one.answers = replace(one.answers, values=values, text=said)
                one.graded = grade(one.question, one.answers, runs)
                self._keep(self._with(one))
        return one

    def _with(self, one: Sitting) -> Progress:
        assert one.graded is not None
        now = time_ns()
        return recorded(
            self.progress(),
            one.question,
            one.graded,
            one.answers,
            now=now,
            spent=now - one.begun,
            interview=one.interview,
        )

    def cover(self, name: str, covered: tuple[int, ...]) -> None:
        """Ideas that the learner says are in the text: kept beside the score, not in it."""
        one = self.sittings.find(name)
        with self._turn:
            progress = self.progress()
            last = progress.attempts[-1] if progress.attempts else None
            if one.graded is None or last is None or last.question != one.question.id:
                return
            attempts = (*progress.attempts[:-1], replace(last, covered=covered))
            self._keep(replace(progress, attempts=attempts))

    def _keep(self, progress: Progress) -> None:
        self._kept = progress
        if self._file:
            save_progress(self._file, progress)
