"""What each statement of an answer rests on: the run, a standard, this kernel."""

from __future__ import annotations

import re

import pytest

from lab import questions
from lab.questions.base import Cite, Claim, Proof, Source
from lab.report.answers import Answered, answer_record, draw_answer, draw_claim
from lab.report.grounds import Ground, of_claim, of_sources
from lab.text import Language, Text

QUESTION = questions.find("TD02")
KERNEL = "6.18.44"


def claim(*sources: Source, words: str = "it is so") -> Claim:
    cites = tuple(Cite("tour", one, "client", (3,), "the piece") for one in sources)
    return Claim(True, Text(words, "是这样"), cites)


@pytest.mark.parametrize(
    ("sources", "grounds"),
    [
        ((Source.FRAME,), (Ground.RUN,)),
        ((Source.CALL, Source.CAPTURE), (Ground.RUN,)),
        ((Source.SYSCTL,), (Ground.KERNEL,)),
        ((Source.COUNTER,), (Ground.KERNEL,)),
        ((Source.FRAME, Source.SOCKET), (Ground.RUN, Ground.KERNEL)),
        ((), (Ground.RUN,)),
    ],
)
def test_a_claim_rests_on_what_it_cites(
    sources: tuple[Source, ...], grounds: tuple[Ground, ...]
) -> None:
    assert of_claim(claim(*sources)) == grounds


@pytest.mark.parametrize(
    ("source", "ground"),
    [
        ("RFC 9293 section 3.6", Ground.STANDARD),
        ("draft-ietf-ccwg-bbr", Ground.STANDARD),
        ("Linux ip-sysctl: somaxconn", Ground.KERNEL),
        ("ip-sysctl tcp_rto_min_us", Ground.KERNEL),
        ("listen(2) NOTES", Ground.KERNEL),
        ("socket(7) SO_LINGER", Ground.KERNEL),
        ("ss(8)", Ground.OTHER),
        ("Python: codecs", Ground.OTHER),
        ("Stevens, UNP volume 1, section 6.6", Ground.OTHER),
    ],
)
def test_a_source_is_a_standard_the_kernels_own_or_another(source: str, ground: Ground) -> None:
    assert dict(of_sources((source,))) == {ground: (source,)}


@pytest.mark.parametrize("question", questions.every(), ids=lambda one: one.id)
def test_no_source_is_left_out(question: questions.Question) -> None:
    told = [one for _, sources in of_sources(question.sources) for one in sources]
    assert sorted(told) == sorted(question.sources)


def drawn(one: Claim, columns: int = 80, language: Language = Language.EN) -> list[str]:
    return list(draw_claim(one, KERNEL, language, columns))


def test_under_your_run_a_claim_that_only_rests_on_it_needs_no_mark() -> None:
    assert drawn(claim(Source.FRAME))[0] == "  ✓ it is so"


def test_a_kernels_testimony_is_marked_with_its_release_in_both_languages() -> None:
    one = claim(Source.SOCKET)
    assert drawn(one)[0] == f"  ✓ it is so  [this kernel ({KERNEL})]"
    assert drawn(one, language=Language.ZH)[0] == f"  ✓ 是这样  [本机内核（{KERNEL}）]"


def test_a_mark_that_does_not_fit_stands_below() -> None:
    assert drawn(claim(Source.SOCKET, words="x" * 30), columns=36)[:2] == [
        f"  ✓ {'x' * 30}",
        f"    [this kernel ({KERNEL})]",
    ]


def answered() -> Answered:
    return Answered(QUESTION, Proof((claim(Source.FRAME, Source.SYSCTL),)), {"tour": "t"}, KERNEL)


def test_an_answer_names_its_standard_below_it() -> None:
    lines = list(draw_answer(answered(), Language.EN, 80))
    (standard,) = (line for line in lines if line.startswith("standard: "))
    assert re.search(r"RFC 9293 section [\d.]+", standard)


def test_programs_get_the_marks_too() -> None:
    told = answer_record(answered())
    (one,) = told["claims"]  # type: ignore[misc, attr-defined]
    assert [ground["mark"]["en"] for ground in one["grounds"]] == [
        "your run",
        f"this kernel ({KERNEL})",
    ]
    assert told["kernel"] == KERNEL
    assert [ground["ground"] for ground in told["grounds"]][:1] == ["standard"]  # type: ignore[attr-defined]
