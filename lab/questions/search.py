"""Find a question by an id, or by a few words of either language, as people type them.

Texts are compared by what they share: words, and for what is misspelt or Chinese, runs of letters.
What is rare among the questions weighs more (inverse document frequency).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import pairwise
from math import log

from lab.questions.base import Question

WORD = re.compile(r"[a-z0-9]+(?:[_.-][a-z0-9]+)*|[㐀-鿿]+")
NOISE = frozenset(
    WORD.findall(
        "a an and are at be by can do does for from has have how i if in is it its of on or that "
        "the there this to was what when whether which who why will with you your"
    )
)
CHINESE_NOISE = re.compile("为什么|有什么|是什么|什么|怎么办?|如何|哪些|[的了吗呢和与]")
ASKED, OTHERWISE = 3.0, 1.0  # the question's own words weigh more than those of its answer
STRANGE = 1.0  # what a word that no question has counts; ASKED is what one that some have does
SHORT = 4  # letters; a shorter word is taken as it is
LEAST = 0.2  # of what the words could have scored at most: below, nothing was found


def search(words: str, questions: Sequence[Question], most: int = 5) -> list[Question]:
    """The questions that fit, the best first; none if nothing really does."""
    texts = [_weights(one) for one in questions]
    spread = Counter(feature for text in texts for feature in text)
    wanted = _features(_spelled(words, spread))
    if not wanted:
        return []
    rarity = {one: log(1 + len(texts) / (1 + spread[one])) for one in wanted}
    possible = sum(rarity[one] * (ASKED if spread[one] else STRANGE) for one in wanted)
    scores = [
        round(sum(rarity[one] * text[one] for one in rarity if one in text) / possible, 6)
        for text in texts
    ]
    ranked = sorted(range(len(texts)), key=lambda i: (-scores[i], questions[i].level, i))
    return [questions[i] for i in ranked[:most] if scores[i] >= LEAST]


def _spelled(text: str, known: Iterable[str]) -> str:
    """The same with each misspelt word as the questions spell it, and "close wait" as one, too."""
    spellings = sorted(one for one in known if one.isascii() and one[0] != "~")
    words = [_close(word, spellings) for word in WORD.findall(_plain(text))]
    pairs = {f"{one}{joint}{other}" for one, other in pairwise(words) for joint in ("", "-")}
    return " ".join((*words, *sorted(pairs & set(spellings))))


def _close(word: str, spellings: list[str]) -> str:
    """A word as it is spelled in the questions, one slip apart; else as it is."""
    if not (word.isascii() and word.isalpha()) or len(word) < SHORT or word in NOISE:
        return word
    found = get_close_matches(word, spellings, 1, 1 - 1 / len(word))
    return found[0] if found else word


def _weights(question: Question) -> dict[str, float]:
    rest = [question.answer, *(text for text in (question.claim, question.truth) if text)]
    weights = dict.fromkeys(_features(*(w for text in rest for w in (text.en, text.zh))), OTHERWISE)
    return weights | dict.fromkeys(_features(question.asks.en, question.asks.zh), ASKED)


def _features(*texts: str) -> set[str]:
    """Words, and their runs of letters: four of a Latin word, two of Chinese."""
    found: set[str] = set()
    for text in texts:
        for word in WORD.findall(_plain(text)):
            if word[0] >= "㐀":
                found.update(word[i : i + 2] for i in range(max(1, len(word) - 1)))
            elif word not in NOISE:
                found.add(word)
                found.update(f"~{word[i : i + 4]}" for i in range(len(word) - 3))
    return found


def _plain(text: str) -> str:
    """One spelling; what every Chinese question has is left out."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("_", "-")
    return CHINESE_NOISE.sub(" ", plain)
