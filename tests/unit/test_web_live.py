"""A run is noticed, drawn as it grows, and its report linked; whatever its folder holds meanwhile."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest

from lab.capture.folder import RunFolder
from lab.web.drawing import Artist, Drawn
from lab.web.live import MOST_OCTETS, SHARE, Follower, Seen, Snapshot, events
from lab.web.partial import is_live, so_far
from tests.web import SAMPLE

EVIDENCE = ("client.pcapng", "server.pcapng", "client.calls.jsonl", "server.calls.jsonl")
FIRST_FRAME = (236 + 88) / 4188  # of the capture: where the block of its first frame ends
BEGUN = 1_795_262_400_123_000_000


@contextmanager
def recording(captures: Path) -> Iterator[RunFolder]:
    """A run that is on, with both hosts and nothing recorded yet."""
    folder = RunFolder.create(captures, "tour", lambda: BEGUN)
    shutil.copyfile(SAMPLE / "run.json", folder.path / "run.json")
    try:
        yield folder
    finally:
        folder.close()


def grow(folder: Path, share: float) -> None:
    """So much of each file of evidence is there by now, cut wherever that is."""
    for name in EVIDENCE:
        octets = (SAMPLE / name).read_bytes()
        (folder / name).write_bytes(octets[: int(len(octets) * share)])


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    return Follower(tmp_path, effort=lambda: 0.0)


def test_nothing_runs_yet(follower: Follower) -> None:
    follower.look()
    assert follower.snapshot == Snapshot()


def test_a_run_is_noticed_before_its_first_frame(follower: Follower, tmp_path: Path) -> None:
    with recording(tmp_path):
        follower.look()
    assert follower.snapshot.scenario == "tour"
    assert follower.snapshot.frames == 0


def test_frames_are_drawn_as_they_come(follower: Follower, tmp_path: Path) -> None:
    counts = []
    with recording(tmp_path) as folder:
        for share in (0.3, 0.6, 1.0):
            grow(folder.path, share)
            follower.look()
            counts.append(follower.snapshot.frames)
    assert 0 < counts[0] < counts[1] < counts[2]
    assert any("SYN" in html for _, html in follower.snapshot.acts[0].rows)


@pytest.mark.parametrize("share", [n / 37 for n in range(38)])
def test_a_run_that_is_half_written_is_read_as_far_as_it_goes(share: float, tmp_path: Path) -> None:
    with recording(tmp_path) as folder:
        grow(folder.path, share)
        found = so_far(folder.path)
    assert (found is None) == (share < FIRST_FRAME)


def test_a_frame_still_on_its_way_does_not_count_as_lost(tmp_path: Path) -> None:
    with recording(tmp_path) as folder:
        grow(folder.path, 1.0)
        whole = (SAMPLE / "server.pcapng").read_bytes()
        (folder.path / "server.pcapng").write_bytes(whole[: len(whole) // 2])
        found = so_far(folder.path)
    assert found is not None
    assert found.match is not None


def test_a_damaged_partial_run_stops_nobody(follower: Follower, tmp_path: Path) -> None:
    with recording(tmp_path) as folder:
        (folder.path / "client.pcapng").write_bytes(b"no capture at all, however long it is")
        (folder.path / "client.calls.jsonl").write_bytes(b"nothing\n")
        (folder.control / "client.host").write_bytes(b"{")
        follower.look()
    assert follower.snapshot.frames == 0


def test_a_run_that_is_over_is_found_under_its_new_name(follower: Follower, tmp_path: Path) -> None:
    with recording(tmp_path) as folder:
        grow(folder.path, 1.0)
        follower.look()
        name = "20261121T120000Z-tour"
        folder.path.rename(tmp_path / name)
        (tmp_path / "20261121T120000Z.2-tour").mkdir()  # another of the same second
        follower.look()
    assert follower.snapshot.over
    assert follower.snapshot.published == name


def test_a_run_whose_recorder_died_is_over(follower: Follower, tmp_path: Path) -> None:
    with recording(tmp_path) as folder:
        follower.look()
    follower.look()
    assert not is_live(folder.path)
    assert (follower.snapshot.over, follower.snapshot.published) == (True, "")


def test_of_two_runs_the_one_that_is_followed_is_followed_to_its_end(
    follower: Follower, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(recording(tmp_path))
        follower.look()
        stack.enter_context(recording(tmp_path))
        follower.look()
        assert follower.snapshot.run == first.path.name


def test_a_long_run_is_counted_and_not_drawn(follower: Follower, tmp_path: Path) -> None:
    with recording(tmp_path) as folder:
        with (folder.path / "client.pcapng").open("wb") as file:
            file.truncate(MOST_OCTETS + 1)
        follower.look()
    assert follower.snapshot.cut
    assert follower.snapshot.acts == ()


def test_whoever_watches_is_sent_only_what_changed() -> None:
    seen, one = Seen(), Drawn("a", "<a>", ())
    first = Snapshot(run="r", acts=(one, Drawn("b", "<b>", (("f1", "<1>"),))), frames=2)
    assert [name for name, _ in seen.changes(first, None)] == ["begin", "acts", "state"]
    assert seen.changes(first, None) == []
    then = Snapshot(
        run="r", acts=(one, Drawn("b", "<b>", (("f1", "<1>"), ("f2", "<2>")))), frames=2
    )
    ((name, sent),) = seen.changes(then, None)
    assert (name, sent) == (
        "acts",
        {"put": [["b", "a", "", [("f1", ""), ("f2", "<2>")]]], "gone": []},
    )


def test_a_picture_that_grew_is_the_one_that_would_be_drawn_afresh(tmp_path: Path) -> None:
    artist = Artist()
    with recording(tmp_path) as folder:
        for share in (0.2, 0.3, 0.5, 0.8, 1.0):
            grow(folder.path, share)
            found = so_far(folder.path)
            assert found is not None
            assert artist.draw(found) == Artist().draw(found)


def test_drawing_takes_no_more_than_its_share_of_the_processor(tmp_path: Path) -> None:
    now, work = 100.0, count(0, 10)  # each picture takes ten seconds
    follower = Follower(tmp_path, clock=lambda: now, effort=lambda: next(work))
    with recording(tmp_path) as folder:
        frames = []
        for share, now in ((0.3, 100.0), (0.6, 110.0), (1.0, 100.0 + 10 * SHARE)):  # noqa: B007
            grow(folder.path, share)
            follower.look()
            frames.append(follower.snapshot.frames)
    assert 0 < frames[0] == frames[1] < frames[2]


def test_who_comes_late_is_sent_everything(follower: Follower, tmp_path: Path) -> None:
    with recording(tmp_path) as folder:
        grow(folder.path, 1.0)
        follower.look()
    names = [name for name, _ in Seen().changes(follower.snapshot, None)]
    assert names == ["begin", "acts", "state"]


def test_events_end_with_the_server(follower: Follower) -> None:
    async def all_of_them() -> list[bytes]:
        return [event async for event in events(follower, None, lambda: True)]

    assert asyncio.run(all_of_them()) == [b"retry: 500\n\n"]
    assert follower.watchers == 0


def test_looking_at_a_run_takes_its_lock_from_nobody(tmp_path: Path) -> None:
    with recording(tmp_path) as folder:
        assert is_live(folder.path)
    assert not is_live(folder.path)
    with (folder.control / "recorder").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
