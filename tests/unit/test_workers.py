"""Threads that share a task give what one would give."""

from __future__ import annotations

import numpy as np
import pytest

from lab.packets import decode
from lab.packets.frames import Frames
from lab.packets.reader import read_capture
from lab.workers import side_by_side
from tests.handmade import ethernet, ipv4, pcap, tcp

FRAMES = [ethernet(ipv4(tcp(bytes(n % 7), sequence=n), 6)) for n in range(40)]


def test_results_come_in_the_order_of_the_parts() -> None:
    assert list(side_by_side(str, range(100))) == [str(n) for n in range(100)]


def test_nothing_to_do_gives_nothing() -> None:
    assert list(side_by_side(str, [])) == []


def test_an_error_is_raised_and_the_rest_is_not_begun() -> None:
    begun: list[int] = []

    def fail(part: int) -> None:
        begun.append(part)
        raise ValueError("it failed")

    with pytest.raises(ValueError, match="it failed"):
        side_by_side(fail, range(10_000))
    assert len(begun) < 10_000


def test_a_capture_read_side_by_side_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "BLOCK", 4)
    octets = pcap(FRAMES)
    one, many = read_capture(octets).frames, read_capture(octets, each=side_by_side).frames
    for name in Frames.__struct_fields__:
        assert np.array_equal(getattr(one, name), getattr(many, name)), name
