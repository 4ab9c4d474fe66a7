"""The form: handed out blank, read back whatever became of it, never more than plain data."""

from __future__ import annotations

import re

import pytest
import yaml

from lab import questions
from lab.errors import AnswersUnreadable
from lab.quiz.form import blank_form, read_form
from lab.quiz.grading import Answers
from lab.quiz.values import read
from lab.text import Language

BINDING = "0123456789abcdef"
FIRST, SECOND = questions.find("HS01"), questions.find("HS02")


@pytest.mark.parametrize("language", Language)
def test_a_blank_form_is_yaml_that_asks_for_every_value(language: Language) -> None:
    form = yaml.safe_load(blank_form([FIRST, SECOND], BINDING, language))
    assert form["exercise"] == BINDING
    assert set(form["answers"]["HS01"]["values"]) == {ask.id for ask in FIRST.values}
    assert set(form["answers"]["HS02"]) == {"prediction", "confidence", "values", "text"}


def test_what_was_filled_in_comes_back() -> None:
    form = f"""
exercise: {BINDING}
answers:
  HS01:
    prediction: 2
    confidence: 95 %
    values:
      syn: 3
      synack: '4'
    text: 先 SYN
"""
    answers = read_form(form.encode(), "answers.yaml").of(FIRST)
    assert answers.guess == 1
    assert answers.confidence == 95
    assert answers.values == {"syn": "3", "synack": "4"}
    assert answers.text == "先 SYN"


def test_a_frame_number_with_its_sign_is_no_comment() -> None:
    form = f"exercise: {BINDING}\nanswers:\n  HS01:\n    values:\n      syn: #3  # the SYN\n"
    assert read_form(form.encode(), "answers.yaml").of(FIRST).values == {"syn": "3"}


@pytest.mark.parametrize(
    "values",
    ["", "values:", "values: ~", "values: {}", "prediction: maybe", "text: 1", "hints: {}"],
)
def test_what_is_missing_or_no_answer_counts_as_none(values: str) -> None:
    form = f"exercise: {BINDING}\nanswers:\n  HS01:\n    {values}\n"
    answers = read_form(form.encode(), "answers.yaml").of(FIRST)
    assert answers.values == {}
    assert answers.guess is None


def first(lines: str) -> Answers:
    """What is read of the answers to the first question, of lines indented below it."""
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    form = f"exercise: {BINDING}\nanswers:\n  HS01:\n{body}"
    return read_form(form.encode(), "answers.yaml").of(FIRST)


@pytest.mark.parametrize(
    "typed", ["010", "41:42:43", "yes", "2024-13-45", "1_0", "0x1f", "[Errno 104", "1e3", "null!"]
)
def test_a_value_stays_as_it_was_typed(typed: str) -> None:
    quoted = f"'{typed}'" if typed.startswith("[") else typed
    assert first(f"values:\n  syn: {quoted}").values == {"syn": typed}


@pytest.mark.parametrize("line", ["syn：3", "syn:3", "syn: ３", "syn:#3", "syn： #3", "syn :  3"])
def test_a_slip_of_the_pen_loses_no_value(line: str) -> None:
    values = first(f"values:\n  {line}\n  synack: 4").values
    assert read(FIRST.values[0], values["syn"]) == 3
    assert values["synack"] == "4"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("text: first: a SYN, then: it's ACKed  # why", "first: a SYN, then: it's ACKed"),
        ("text: 'quoted: already'", "quoted: already"),
        ("text: |\n  seq:1 and\n  ack：2", "seq:1 and\nack：2\n"),
        ("text: plain and\n  seq:1 goes on", "plain and seq:1 goes on"),
    ],
)
def test_an_explanation_may_hold_colons(typed: str, read: str) -> None:
    assert first(typed).text == read


def test_a_prediction_may_be_given_in_its_words() -> None:
    assert FIRST.guess
    for index, option in enumerate(FIRST.guess.options):
        assert first(f'prediction: "{option.en}"').guess == index
        assert first(f'prediction: "{option.zh}"').guess == index


def test_a_prediction_in_words_that_are_a_number_is_not_taken_for_an_options_number() -> None:
    question = questions.find("SQ01")
    assert question.guess
    spelled = question.guess.options[question.guess.right].en
    assert int(spelled) > len(question.guess.options)
    form = f"exercise: {BINDING}\nanswers:\n  SQ01:\n    prediction: {spelled}\n"
    assert read_form(form.encode(), "f").of(question).guess == question.guess.right


@pytest.mark.parametrize(
    "form",
    [
        "  HS01:\n    values:\n      syn: 3\n      syn: 4\n",
        "  HS01:\n    text: a\n  HS01:\n    text: b\n",
        "  HS01:\n    text: a\n  hs01:\n    text: b\n",
        "  HS01: 3\n",
        "  HS01: [3, 4]\n",
    ],
)
def test_what_is_given_twice_or_is_no_answer_is_named_and_the_others_are_read(form: str) -> None:
    octets = f"exercise: {BINDING}\nanswers:\n{form}  HS02:\n    text: c\n".encode()
    handed = read_form(octets, "answers.yaml")
    assert set(handed.faults) == {"HS01"}
    assert handed.faults["HS01"].details["line"] in (3, 5, 6)
    assert handed.of(SECOND).text == "c"


def test_what_was_not_asked_is_known() -> None:
    form = f"exercise: {BINDING}\nanswers:\n  HS99: 3\n  HS01:\n  ZZ1:\n    text: x\n"
    handed = read_form(form.encode(), "answers.yaml")
    assert sorted(handed.strays([FIRST])) == ["HS99", "ZZ1"]


def test_values_that_are_a_list_are_not_lost_without_a_word() -> None:
    assert first("values: [1, 2]").values == {"values": ["1", "2"]}


@pytest.mark.parametrize("body", ["\tHS01:\n", "  HS01: {a: [}\n", "  a: b: c\n", "  a: 'b\n"])
def test_what_is_wrong_is_said_in_both_languages(body: str) -> None:
    with pytest.raises(AnswersUnreadable) as caught:
        read_form(f"answers:\n{body}".encode(), "answers.yaml")
    english, chinese = (caught.value.lines(language)[0] for language in Language)
    assert english.isascii()
    assert not re.search("[a-z]{3,} [a-z]{3,}", chinese)


def test_of_a_damaged_form_the_other_answers_are_read() -> None:
    form = f"""exercise: {BINDING}
answers:
  HS01:
    values:
      syn: [3
  HS02:
    values:
      client: ESTABLISHED
"""
    handed = read_form(form.encode(), "answers.yaml")
    assert handed.binding == BINDING
    assert handed.of(SECOND).values == {"client": "ESTABLISHED"}
    assert handed.faults["HS01"].details["line"] in (5, 6)


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        (b"exercise: a\nanswers: !!python/object/apply:os.system ['true']\n", 2),
        (b"a: &a [x, x]\nb: &b [*a, *a]\n", 2),
        (b"answers: [1, 2]\n", 1),
        (b"just words\n", 1),
        (b"answers:\n  HS01: \xff\xfe\n", 2),
        (b"a: [1\nb: 2\n", 2),
        (b"x" * (1 << 21), 1),
        (b"[" * 100_000, 1),
    ],
)
def test_what_is_no_form_is_named_with_its_line(octets: bytes, line: int) -> None:
    with pytest.raises(AnswersUnreadable) as caught:
        read_form(octets, "answers.yaml")
    assert caught.value.details["line"] == line
