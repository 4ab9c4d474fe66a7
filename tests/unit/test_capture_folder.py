"""The run folder: made, published, found again, mended."""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from lab.capture.disk import point
from lab.capture.folder import RunFolder, abandoned, find_run, newest, read_octets, runs
from lab.capture.mending import mend
from lab.errors import RecordingError, RunNotFound, UnreadableFile
from lab.evidence.manifest import Manifest, decode_manifest
from lab.packets.pcapng_writer import interface_description, packet_block, section_header

MOMENT = 1_795_268_700_123_456_789  # 2026-11-21T13:45:00.123Z


_made: list[RunFolder] = []


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


def create(captures: Path, scenario: str = "tour", moment: int = MOMENT) -> RunFolder:
    _made.append(RunFolder.create(captures, scenario, lambda: moment))
    return _made[-1]


def manifest(*, complete: bool = True, scenario: str = "tour") -> Manifest:
    return Manifest(scenario=scenario, engine="docker", started=MOMENT, complete=complete)


def publish(captures: Path, scenario: str = "tour", moment: int = MOMENT) -> Path:
    return create(captures, scenario, moment).finish(manifest(scenario=scenario))


def die(folder: RunFolder) -> Path:
    """What the kernel does when a recorder is killed: its lock goes."""
    folder.close()
    return folder.path


# ------------------------------------------------------------------ made and published


def test_a_run_being_recorded_has_a_hidden_name_that_current_points_to(tmp_path: Path) -> None:
    folder = create(tmp_path)
    assert folder.path.name == ".20261121T134500.123Z-tour.partial"
    assert os.readlink(tmp_path / "current") == folder.path.name
    assert folder.control.is_dir()


def test_the_folder_remembers_when_it_began_to_the_millisecond(tmp_path: Path) -> None:
    assert create(tmp_path).started == 1_795_268_700_123_000_000


def test_two_runs_of_the_same_millisecond_get_two_folders(tmp_path: Path) -> None:
    assert create(tmp_path).path != create(tmp_path).path


def test_a_finished_run_appears_under_its_final_name(tmp_path: Path) -> None:
    assert publish(tmp_path).name == "20261121T134500Z-tour"


def test_a_finished_run_holds_its_manifest_and_no_control_files(tmp_path: Path) -> None:
    published = publish(tmp_path)
    assert decode_manifest((published / "run.json").read_bytes()) == manifest()
    assert [path.name for path in published.iterdir()] == ["run.json"]


def test_finishing_moves_latest_and_removes_current(tmp_path: Path) -> None:
    published = publish(tmp_path)
    assert os.readlink(tmp_path / "latest") == published.name
    assert not (tmp_path / "current").is_symlink()


def test_finishing_leaves_current_alone_when_a_later_run_has_taken_it(tmp_path: Path) -> None:
    first, second = create(tmp_path), create(tmp_path, moment=MOMENT + 10**9)
    first.finish(manifest())
    assert os.readlink(tmp_path / "current") == second.path.name


def test_a_further_run_in_the_same_second_gets_a_number(tmp_path: Path) -> None:
    names = [publish(tmp_path, scenario).name for scenario in ("tour", "tour", "udp")]
    assert names[1:] == ["20261121T134500Z.2-tour", "20261121T134500Z.3-udp"]


def test_a_run_that_is_not_complete_says_so_in_its_name(tmp_path: Path) -> None:
    published = create(tmp_path).finish(manifest(complete=False))
    assert published.name == "20261121T134500Z-tour.incomplete"


def test_a_folder_that_cannot_be_made_is_a_recording_error(tmp_path: Path) -> None:
    (tmp_path / "captures").write_text("in the way")
    with pytest.raises(RecordingError, match="captures"):
        create(tmp_path / "captures")


# ---------------------------------------------------------------------------- found


def test_runs_are_listed_in_the_order_they_began(tmp_path: Path) -> None:
    later = publish(tmp_path, "aaa", MOMENT + 10**9)
    same_second = [publish(tmp_path, name) for name in ("tour", *"zyxwvutsrq")]
    assert runs(tmp_path) == [*same_second, later]


def test_the_newest_run_may_be_an_incomplete_one(tmp_path: Path) -> None:
    publish(tmp_path)
    last = create(tmp_path, moment=MOMENT + 10**9).finish(manifest(complete=False))
    assert newest(tmp_path) == last


def test_a_run_being_recorded_is_not_the_newest(tmp_path: Path) -> None:
    published = publish(tmp_path)
    create(tmp_path, moment=MOMENT + 10**9)
    assert newest(tmp_path) == published


def test_no_run_at_all_is_run_not_found(tmp_path: Path) -> None:
    with pytest.raises(RunNotFound):
        newest(tmp_path / "missing")


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    """Two tours, a refused connection, and a sample."""
    for scenario, later in (("tour", 0), ("tour", 1), ("refused", 2)):
        publish(tmp_path, scenario, MOMENT + later * 10**9)
    for sample in ("tour", "handshake"):
        furnish(tmp_path / "samples" / sample)
    return tmp_path


def furnish(folder: Path) -> None:
    """A folder that says that it is a run's."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").touch()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("20261121T134500Z-tour", "20261121T134500Z-tour", id="a whole name"),
        pytest.param("tour", "20261121T134501Z-tour", id="a scenario: its newest run"),
        pytest.param("handshake", "samples/handshake", id="a sample"),
        pytest.param("20261121T134502", "20261121T134502Z-refused", id="a prefix of one run"),
        pytest.param("hand", "samples/handshake", id="a prefix of one sample"),
        pytest.param("latest", "20261121T134502Z-refused", id="a link"),
        pytest.param("samples/tour", "samples/tour", id="a path below captures"),
    ],
)
def test_a_run_is_found_by(captures: Path, name: str, found: str) -> None:
    assert find_run(captures, name) == captures / found


def test_a_run_is_found_by_any_path(
    captures: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    furnish(elsewhere)
    assert find_run(captures, str(elsewhere)) == elsewhere


@pytest.mark.parametrize("name", ["nothing", "", "20261121T1345"])
def test_a_name_that_means_no_run_or_several_is_not_found(captures: Path, name: str) -> None:
    with pytest.raises(RunNotFound):
        find_run(captures, name)


@pytest.mark.parametrize("name", ["/dev/null", "/etc"])
def test_a_device_or_any_folder_is_no_run(captures: Path, name: str) -> None:
    with pytest.raises(RunNotFound):
        find_run(captures, name)


def test_what_is_not_found_is_answered_with_what_is_there(captures: Path) -> None:
    with pytest.raises(RunNotFound) as caught:
        find_run(captures, "nothing")
    assert caught.value.details["near"] == (
        "20261121T134502Z-refused, 20261121T134501Z-tour, 20261121T134500Z-tour, tour, handshake"
    )


def test_an_ambiguous_prefix_is_answered_with_its_matches(captures: Path) -> None:
    with pytest.raises(RunNotFound) as caught:
        find_run(captures, "20261121T13450")
    assert "handshake" not in str(caught.value.details["near"])


# ------------------------------------------------------------------- abandoned, mended


def test_a_run_whose_recorder_lives_is_not_abandoned(tmp_path: Path) -> None:
    folder = create(tmp_path)
    assert abandoned(tmp_path) == []
    folder.finish(manifest())


def test_a_run_whose_recorder_died_is_abandoned(tmp_path: Path) -> None:
    path = die(create(tmp_path))
    assert abandoned(tmp_path) == [path]


def test_a_folder_that_is_just_being_made_is_not_abandoned(tmp_path: Path) -> None:
    (tmp_path / ".20261121T134500.123Z-tour.partial" / "control").mkdir(parents=True)
    assert abandoned(tmp_path) == []


def test_mending_makes_an_incomplete_run_that_is_found(tmp_path: Path) -> None:
    mended = mend(die(create(tmp_path)))
    assert mended.name == "20261121T134500Z-tour.incomplete"
    assert newest(tmp_path) == mended
    assert abandoned(tmp_path) == []


def test_a_living_run_cannot_be_mended(tmp_path: Path) -> None:
    folder = create(tmp_path)
    with pytest.raises(BlockingIOError):
        mend(folder.path)
    assert folder.path.is_dir()


def test_the_mended_manifest_says_what_was_left_behind(tmp_path: Path) -> None:
    folder = create(tmp_path)
    (folder.control / "client.host").write_text(
        '{"name": "client", "addresses": ["172.18.0.3"], "mac": "", "mtu": 1500, "port": 7}'
    )
    (folder.control / "client.done").write_text('{"exit_codes": [0, 3]}')
    (folder.path / "client.pcapng").write_bytes(_capture(frames=2))
    read = decode_manifest((mend(die(folder)) / "run.json").read_bytes())
    assert (read.complete, read.reason) == (False, "its recorder was killed")
    assert [(host.name, host.exit_codes) for host in read.hosts] == [("client", (0, 3))]
    assert [(tap.file, tap.interface, tap.frames) for tap in read.taps] == [
        ("client.pcapng", "vethc", 2)
    ]


def test_mending_keeps_what_the_recorder_had_noted(tmp_path: Path) -> None:
    folder = create(tmp_path)
    folder.note(Manifest(scenario="tour", engine="docker", started=5, versions={"lab": "1"}))
    read = decode_manifest((mend(die(folder)) / "run.json").read_bytes())
    assert (read.engine, read.started, read.versions) == ("docker", 5, {"lab": "1"})


def test_mending_cuts_a_capture_back_to_its_last_whole_block(tmp_path: Path) -> None:
    folder, whole = create(tmp_path), _capture(frames=2)
    (folder.path / "client.pcapng").write_bytes(whole + _capture(frames=1)[:50])
    assert (mend(die(folder)) / "client.pcapng").read_bytes()[: len(whole)] == whole
    assert (newest(tmp_path) / "client.pcapng").stat().st_size % 4 == 0


def test_mending_survives_files_that_say_nothing(tmp_path: Path) -> None:
    folder = create(tmp_path)
    for name in ("client.pcapng", "run.json", "control/client.host"):
        (folder.path / name).write_bytes(b"{")
    assert decode_manifest((mend(die(folder)) / "run.json").read_bytes()).taps == ()


def _capture(frames: int) -> bytes:
    preamble = section_header() + interface_description("vethc")
    return preamble + b"".join(packet_block(MOMENT, bytes(60)) for _ in range(frames))


# ---------------------------------------------------------------------------- reading


def test_a_small_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"octets")
    assert read_octets(tmp_path / "small") == b"octets"


def test_a_large_file_is_mapped(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(2 << 20))
    with read_octets(tmp_path / "large") as octets:  # type: ignore[union-attr]
        assert isinstance(octets, mmap.mmap)
        assert len(octets) == 2 << 20


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_cannot_be_read_is_an_unreadable_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFile):
        read_octets(tmp_path / name)


def test_the_lock_is_held_as_long_as_the_recorder_lives(tmp_path: Path) -> None:
    folder = create(tmp_path)
    with (folder.control / "recorder").open("rb") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_many_may_move_the_same_link_at_once(tmp_path: Path) -> None:
    link = tmp_path / "latest"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: point(link, f"run-{number}"), range(400)))
    assert os.readlink(link).startswith("run-")
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]


def test_a_folder_that_is_published_while_it_is_looked_at_is_not_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder.create(tmp_path, "tour", lambda: MOMENT)
    lock = fcntl.flock

    def published_meanwhile(file: IO[bytes], operation: int) -> None:
        run.path.rename(tmp_path / "published")
        run.close()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", published_meanwhile)
    assert abandoned(tmp_path) == []
