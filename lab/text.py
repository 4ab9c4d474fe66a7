"""What a user reads, in English and in Simplified Chinese side by side.

Names of the field (flags, states, calls, header fields) stay in English in both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct


class Language(StrEnum):
    """A language that every message of the lab exists in."""

    EN = "en"
    ZH = "zh"


class Text(Struct, frozen=True, gc=False):
    """One message in both languages; the two are written separately, not translated."""

    en: str
    zh: str

    def say(self, language: Language) -> str:
        """Return the message in one language."""
        return self.zh if language is Language.ZH else self.en

    def fill(self, **values: object) -> Text:
        """Fill the ``{placeholders}`` of both; a value that is a Text is filled in by language.

        English has two forms where they differ: ``{count} frame[|s] carr[ies|y]``. The first is
        taken if the placeholder before it is 1.
        """
        english = _numbered(self.en, values) if "|" in self.en else self.en
        texts = [(key, value) for key, value in values.items() if isinstance(value, Text)]
        if not texts:
            return Text(english.format(**values), self.zh.format(**values))
        en = values | {key: value.en for key, value in texts}
        zh = values | {key: value.zh for key, value in texts}
        chinese = tuple(key for key, value in texts if CHINESE.fullmatch(value.zh))
        return Text(english.format(**en), _closed_up(self.zh, chinese).format(**zh))


FORMS = re.compile(r"\{(\w+)[^{}]*\}|\[([^\[\]|]*)\|([^\[\]|]*)\]")


def _numbered(template: str, values: Mapping[str, object]) -> str:
    """Choose each singular or plural by the number that stands before it."""
    single = False

    def chosen(found: re.Match[str]) -> str:
        nonlocal single
        if found[1]:
            single = str(values.get(found[1])) == "1"
            return found[0]
        return found[2] if single else found[3]

    return FORMS.sub(chosen, template)


HAN = "[一-鿿]"
CHINESE = re.compile(f"{HAN}+")


@lru_cache(512)
def _closed_up(template: str, chinese: tuple[str, ...]) -> str:
    """A Chinese word is set without spaces among Chinese; a name in Latin letters keeps them."""
    for key in chinese:
        place = rf"\{{{key}\}}"
        template = re.sub(rf"(?<={HAN}) (?={place})|(?<={place}) (?={HAN})", "", template)
    return template


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
