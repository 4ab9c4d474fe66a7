"""The glossary: complete in both languages, short, tied to scenarios, found by any of its names."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from click.testing import CliRunner, Result

from lab import scenarios
from lab.cli import main
from lab.glossary import TERMS, find, nearest
from lab.glossary.confusions import CONFUSIONS
from lab.glossary.neighbours import NEIGHBOURS
from lab.glossary.spotting import first_uses
from lab.glossary.term import Term
from lab.text import Language, Text

NOT_PLAYED = {"nat", "http_keep_alive"}
DIFFERENCES = (*CONFUSIONS, *NEIGHBOURS)
MOST_WORDS = 25
every = pytest.mark.parametrize("term", TERMS, ids=lambda term: term.id)


def spotted(text: str) -> list[str]:
    return [spot.term.id for spot in first_uses(text)]


def asked(*words: str) -> Result:
    return CliRunner().invoke(main, ["glossary", *words, "--lang", "en"])


def test_it_holds_about_as_many_terms_as_the_field_needs() -> None:
    assert len(TERMS) >= 120


@pytest.mark.parametrize("what", ["id", "term", "sentence"])
def test_no_two_terms_share_an(what: str) -> None:
    counts = Counter(getattr(term, what) for term in TERMS)
    assert [one for one, times in counts.items() if times > 1] == []


def test_no_two_terms_claim_the_same_pattern() -> None:
    counts = Counter(pattern for term in TERMS for pattern in term.patterns)
    assert [pattern for pattern, times in counts.items() if times > 1] == []


@every
def test_its_scenario_can_be_played(term: Term) -> None:
    assert (term.scenario == "") == (term.id in NOT_PLAYED)
    assert not term.scenario or scenarios.find(term.scenario).id == term.scenario


@every
def test_a_term_is_spotted_by_its_own_name_in_both_languages(term: Term) -> None:
    assert term.id in spotted(term.term.en)
    assert term.id in spotted(term.term.zh)


@every
def test_patterns_are_lower_case(term: Term) -> None:
    assert term.patterns == tuple(pattern.lower() for pattern in term.patterns)


@pytest.mark.parametrize(
    "text",
    [*(term.sentence for term in TERMS), *(one.words for one in DIFFERENCES)],
    ids=lambda text: text.en[:24],
)
def test_sentences_are_short_and_in_both_languages(text: Text) -> None:
    sentences = re.split(r"(?<=[.;:]) ", text.en)
    assert max(len(one.split()) for one in sentences) <= MOST_WORDS
    assert text.en.endswith(".")
    assert text.zh.endswith("。")
    assert re.search(r"[\u4e00-\u9fff]", text.zh)


@every
def test_a_term_is_one_sentence(term: Term) -> None:
    assert len(term.sentence.en.split()) <= MOST_WORDS
    assert term.sentence.zh.count("。") == 1


def test_what_is_confused_exists() -> None:
    known = {term.id for term in TERMS}
    assert {identity for one in DIFFERENCES for identity in one.ids} <= known
    assert all(len(one.ids) > 1 for one in DIFFERENCES)


@every
def test_it_says_what_not_to_confuse_it_with(term: Term) -> None:
    assert term.confused_with


def test_no_difference_is_told_twice() -> None:
    told = [frozenset(one.ids) for one in DIFFERENCES]
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    "pair",
    [
        ("half_open", "half_close"),
        ("syn_queue", "accept_queue"),
        ("keepalive", "http_keep_alive"),
        ("mss", "mtu"),
        ("flow_control", "congestion_control"),
        ("duplicate_ack", "retransmission"),
        ("segment", "datagram"),
        ("packet", "frame"),
        ("program_timeout", "kernel_timeout"),
        ("kernel_timeout", "user_timeout"),
    ],
    ids=" and ".join,
)
def test_the_usual_confusions_are_told_from_both_sides(pair: tuple[str, str]) -> None:
    for one, other in (pair, pair[::-1]):
        term = find(one)
        assert term is not None
        assert any(other in confusion.ids for confusion in term.confused_with)


@every
def test_no_term_is_confused_with_itself(term: Term) -> None:
    assert all(term.id not in confusion.ids for confusion in term.confused_with)


@pytest.mark.parametrize(
    ("word", "identity"),
    [
        ("segment", "segment"),
        ("MSS", "mss"),
        ("half-closed", "half_close"),
        ("half closed", "half_close"),
        ("粘包", "sticking"),
        ("半关闭（half-close）", "half_close"),
        ("User Datagram Protocol", "udp"),
        ("internet assigned numbers authority", "iana"),
        ("网络地址转换", "nat"),
    ],
)
def test_a_term_is_found_by_any_of_its_names(word: str, identity: str) -> None:
    found = find(word)
    assert found is not None
    assert found.id == identity


def test_a_misspelt_word_has_the_right_one_near() -> None:
    assert "retransmission" in nearest("retransmision")


def test_the_seeds_statements_are_set_right() -> None:
    said = {name: find(name) for name in ("udp", "iana", "nat", "private address")}
    assert all(said.values())
    assert said["udp"] is not None
    assert said["udp"].sentence.en.startswith("The User Datagram Protocol")
    assert said["iana"] is not None
    assert "five regional registries" in said["iana"].sentence.en
    assert said["nat"] is not None
    assert "private addresses reach the Internet" in said["nat"].sentence.en


# ---------------------------------------------------------------- first uses


def test_the_longest_name_wins() -> None:
    assert spotted("HTTP keep-alive") == ["http_keep_alive"]
    assert spotted("全连接队列") == ["accept_queue"]


def test_a_name_within_another_word_is_no_use_of_it() -> None:
    assert spotted("SYN-ACKNOWLEDGED, portable, finish") == []


def test_a_plural_is_spotted_and_only_the_first_use() -> None:
    text = "Two segments, and one more segment."
    (spot,) = first_uses(text)
    assert text[spot.start : spot.end] == "segment"
    assert spot.start == 4


def test_a_use_is_found_where_it_stands_whatever_stands_before_it() -> None:
    (spot,) = first_uses("İ TCP")  # whose first letter is two in lower case
    assert (spot.start, spot.end) == (2, 5)


def test_chinese_needs_no_spaces_around_a_term() -> None:
    assert spotted("由TCP发出报文段") == ["tcp", "segment"]


def test_what_is_known_already_is_not_spotted() -> None:
    assert [spot.term.id for spot in first_uses("a segment and a port", {"segment"})] == ["port"]


# ---------------------------------------------------------------- the command


def test_the_command_tells_sentence_difference_and_scenario() -> None:
    said = asked("half-open").stdout
    assert "One end believes the connection exists" in said
    assert "half-close\n    Half-open is an accident" in said
    assert "lab run half_open_vanished" in said


def test_without_a_word_it_lists_them_all() -> None:
    assert len(asked().stdout.splitlines()) == len(TERMS)


def test_programs_get_both_languages() -> None:
    told = json.loads(asked("mss", "--json").stdout)
    assert told["term"] == {"en": "MSS", "zh": "MSS（最大报文段长度）"}
    assert {"mtu"} == {identity for one in told["confused_with"] for identity in one["ids"]}


def test_an_unknown_word_names_the_nearest() -> None:
    said = asked("retransmision")
    assert said.exit_code == 66
    assert "Near it: retransmission" in said.stderr


def test_every_term_can_be_drawn_in_every_language() -> None:
    from lab.report.terms import draw_term

    assert all(
        next(draw_term(term, language, 60)) == term.term.say(language)
        for term in TERMS
        for language in Language
    )
