"""Pages of a mapped file are fetched and given back; what is read of them stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from mmap import ACCESS_COPY, ACCESS_READ, PAGESIZE, mmap
from pathlib import Path

import numpy as np
import pytest

from lab.packets import pages
from lab.packets.pages import ROOM, Trail, fetch, release, staying

SIZE = 1 << 25


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "file"
    path.write_bytes(np.arange(SIZE // 4, dtype=np.uint32).tobytes())
    return path


@pytest.fixture
def mapped(file: Path) -> Iterator[mmap]:
    with file.open("rb") as opened:
        yield mmap(opened.fileno(), 0, access=ACCESS_READ)


def held() -> int:
    """Octets of files that this process has mapped and present."""
    return int(Path("/proc/self/statm").read_text().split()[2]) * PAGESIZE


def test_fetched_pages_are_held(mapped: mmap) -> None:
    before = held()
    fetch(memoryview(mapped))
    assert held() - before > SIZE // 2


def test_pages_given_back_are_not_held(mapped: mmap) -> None:
    fetch(memoryview(mapped))
    before = held()
    release(np.frombuffer(mapped, np.uint8))
    assert before - held() > SIZE // 2


def test_only_pages_between_the_offsets_are_given_back(mapped: mmap) -> None:
    fetch(memoryview(mapped))
    before = held()
    release(memoryview(mapped), 1, SIZE // 4)
    assert before - held() < SIZE // 2


def test_pages_given_back_are_read_again(mapped: mmap) -> None:
    release(memoryview(mapped))
    numbers = np.frombuffer(mapped, np.uint32)
    assert np.array_equal(numbers, np.arange(SIZE // 4))


def test_what_was_changed_in_a_private_map_is_not_lost(file: Path) -> None:
    with file.open("rb") as opened:
        private = mmap(opened.fileno(), 0, access=ACCESS_COPY)
    private[:4] = b"mine"
    release(memoryview(private))
    assert private[:4] == b"mine"


def test_octets_in_memory_are_left_alone() -> None:
    octets = bytearray(b"some octets")
    release(memoryview(octets))
    assert octets == b"some octets"


@pytest.mark.parametrize(
    ("size", "frames", "stays"),
    [(1000, 1, 1000), (1000, 4, 500), (1000, 10, 0), (ROOM, 1, ROOM), (ROOM + 1, 1, ROOM)],
)
def test_of_a_file_stays_mapped_what_its_frames_leave_room_for(
    size: int, frames: int, stays: int
) -> None:
    octets = np.broadcast_to(np.uint8(0), (size,))
    assert staying(octets, frames) == stays


def test_what_was_read_of_a_large_file_is_given_back_on_the_way(
    mapped: mmap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "ROOM", 0)
    monkeypatch.setattr(Trail, "STRETCH", SIZE // 4)
    np.frombuffer(mapped, np.uint8)[::PAGESIZE].max()
    before, trail = held(), Trail(memoryview(mapped))
    trail.reached(SIZE // 8)
    assert abs(held() - before) < SIZE // 8
    trail.reached(3 * SIZE // 4)
    assert before - held() > SIZE // 2


def test_nothing_is_given_back_of_a_file_that_may_stay(mapped: mmap) -> None:
    fetch(memoryview(mapped))
    before = held()
    Trail(memoryview(mapped)).reached(SIZE)
    assert abs(held() - before) < SIZE // 8
