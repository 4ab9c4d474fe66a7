"""What is open: questions, each with its prediction, runs, hints and grade; the oldest go first."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from time import time_ns
from typing import TypeVar

from lab.errors import NoLongerOpen
from lab.questions.base import Question
from lab.questions.runs import Runs
from lab.quiz.grading import Answers, Grade
from lab.web.bench import Found

KEPT = 64  # open questions
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
        found = self.get(name)
        if found is None:
            raise NoLongerOpen
        return found

    def close(self, name: str) -> T:
        """The same, for the last time."""
        found = self.pop(name, None)
        if found is None:
            raise NoLongerOpen
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
    kept: int = 0  # the time of its attempt, by which it is found in the progress
    turn: Lock = field(default_factory=Lock)  # one request after the other: it is played once

    @property
    def seen(self) -> Found:
        """The runs that the learner looks at; raises NoLongerOpen before there are any."""
        if self.found is None:
            raise NoLongerOpen
        return self.found

    @property
    def runs(self) -> Runs:
        """What they show."""
        return Runs({name: got[1] for name, got in self.seen.items()})
