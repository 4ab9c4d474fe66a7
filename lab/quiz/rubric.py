"""An explanation in a learner's own words, against what it should say and must not say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from msgspec import Struct

from lab.questions.base import Idea, Question

LONGEST = 4000  # characters of a text that are looked at: some patterns search in its square
_PUNCTUATION = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "、": ",", "。": "."})


class Found(Struct, frozen=True):
    """One idea, and where the learner's text says it: [begin, end) in the normalised text."""

    idea: Idea
    spans: tuple[tuple[int, int], ...]

    @property
    def said(self) -> bool:
        return bool(self.spans)


class Explained(Struct, frozen=True):
    """A text against a question's rubric."""

    text: str  # normalised
    ideas: tuple[Found, ...]
    wrong: tuple[Found, ...]

    @property
    def share(self) -> float:
        """Ideas found less contradictions, of all ideas; between 0 and 1."""
        said = sum(one.said for one in self.ideas) - sum(one.said for one in self.wrong)
        return max(0, said) / len(self.ideas) if self.ideas else 0.0


def explained(question: Question, text: str) -> Explained:
    """Find a question's ideas and its contradictions in a text of either language."""
    plain = normalised(text[:LONGEST])
    return Explained(plain, _find(question.ideas, plain), _find(question.wrong, plain))


def normalised(text: str) -> str:
    """One spelling: full-width forms narrowed, lower case, plain quotes, single spaces."""
    narrow = unicodedata.normalize("NFKC", text).translate(_PUNCTUATION).casefold()
    return re.sub(r"\s+", " ", narrow).strip()


def _find(ideas: Iterable[Idea], text: str) -> tuple[Found, ...]:
    return tuple(Found(idea, _spans(idea, text)) for idea in ideas)


def _spans(idea: Idea, text: str) -> tuple[tuple[int, int], ...]:
    matches = (match for pattern in idea.patterns for match in re.finditer(pattern, text, re.I))
    return tuple(sorted({match.span() for match in matches if match[0]}))
