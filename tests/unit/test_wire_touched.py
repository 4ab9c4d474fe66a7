"""The wire's log, and the frames that it names in the captures."""

from __future__ import annotations

import msgspec
import pytest

from lab.evidence.touched import WireLog, decode_touched, touched_numbers
from lab.text import Text
from lab.wire.rules import Rule, corrupt, data, delay, drop, duplicate, frames
from lab.wire.touched import Summary, Touched, Work
from tests.builders import EPOCH, MILLISECOND, capture
from tests.wire_frames import Bench, segment, stream

SUMMARY = Summary(
    time=9,
    carried=3,
    delivered=2,
    under_way=0,
    missed=0,
    unfinished=0,
    rules=(Work(Text("a", "甲"), 1), Work(Text("b", "乙"), 0)),
)


def put(*rules: Rule, count: int = 4) -> Bench:
    return Bench(*rules).put("server", *stream("server", count), at=EPOCH)


def lines(*entries: Touched | Summary) -> bytes:
    return msgspec.json.Encoder().encode_lines(entries)


def test_a_log_is_read_back_as_it_was_written() -> None:
    touched = put(drop(data(), nth=2)).touched
    assert decode_touched(lines(*touched, SUMMARY)) == WireLog(tuple(touched), SUMMARY)


def test_a_line_that_was_cut_off_is_left_out_and_no_summary_says_that_it_was_killed() -> None:
    touched = put(delay(data(), ms=1)).touched
    assert decode_touched(lines(*touched)[:-9]) == WireLog(tuple(touched[:-1]), None)


def test_a_line_that_is_none_is_not_overlooked() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_touched(b"nonsense\n" + lines(SUMMARY))


def test_a_log_is_in_order_of_time() -> None:
    touched = put(delay(data(), ms=1)).touched
    assert decode_touched(lines(*touched[::-1])).touched == tuple(touched)


def test_a_rule_that_touched_nothing_stands_in_the_summary() -> None:
    assert [work.words.en for work in SUMMARY.idle] == ["b"]


def numbers(bench: Bench, host: str, sent: list[bytes]) -> tuple[int | None, ...]:
    """Where the touched frames are in what a host's port saw."""
    seen = [(EPOCH + k * MILLISECOND, frame) for k, frame in enumerate(sent)]
    if host == "client":
        seen = [(at, octets) for at, _, octets in sorted(bench.out)]
    return touched_numbers(capture(seen), host, bench.touched)


def test_a_lost_frame_is_found_where_it_was_sent_and_only_there() -> None:
    bench = put(drop(data(), nth=3))
    assert numbers(bench, "server", stream("server", 4)) == (3,)
    assert numbers(bench, "client", []) == (None,)


def test_a_corrupted_frame_is_found_at_both_ends() -> None:
    bench = put(corrupt(data(), nth=3))
    assert numbers(bench, "server", stream("server", 4)) == (3,)
    assert numbers(bench, "client", []) == (3,)


def test_of_a_duplicated_frame_the_copy_is_found() -> None:
    bench = put(duplicate(data(), nth=1, after_ms=10))
    assert numbers(bench, "client", []) == (5,)


def test_a_delayed_frame_is_found_where_it_went() -> None:
    bench = put(delay(data(), nth=1, ms=10))
    assert numbers(bench, "client", []) == (4,)


def test_of_equal_frames_the_one_at_that_time_is_meant() -> None:
    frame = segment("server", "SA")
    bench = Bench(drop(frames(), nth=2)).put("server", frame, frame, frame, at=EPOCH)
    assert numbers(bench, "server", [frame, frame, frame]) == (2,)


def test_nothing_touched_is_nothing_found() -> None:
    assert touched_numbers(capture([]), "client", ()) == ()
