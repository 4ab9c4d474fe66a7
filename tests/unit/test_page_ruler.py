"""The ruler of an ACK: which octets it covers, by which frames they came; why a segment came again."""

from __future__ import annotations

import pytest

from lab import page
from lab.evidence.build import alone, view
from lab.evidence.run import Evidence
from lab.page.build import scene
from lab.page.ruler import MOST, cells, widths
from lab.page.scene import Cell, FrameRow, frames_of
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.pages import read
from tests.sacked import ISN, acknowledge, sent
from tests.tour_run import Wire

Plain = tuple[str, int, int, tuple[str, ...]]


def plain(some: tuple[Cell, ...]) -> list[Plain]:
    return [(cell.kind, cell.begin, cell.end, cell.frames) for cell in some]


def rows(evidence: Evidence) -> list[FrameRow]:
    return frames_of(row for act in scene(evidence).acts for row in act.rows)


def lossy(*, duplicates: int = 0) -> Evidence:
    """Five segments of 100 octets, frames 4 to 8; duplicate ACKs; the first segment again; its ACK."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, ISN)
    wire.tcp(10, SERVER, SYN | ACK, 499, ISN + 1)
    wire.tcp(20, CLIENT, ACK, ISN + 1, 500)
    for place in range(5):
        wire.tcp(100 + place, CLIENT, PSH | ACK, ISN + 1 + 100 * place, 500, bytes(100))
    for place in range(duplicates):
        acknowledge(wire, 200 + place, 1, (101, 201 + 100 * place))
    wire.tcp(300 if duplicates else 300_000, CLIENT, PSH | ACK, ISN + 1, 500, bytes(100))
    acknowledge(wire, 400_000, 501)
    return alone(view("", "lossy", wire.pcapng()))


# ---------------------------------------------------------------- cells


def test_a_cell_a_segment_with_the_frames_that_carried_it() -> None:
    told = cells("covers", -20, 0, [(-20, -5, "f1"), (-5, 0, "f2")], 21)
    assert plain(told) == [("covers", 1, 16, ("f1",)), ("covers", 16, 21, ("f2",))]


def test_octets_that_came_twice_name_both_frames() -> None:
    told = cells("covers", -20, 0, [(-20, 0, "f1"), (-10, 0, "f3")], 21)
    assert [frames for *_, frames in plain(told)] == [("f1",), ("f1", "f3")]


def test_octets_that_nobody_saw_have_no_frame() -> None:
    assert plain(cells("missing", 0, 10, [], 5)) == [("missing", 5, 15, ())]


def test_numbers_wrap() -> None:
    assert plain(cells("held", 10, 20, [], 2**32 - 15)) == [("held", 2**32 - 5, 5, ())]


def test_of_many_segments_the_middle_is_one_cell() -> None:
    many = [(-n - 1, -n, f"f{n}") for n in range(50)]
    told = cells("covers", -50, 0, many, 51)
    assert len(told) == MOST + 1
    assert {key for cell in told for key in cell.frames} == {key for *_, key in many}


@pytest.mark.parametrize("sizes", [[17], [1, 1_000_000], [1] * 60])
def test_cells_fill_the_ruler_and_none_vanishes(sizes: list[int]) -> None:
    found = widths([Cell("covers", 0, size, ()) for size in sizes])
    assert sum(found) == pytest.approx(100)
    assert min(found) > 0.5
    assert (found[0] < found[-1]) == (sizes[0] < sizes[-1])


# ---------------------------------------------------------------- ACKs


def test_an_ack_covers_all_octets_since_the_ack_before() -> None:
    last = rows(lossy())[-1]
    assert plain(last.cells) == [
        ("covers", 1, 101, ("f4", "f9")),
        *[("covers", 1 + 100 * n, 101 + 100 * n, (f"f{4 + n}",)) for n in range(1, 5)],
    ]


def test_the_third_segment_covers_the_syn() -> None:
    assert plain(rows(lossy())[2].cells) == [("covers", 0, 1, ("f2",))]


def test_an_ack_with_sack_blocks_draws_the_hole_and_the_block() -> None:
    told = plain(rows(sent((201, 401)))[-1].cells)
    assert told == [
        ("covers", 1, 101, ("f4",)),
        ("missing", 101, 201, ("f5",)),
        ("held", 201, 301, ("f6",)),
        ("held", 301, 401, ("f7",)),
    ]


def test_an_ack_of_nothing_new_has_no_ruler() -> None:
    assert rows(lossy())[3].cells == ()


def test_the_ruler_stands_in_the_row_with_its_numbers() -> None:
    row = read(page.report("sacked", sent((201, 401)), None)).one("li", id="f9")
    kinds = [next(iter(one.classes - {"cell"})) for one in row.all("span", "cell")]
    assert kinds == ["covers", "missing", "held", "held"]
    edges = [one.one("span", "rel").text for one in row.one("span", "ruler").all("small")]
    assert edges == ["1", "101", "201", "301", "401"]
    absolute = [int(one.one("span", "abs").text) for one in row.one("span", "ruler").all("small")]
    assert absolute == [(ISN + int(edge)) % 2**32 for edge in edges]


# ---------------------------------------------------------------- segments sent again


def test_after_a_silence_the_timer_went_off() -> None:
    told = rows(lossy())[8].resent
    assert told is not None
    assert (told.first, told.trigger) == ("f4", "")
    assert told.words.en.endswith("its retransmission timer went off.")


def test_after_duplicate_acks_the_last_one_asked_for_it() -> None:
    told = rows(lossy(duplicates=3))[11].resent
    assert told is not None
    assert (told.first, told.trigger) == ("f4", "f11")
    assert told.words.en.endswith("the duplicate ACK #11 asked for it.")


def test_the_row_links_to_the_first_copy_and_to_what_made_it_come() -> None:
    row = read(page.report("lossy", lossy(duplicates=3), None)).one("li", id="f12")
    links = [one.attributes["href"] for one in row.one("span", "came").all("a")]
    assert links == ["#f4", "#f11"]
    assert row.attributes["data-copied"] == "f4 f11"
