"""Widths, line breaking, and words from a capture made harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.report.glyphs import clip, fold, pad, quote, safe, width


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("你好", 4), ("e\u0301", 1), ("a你,!", 5)]
)
def test_wide_characters_take_two_columns_and_combining_ones_none(text: str, columns: int) -> None:
    assert width(text) == columns


def test_padding_aligns_chinese_with_ascii() -> None:
    assert width(pad("你好", 7)) == width(pad("hello", 7)) == 7


def test_clipping_never_exceeds_the_columns() -> None:
    assert clip("你好,服务器", 6) == "你好,…"


@pytest.mark.parametrize(
    ("raw", "spelt"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("\r\n", "\\r\\n"),
        ("\x07", "\\x07"),
    ],
)
def test_what_would_steer_a_terminal_is_spelt_out(raw: str, spelt: str) -> None:
    assert safe(raw) == spelt


@given(st.text())
def test_no_control_or_format_character_gets_through(text: str) -> None:
    assert not {unicodedata.category(c) for c in safe(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.binary(max_size=80), st.integers(0, 200))
def test_any_payload_can_be_shown(octets: bytes, more: int) -> None:
    assert quote(octets, len(octets) + more).isprintable()


def test_utf8_text_is_quoted() -> None:
    assert quote("你好,服务器!".encode()) == '"你好,服务器!"'


def test_a_character_cut_at_the_end_of_what_was_kept_is_left_out() -> None:
    assert quote("你好".encode()[:5], 6) == '"你…"'


def test_a_payload_that_ends_inside_a_character_is_not_text() -> None:
    assert quote("你好".encode()[:5]) == "e4 bd a0 e5 a5"


def test_octets_that_are_no_text_are_shown_in_hex() -> None:
    assert quote(b"\x16\x03\x01\x00") == "16 03 01 00"


def test_phrases_share_a_line_where_they_fit() -> None:
    assert fold(["one", "two", "three"], 10) == ["one; two", "three"]


def test_the_step_of_a_handshake_is_not_broken() -> None:
    assert fold(["handshake 1 of 3: client asks"], 30, first=14) == [
        "",
        "handshake 1 of 3: client asks",
    ]


def test_chinese_breaks_anywhere_but_before_punctuation() -> None:
    assert fold(["确认对方，并发出"], 8) == ["确认对", "方，并发", "出"]


def test_an_opening_bracket_stays_with_what_it_opens() -> None:
    assert fold(["回程（共二十）"], 6) == ["回程", "（共二", "十）"]


@given(
    st.text(st.sampled_from("ab 你好，。 c"), max_size=60), st.integers(8, 30), st.integers(0, 8)
)
def test_folding_loses_nothing_but_spaces(text: str, columns: int, first: int) -> None:
    assert "".join("".join(fold([text], columns, first=first)).split()) == "".join(text.split())


@given(st.text(st.sampled_from("abc 你好，（） d"), max_size=60), st.integers(8, 30))
def test_folded_lines_fit(text: str, columns: int) -> None:
    assert all(width(line) <= columns for line in fold([text], columns))
