"""Two runs on one page: rows face each other, the first difference is marked, nothing is invented."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from lab.cli import main
from lab.evidence.build import evidence
from lab.evidence.run import Evidence
from lab.page.contrast import contrast
from lab.page.twofold import LEAST, ROW, common
from lab.report.difference.compare import difference
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.pages import Element, read
from tests.tour_run import Wire, files, greeting, manifest

MILLISECOND = 1_000_000


def run(wire: Wire) -> Evidence:
    told = replace(manifest(len(wire.frames)), scenario="")  # two plays of one leave more open
    return evidence(told, files(wire), {})


@cache
def greeted(segments: int) -> Evidence:
    wire = Wire()
    greeting(wire, 0, 41234, segments=segments)
    return run(wire)


def sent(payload: bytes, count: int = 1, other: int = -1) -> Evidence:
    """A handshake and segments from the client, the one at ``other`` an octet longer."""
    wire, at = Wire(), 100
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(10, SERVER, SYN | ACK, 499, 100)
    wire.tcp(20, CLIENT, ACK, 100, 500)
    for place in range(count):
        octets = payload + b"+" * (place == other)
        wire.tcp(100 + 50 * place, CLIENT, PSH | ACK, at, 500, octets)
        at += len(octets)
    return run(wire)


def drawn(left: Evidence, right: Evidence, names: tuple[str, str] = ("one", "other")) -> Element:
    return read(contrast(names, (left, right), difference(left, right)))


def rows(page: Element) -> list[Element]:
    return page.all("li", "both")


def cells(row: Element) -> list[Element]:
    return row.all("div", "half")


def style(element: Element) -> dict[str, str]:
    return dict(part.split(":") for part in element.attributes.get("style", "").split(";") if part)


# ---------------------------------------------------------------- places


def test_even_rows_are_equally_far_apart() -> None:
    placed = common([[0, 5, None], [0, None, 7]])
    tops = [placed.top(0, row)[0] for row in range(3)]
    assert tops == [tops[0], tops[0] + ROW, tops[0] + 2 * ROW]


def test_in_true_scale_each_clock_begins_at_its_own_first_step() -> None:
    placed = common([[5000, 6000], [70_000, 71_000]])
    assert placed.top(0, 1)[1] == placed.top(1, 1)[1]


def test_in_true_scale_a_longer_wait_stands_lower() -> None:
    placed = common([[0, 3 * MILLISECOND], [0, 103 * MILLISECOND]])
    assert placed.top(1, 1)[1] >= placed.top(0, 1)[1] + LEAST


def test_a_silence_that_both_keep_is_named() -> None:
    placed = common([[0, 1000, 2000, 10**10], [0, 1000, 2000, 10**10]])
    assert [one.span for one in placed.stretches if one.pace.value == "quiet"] == [10**10 - 2000]


# ---------------------------------------------------------------- the page


def test_the_first_difference_is_marked_once_and_linked() -> None:
    page = drawn(greeted(3), greeted(4))
    (marked,) = [row for row in rows(page) if "first" in row.classes]
    assert marked.attributes["id"] in {one.attributes["href"][1:] for one in page.all("a")}
    assert "only B has #9" in page.one("div", "answer").text


def test_a_step_that_one_run_lacks_faces_an_empty_place() -> None:
    (marked,) = [row for row in rows(drawn(greeted(3), greeted(4))) if "first" in row.classes]
    ours, theirs = cells(marked)
    assert "none" in ours.classes
    assert theirs.one("b", "no").text == "#9"


def test_every_step_of_both_runs_is_drawn() -> None:
    page = drawn(greeted(3), greeted(4))
    numbers = [
        [cell.one("b", "no").text for row in rows(page) if (cell := cells(row)[side]).all("a")]
        for side in (0, 1)
    ]
    assert numbers == [[f"#{n}" for n in range(1, count + 1)] for count in (10, 11)]


def test_steps_that_face_each_other_stand_at_one_height() -> None:
    tops = [
        float(style(row)["--y"].removesuffix("px")) for row in rows(drawn(greeted(3), greeted(4)))
    ]
    assert {b - a for a, b in pairwise(tops)} == {ROW}


def test_what_else_differs_is_told_by_what_it_is_about() -> None:
    told = drawn(greeted(3), greeted(4)).one("dl", "told")
    assert "How it ends" in told.all("dt")[0].text
    assert "three-segment close" in told.all("dd")[0].text


def test_states_stand_beside_each_run() -> None:
    halves = drawn(greeted(3), greeted(4)).one("div", "board").all("div", "half")
    names = [{state.one("b").text for state in half.all("span", "state")} for half in halves]
    assert "FIN-WAIT-2" not in names[0]
    assert "FIN-WAIT-2" in names[1]


def test_of_two_segments_that_differ_both_are_spelt_out() -> None:
    page = drawn(sent(b"abc"), sent(b"abcd"))
    (marked,) = [row for row in rows(page) if "first" in row.classes]
    assert [cell.one("code", "fields").text for cell in cells(marked)] == [
        "seq 1 +3 ack 1",
        "seq 1 +4 ack 1",
    ]


def test_runs_alike_have_no_ladder_and_no_first_difference() -> None:
    page = drawn(greeted(3), greeted(3))
    assert not rows(page)
    assert page.one("p", "pill").text.startswith("=")
    assert "10 steps" in page.one("section", "below", id="alike").text


def test_of_a_long_exchange_the_rows_near_a_difference_are_drawn() -> None:
    page = drawn(sent(b"x", 1000), sent(b"x", 1000, other=500))
    assert len(rows(page)) < 420
    assert any("first" in row.classes for row in rows(page))
    assert "alike" in page.all("small", "skipped")[0].text


# ---------------------------------------------------------------- strangers


@pytest.mark.parametrize("word", ["</script><img src=x>", "'\"><svg onload=a>", "{{ 7 * 7 }}"])
def test_what_a_run_says_stays_text(word: str) -> None:
    calm = drawn(sent(bytes(len(word))), greeted(4))
    hostile = drawn(sent(word.encode()), greeted(4), (word, word))
    assert [one.tag for one in hostile] == [one.tag for one in calm]
    assert word in hostile.all("p", "run")[0].text


# ---------------------------------------------------------------- the command


def test_the_page_is_written_and_the_exit_code_tells(tmp_path: Path) -> None:
    captures = [tmp_path / f"{segments}.pcapng" for segments in (3, 4)]
    for file, segments in zip(captures, (3, 4), strict=True):
        wire = Wire()
        greeting(wire, 0, 41234, segments=segments)
        file.write_bytes(wire.pcapng())
    page = tmp_path / "pair.html"
    asked = ["diff", *map(str, captures), "--html", "-o", str(page)]
    assert CliRunner().invoke(main, asked).exit_code == 1
    assert len(rows(read(page.read_text(encoding="utf-8")))) == 11


@pytest.mark.parametrize("options", [["-o", "x.html"], ["--html", "--json"], ["--html", "--pairs"]])
def test_options_that_do_not_go_together_are_refused(options: list[str]) -> None:
    assert CliRunner().invoke(main, ["diff", "a", "b", *options]).exit_code == 2
