"""What a term of the glossary is."""

from __future__ import annotations

from msgspec import Struct

from lab.text import Text


class Confusion(Struct, frozen=True):
    """Terms that are taken for one another, and the difference between them."""

    ids: tuple[str, ...]
    words: Text


class Term(Struct, frozen=True, kw_only=True):
    """A word of the field, in one sentence, with the scenario that shows it."""

    id: str
    term: Text  # the Chinese one with the English in brackets, once
    sentence: Text  # of at most 25 words
    scenario: str  # NAME or NAME:VARIANT; empty for the few that the lab does not play
    patterns: tuple[str, ...]  # lower case: what a text of either language calls it
    confused_with: tuple[Confusion, ...] = ()  # each with the other terms' ids only
