"""What a user reads, in English and in Simplified Chinese side by side.

Names of the field (flags, states, calls, header fields) stay in English in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Language(StrEnum):
    """A language that every message of the lab exists in."""

    EN = "en"
    ZH = "zh"


class Text(Struct, frozen=True):
    """One message in both languages; the two are written separately, not translated."""

    en: str
    zh: str

    def say(self, language: Language) -> str:
        """Return the message in one language."""
        return self.zh if language is Language.ZH else self.en

    def fill(self, **values: object) -> Text:
        """Fill the ``{placeholders}`` of both; a value that is a Text is filled in by language."""
        en = {key: value.en if isinstance(value, Text) else value for key, value in values.items()}
        zh = {key: value.zh if isinstance(value, Text) else value for key, value in values.items()}
        return Text(self.en.format(**en), self.zh.format(**zh))


def same(words: str) -> Text:
    """A message that reads the same in both languages (a name, a number, a path)."""
    return Text(words, words)


def choose_language(asked: str | None, environment: Mapping[str, str]) -> Language:
    """Pick the language: ``--lang``, then ``LAB_LANG``, then the locale; English otherwise."""
    for wish in (asked, environment.get("LAB_LANG"), _from_locale(environment)):
        if wish and wish.lower()[:2] in {"en", "zh"}:
            return Language(wish.lower()[:2])
    return Language.EN


def _from_locale(environment: Mapping[str, str]) -> str | None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return value
    return None
