"""An expression cut into words, signs and operators, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

TOKEN = re.compile(
    r"""\s*(?: (?P<sign> [(){},] )
             | (?P<operator> == | != | <= | >= | && | \|\| | [=<>!] )
             | "(?P<quoted> [^"]* )"
             | (?P<word> [^\s(){},=!<>&|"]+ )
             | (?P<wrong> \S ) )""",
    re.VERBOSE,
)

SPELT = {
    "&&": "and", "||": "or", "!": "not", "=": "==",
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip
"""Other ways to write an operator; between words only."""


class Token(Struct, frozen=True):
    """One word or sign."""

    text: str  # as it is looked up: operators in one spelling
    place: int  # its first character, from 1
    is_value: bool  # a word that may be a value; quoted words are nothing else
    is_quoted: bool = False


def tokens(expression: str) -> Iterator[Token]:
    """Cut an expression; a character that begins nothing known becomes a token of its own."""
    for match in TOKEN.finditer(expression):
        kind = match.lastgroup or ""
        text, place = match[kind], match.start(kind) + (kind != "quoted")
        plain = SPELT.get(text, text) if kind in {"operator", "word"} else text
        yield Token(plain, place, kind in {"word", "quoted"}, kind == "quoted")
