"""The quiz as a server keeps it: it asks, and keeps the learner's progress.

Everything that decides anything is `lab.quiz`'s, as in the terminal.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from time import time_ns

from msgspec.structs import replace

from lab import questions
from lab.errors import NoRunYet, NotAvailable, NothingToAsk
from lab.learner import load_progress, save_progress
from lab.questions.base import Proof, Question
from lab.questions.runs import Runs
from lab.quiz import interview as interviews
from lab.quiz.grading import Answers, Grade, grade
from lab.quiz.hints import MOST, NONE_LEFT, hint
from lab.quiz.progress import Progress, recorded
from lab.quiz.rubric import Explained, explained
from lab.quiz.stages import upcoming
from lab.text import Text
from lab.web.bench import Bench, Found, Lacks
from lab.web.sittings import Open, Sitting

LONGEST = 80  # characters of an id that are looked for, and repeated


class Desk:
    """Asks, and keeps the learner's progress."""

    def __init__(self, bench: Bench, progress: Path | None) -> None:
        """``progress``: the learner's file; None: it is kept in memory."""
        self._bench, self._file = bench, progress
        self._kept, self._turn = Progress(), Lock()
        self._left_out = set[str]()  # could not be played or graded here: not asked unasked again
        self.sittings = Open[Sitting]()

    def progress(self) -> Progress:
        """What the learner has shown; raises ProgressDamaged."""
        return load_progress(self._file) if self._file else self._kept

    def lacks(self) -> Lacks:
        """Tells what has to be played before a question can be asked."""
        return self._bench.lacks()

    def open(self, name: str = "", *, interview: bool = False, chain: tuple[str, ...] = ()) -> str:
        """Ask what is named, else what is up next.

        Raises QuestionUnknown, NoRunYet, NothingToAsk, ProgressDamaged.
        """
        why = ""
        if name:
            question = questions.find(name[:LONGEST])
        elif interview:
            question = self._first()
        else:
            why, question = self._next()
        if interview and not name:
            known = {one.id: one for one in questions.every()}
            chain = tuple(one.id for one in interviews.chain(question, known)[1:])
        return self.sittings.add(Sitting(question, why, interview, chain))

    def _first(self) -> Question:
        """What an interview begins with: a chain of which every run can be had, else what is next."""
        lacks = self.lacks()
        chains = [[questions.find(name) for name in chain] for chain in interviews.CHAINS]
        whole = [
            chain for chain in chains if not any(lacks(one.runs, one.instead) for one in chain)
        ]
        return random.choice(whole)[0] if whole else self._next()[1]  # noqa: S311

    def _next(self) -> tuple[str, Question]:
        coming = upcoming(self.progress(), questions.every(), time_ns())
        coming = [one for one in coming if one[1].id not in self._left_out]
        if not coming:
            raise NothingToAsk
        lacks = self.lacks()
        lacking = []
        for why, question in coming:
            missing = lacks(question.runs, question.instead)
            if not missing:
                return why, question
            lacking.append(missing[0])
        raise NoRunYet(scenario=lacking[0])

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
            sure = None if guess is None else confidence
            one.answers = replace(one.answers, guess=guess, confidence=sure)

    def run(self, name: str) -> Found:
        """The runs to look at, played now; the same again if asked again."""
        one = self.sittings.find(name)
        with one.turn:
            if one.found is None:
                try:
                    one.found = self._bench.gather(one.question.runs, instead=one.question.instead)
                except NotAvailable:
                    self._left_out.add(one.question.id)
                    raise
        return one.found

    def hint(self, name: str) -> Text:
        """The next hint; the last is an example from another run. One that there is not costs nothing."""
        one = self.sittings.find(name)
        with one.turn:
            nth = one.answers.hints
            other = self._example(one) if nth == len(one.question.hints) else None
            told = hint(one.question, nth, other)
            if one.graded is None and told is not NONE_LEFT:
                one.answers = replace(one.answers, hints=min(nth + 1, MOST))
        return told

    def _example(self, one: Sitting) -> Proof | None:
        try:
            found = self._bench.another(one.seen)
        except NoRunYet:
            return None
        return questions.prove(one.question, Runs({name: got[1] for name, got in found.items()}))

    def grade(self, name: str, values: Mapping[str, object], text: str) -> Sitting:
        """Grade what is handed in, once, and keep it; raises ProgressDamaged, DiskFull."""
        one = self.sittings.find(name)
        runs = one.runs
        with one.turn:
            if one.graded is None:
                said = one.answers.text if one.interview else text
                answers = replace(one.answers, values=values, text=said)
                graded = grade(one.question, answers, runs)
                self._record(one, answers, graded)
                one.answers, one.graded = answers, graded
        return one

    def _record(self, one: Sitting, answers: Answers, graded: Grade) -> None:
        if graded.ungradable is not None:
            self._left_out.add(one.question.id)
        now = time_ns()
        with self._turn:
            kept = recorded(
                self.progress(),
                one.question,
                graded,
                answers,
                now=now,
                spent=now - one.begun,
                interview=one.interview,
            )
            self._keep(kept)
        one.kept = now

    def cover(self, name: str, covered: tuple[int, ...]) -> None:
        """Ideas that the learner says are in the text: kept beside the score, not in it."""
        one = self.sittings.find(name)
        if one.graded is None or one.graded.explained is None:
            return
        missed = (n for n, idea in enumerate(one.graded.explained.ideas) if not idea.said)
        marks = tuple(n for n in missed if n in covered)
        with self._turn:
            progress = self.progress()
            attempts = tuple(
                replace(each, covered=marks) if each.time == one.kept else each
                for each in progress.attempts
            )
            self._keep(replace(progress, attempts=attempts))

    def _keep(self, progress: Progress) -> None:
        self._kept = progress
        if self._file:
            save_progress(self._file, progress)
