"""An expected script is read, laid beside what was seen, and every difference is marked."""

from __future__ import annotations

import pytest

from lab.errors import ScenarioFaulty
from lab.scenarios.script import Segment, compare, is_kept, parse

MS = 1_000_000


def seen(number: int, way: str, flags: str, *, at: int = 0, **fields: object) -> Segment:
    values: dict[str, object] = {"sequence": 0, "length": 0, "acknowledgment": 0} | fields
    return Segment(number, at, way, frozenset(flags.split(",")), **values)  # type: ignore[arg-type]


OPEN = (
    seen(1, "C", "SYN"),
    seen(2, "S", "SYN,ACK", acknowledgment=1),
    seen(3, "C", "ACK", sequence=1, acknowledgment=1),
)
OPENING = """
    C>S SYN      seq 0
    S>C SYN,ACK  seq 0  ack 1
    C>S ACK             ack 1
"""


def marks(script: str, *segments: Segment) -> str:
    return "".join(row.mark for row in compare(parse(script), segments))


def test_what_is_as_promised_is_kept() -> None:
    assert is_kept(compare(parse(OPENING), OPEN))


def test_a_wrong_number_is_marked_on_both_sides() -> None:
    wrong = (OPEN[0], seen(2, "S", "SYN,ACK", acknowledgment=7), OPEN[2])
    assert sorted(marks(OPENING, *wrong)) == ["!", "!", "=", "="]


def test_a_segment_that_was_not_promised_is_marked() -> None:
    assert marks(OPENING, *OPEN, seen(4, "S", "RST")) == "===!"


def test_a_promised_segment_that_never_came_is_marked() -> None:
    assert marks(OPENING, *OPEN[:2]) == "==!"


def test_an_optional_segment_may_be_missing() -> None:
    assert (
        marks(OPENING.replace("ack 1\n    C", "ack 1 optional\n    C"), OPEN[0], OPEN[2]) == "==="
    )


def test_a_gap_stands_for_any_segments() -> None:
    assert is_kept(compare(parse("C>S SYN\n...\nC>S FIN,ACK"), (*OPEN, seen(9, "C", "FIN,ACK"))))


def test_a_gap_may_stand_for_none() -> None:
    assert is_kept(compare(parse("C>S SYN\n..."), OPEN[:1]))


def test_a_lost_segment_is_another_than_one_that_arrived() -> None:
    assert not is_kept(compare(parse("C>S SYN lost"), OPEN[:1]))


@pytest.mark.parametrize(("at", "mark"), [(940, "~"), (1000, "="), (1101, "~")])
def test_a_time_outside_its_tolerance_is_marked_as_such(at: int, mark: str) -> None:
    script = "C>S SYN\nC>S SYN after 0.95..1.1 s"
    assert marks(script, OPEN[0], seen(2, "C", "SYN", at=at * MS)) == f"={mark}"


def test_a_fault_is_named_with_its_line() -> None:
    with pytest.raises(ScenarioFaulty) as error:
        parse("C>S SYN\nC>S WHAT IS THIS", where="somewhere.py")
    assert (error.value.details["file"], error.value.details["line"]) == ("somewhere.py", 2)


def test_a_flag_in_brackets_may_be_set_or_not() -> None:
    script = "C>S [PSH],ACK  seq 1  +5"
    for flags in ("ACK", "PSH,ACK"):
        assert marks(script, seen(1, "C", flags, sequence=1, length=5)) == "="
    assert "!" in marks(script, seen(1, "C", "FIN,ACK", sequence=1, length=5))


def test_the_window_is_compared_as_sent() -> None:
    closed, open_ = seen(1, "S", "ACK", window=0), seen(1, "S", "ACK", window=502)
    assert marks("S>C ACK  win 0", closed) == marks("S>C ACK  win >0", open_) == "="
    assert "!" in marks("S>C ACK  win 0", open_)
    assert "!" in marks("S>C ACK  win >0", closed)


def test_the_first_sack_block_is_compared() -> None:
    holes = seen(1, "S", "ACK", sack=((11, 21), (1, 6)))
    assert marks("S>C ACK  sack 11:21", holes) == "="
    assert "!" in marks("S>C ACK  sack 1:6", holes)
    assert "!" in marks("S>C ACK  sack 11:21", seen(1, "S", "ACK"))
