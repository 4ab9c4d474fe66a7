"""The questions: each module of this package is a topic and offers its own as ``QUESTIONS``."""

from __future__ import annotations

import importlib
import re
import unicodedata
from functools import cache
from pkgutil import iter_modules

from lab.errors import QuestionUnknown
from lab.questions.base import GROUPS, Claim, Missing, Proof, Question
from lab.questions.runs import Runs as Runs

PARTS = {"base", "kernel_socket", "pieces", "rights", "runs", "search"}
"""Modules of this package that are no topics."""


@cache
def every() -> tuple[Question, ...]:
    """All of them, in order of their groups and numbers."""
    names = [name for _, name, _ in iter_modules(__path__) if name not in PARTS]
    topics = (importlib.import_module(f"{__name__}.{name}") for name in sorted(names))
    return tuple(sorted((one for topic in topics for one in topic.QUESTIONS), key=_rank))


def _rank(question: Question) -> tuple[int, int]:
    return list(GROUPS).index(question.group), _number(question)


def _number(question: Question) -> int:
    return int(question.id.removeprefix(question.group))


def find(name: str) -> Question:
    """The question with this id, as people write it ("hs1", "HS-01"); raises QuestionUnknown."""
    plain = unicodedata.normalize("NFKC", name).strip().upper()
    if found := re.fullmatch(r"([A-Z]{1,2})[ _-]?(\d{1,4})", plain, re.ASCII):
        for question in every():
            if question.group == found[1] and _number(question) == int(found[2]):
                return question
    raise QuestionUnknown(question=name)


def prove(question: Question, runs: Runs) -> Proof:
    """Check a question's claims on runs; what they lack is a claim that does not hold."""
    if question.prove is None:
        return Proof(())
    try:
        return question.prove(runs)
    except Missing as missing:
        return Proof((Claim(False, missing.words, ()),))
