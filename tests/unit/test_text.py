"""Every message exists in both languages, and the language is chosen as documented."""

from __future__ import annotations

import pytest

from lab import errors
from lab.text import Language, Text, choose_language, same


@pytest.mark.parametrize(
    ("asked", "environment", "chosen"),
    [
        ("zh", {"LAB_LANG": "en"}, Language.ZH),
        (None, {"LAB_LANG": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, Language.ZH),
        (None, {"LANG": "zh_CN.UTF-8"}, Language.ZH),
        (None, {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, Language.EN),
        (None, {"LAB_LANG": "fr"}, Language.EN),
        (None, {}, Language.EN),
    ],
)
def test_the_option_wins_then_lab_lang_then_the_locale(
    asked: str | None, environment: dict[str, str], chosen: Language
) -> None:
    assert choose_language(asked, environment) is chosen


def test_a_text_within_a_text_is_filled_in_its_own_language() -> None:
    who = Text("the client", "客户端")
    assert Text("{who} asks", "{who}请求").fill(who=who) == Text("the client asks", "客户端请求")


@pytest.mark.parametrize(
    ("who", "told"),
    [
        (Text("client", "客户端"), "由客户端请求，见客户端 SYN"),
        (same("client"), "由 client 请求，见 client SYN"),
    ],
    ids=["a Chinese word", "a name"],
)
def test_a_chinese_word_is_set_without_spaces_among_chinese(who: Text, told: str) -> None:
    assert Text("{who}", "由 {who} 请求，见 {who} SYN").fill(who=who).zh == told


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "1 frame carries a sum"),
        ("1", "1 frame carries a sum"),
        (0, "0 frames carry a sum"),
        ("1,001", "1,001 frames carry a sum"),
    ],
)
def test_english_says_one_frame_and_two_frames(count: object, told: str) -> None:
    words = Text("{count} frame[|s] carr[ies|y] a sum", "{count} 帧带有校验和")
    assert words.fill(count=count) == Text(told, f"{count} 帧带有校验和")


def test_each_form_agrees_with_the_number_before_it() -> None:
    words = Text("{one} frame[|s] of {many} octet[|s]", "{one} 帧，{many} 字节")
    assert words.fill(one=1, many=60).en == "1 frame of 60 octets"


def test_what_is_filled_in_is_not_taken_for_a_form() -> None:
    assert Text("{n} [run|runs]: {name}", "{name}").fill(n=1, name="[a|b]").en == "1 run: [a|b]"


def _all_errors(kind: type[errors.LabError]) -> list[type[errors.LabError]]:
    return [kind, *(error for child in kind.__subclasses__() for error in _all_errors(child))]


@pytest.mark.parametrize("error", _all_errors(errors.LabError))
def test_each_error_words_cause_and_remedy_in_both_languages_with_the_same_details(
    error: type[errors.LabError],
) -> None:
    for text in (error.what, error.expected, error.remedy):
        if text is not None:
            assert set(_placeholders(text.en)) == set(_placeholders(text.zh))


def _placeholders(words: str) -> list[str]:
    import string

    return [name for _, name, _, _ in string.Formatter().parse(words) if name]


def test_no_two_errors_share_an_exit_code() -> None:
    leaves = [error for error in _all_errors(errors.LabError) if not error.__subclasses__()]
    codes = [error.exit_code for error in leaves]
    assert len(set(codes)) == len(codes)
    assert 2 not in codes  # click's own
