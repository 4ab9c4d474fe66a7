"""SACK blocks on the page: what they hold, which frames carried it, and what is missing."""

from __future__ import annotations

import pytest

from lab import page
from lab.evidence.build import alone, view
from lab.page.build import scene
from lab.page.scene import FrameRow, frames_of
from tests.handmade import ACK, CLIENT, SERVER, SYN
from tests.pages import read
from tests.sacked import ISN, sent
from tests.tour_run import Wire


def last(*blocks: tuple[int, int], number: int = 101) -> FrameRow:
    return frames_of(row for act in scene(sent(*blocks, number=number)).acts for row in act.rows)[
        -1
    ]


def said(row: FrameRow) -> list[str]:
    return [words.en for words in row.sack.words] if row.sack else []


def test_a_block_names_what_carried_it_and_the_hole_before_it() -> None:
    assert said(last((201, 401))) == ["SACK: has 201:401 (#6 #7), lacks 101:201 (#5)"]


def test_each_hole_is_named() -> None:
    row = last((401, 501), (201, 301))
    assert said(row) == ["SACK: has 201:301 (#6), 401:501 (#8), lacks 101:201 (#5), 301:401 (#7)"]


def test_blocks_that_touch_are_one() -> None:
    assert said(last((201, 301), (301, 401))) == ["SACK: has 201:401 (#6 #7), lacks 101:201 (#5)"]


def test_frames_are_known_by_the_keys_of_their_rows() -> None:
    sack = last((201, 401)).sack
    assert sack is not None
    assert (sack.held, sack.missing) == (("f6", "f7"), ("f5",))


def test_a_block_below_the_ack_came_twice() -> None:
    assert said(last((1, 101), number=501)) == ["D-SACK: 1:101 came twice"]


def test_a_block_inside_the_second_came_twice() -> None:
    assert said(last((201, 301), (201, 401))) == [
        "SACK: has 201:401 (#6 #7), lacks 101:201 (#5)",
        "D-SACK: 201:301 came twice",
    ]


@pytest.mark.parametrize("block", [(301, 201), (201, 201)])
def test_a_block_that_cannot_be_says_nothing(block: tuple[int, int]) -> None:
    assert said(last(block)) == []


def test_an_ack_without_blocks_has_none() -> None:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, ISN)
    wire.tcp(10, SERVER, SYN | ACK, 499, ISN + 1)
    drawn = scene(alone(view("", "plain", wire.pcapng())))
    assert all(row.sack is None for act in drawn.acts for row in frames_of(act.rows))


def test_the_row_carries_what_is_to_be_lit() -> None:
    row = read(page.report("sacked", sent((201, 401)), None)).one("li", id="f9")
    assert (row.attributes["data-held"], row.attributes["data-missing"]) == ("f6 f7", "f5")
