"""The command line of a host, and the kernel's table of connections."""

from __future__ import annotations

from services.programs import Command, parse


def test_a_semicolon_makes_the_next_program_wait() -> None:
    assert parse(["a", "1", ";", "b"]) == [Command(("a", "1"), False), Command(("b",), False)]


def test_an_ampersand_lets_the_next_program_start_at_once() -> None:
    assert parse(["a", "&", "b", "2"]) == [Command(("a",), True), Command(("b", "2"), False)]


def test_a_separator_at_the_end_adds_no_program() -> None:
    assert parse(["a", ";"]) == [Command(("a",), False)]


def test_no_words_are_no_programs() -> None:
    assert parse([]) == []
