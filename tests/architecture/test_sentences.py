"""What a user reads is said in short sentences, wherever in the house it is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

LAB = Path(__file__).resolve().parents[2] / "lab"
MOST_WORDS = 25
ENDS = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[A-Z0-9\"'(`{#])")
WORD = re.compile(r"\S*[A-Za-z0-9]\S*")


def sentences(text: str) -> list[str]:
    return ENDS.split(text)


def words(sentence: str) -> int:
    """A ``{place}`` to be filled counts as one."""
    return len(WORD.findall(sentence))


def english(source: str) -> Iterator[str]:
    """The English of every ``Text("…", "…")`` that is written out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


WRITTEN = {
    str(path.relative_to(LAB.parent)): texts
    for path in sorted(LAB.rglob("*.py"))
    if (texts := tuple(english(path.read_text(encoding="utf-8"))))
}


def test_a_full_stop_ends_a_sentence_and_one_within_a_name_does_not() -> None:
    assert sentences("See net.ipv4.tcp_sack. It is 1. (Linux) Here: 2; there: 3") == [
        "See net.ipv4.tcp_sack.",
        "It is 1.",
        "(Linux) Here: 2; there: 3",
    ]


def test_texts_were_found_where_learners_read_them() -> None:
    rooms = {Path(name).parts[1] for name in WRITTEN}
    assert {"glossary", "findings", "questions", "scenarios", "page", "report"} <= rooms


@pytest.mark.parametrize("name", WRITTEN)
def test_no_sentence_is_longer_than_a_reader_can_hold(name: str) -> None:
    every = [sentence for text in WRITTEN[name] for sentence in sentences(text)]
    assert [one for one in every if words(one) > MOST_WORDS] == []
