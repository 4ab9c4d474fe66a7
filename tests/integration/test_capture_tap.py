"""A port recorded into a file: what other readers find in it, and what is left when the disk fails."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture_network import eventually, frame, ip, number, own_network, send, small_disk, veth

from lab.capture.tap import Tap
from lab.errors import DiskFull, RecordingError
from lab.packets.frames import Capture, Direction
from lab.packets.reader import read_capture

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield


@pytest.fixture
def port() -> int:
    """The client's port on the switch: ``port``; its cable's other end is ``cable``."""
    return veth("cable", "port")


@pytest.fixture
def tap(port: int, tmp_path: Path) -> Iterator[Tap]:
    opened = Tap("client", port, tmp_path / "client.pcapng")
    yield opened
    opened.close()


def read(tap: Tap) -> Capture:
    return read_capture(tap.path.read_bytes())


def numbers(capture: Capture) -> list[int]:
    octets = capture.frames.octets.tobytes()
    return [number(octets[start : start + 60]) for start in capture.frames.start.tolist()]


def tshark(path: Path, *fields: str) -> list[list[str]]:
    command = ["tshark", "-r", str(path), "-T", "fields"]
    said = subprocess.run(
        command + [word for field in fields for word in ("-e", field)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\t") for line in said.stdout.splitlines()]


def test_every_frame_of_a_burst_is_in_the_file_once_and_in_order(tap: Tap) -> None:
    for first in range(0, 60_000, 2_000):  # more than the ring holds at once
        send("cable", *(frame(i, 600) for i in range(first, first + 2_000)))
        while tap.drain():
            pass
    record = tap.finish()
    assert (record.frames, record.seen, record.dropped) == (60_000, 60_000, 0)
    assert numbers(read(tap)) == list(range(60_000))


def test_what_the_port_sends_is_inbound_for_the_host(tap: Tap) -> None:
    send("port", frame(1))
    send("cable", frame(2))
    tap.finish()
    capture = read(tap)
    assert dict(zip(numbers(capture), capture.frames.direction.tolist(), strict=True)) == {
        1: Direction.INBOUND,
        2: Direction.OUTBOUND,
    }


def test_times_are_kept_to_the_nanosecond(tap: Tap) -> None:
    before = time.time_ns()
    send("cable", *map(frame, range(50)))
    after = time.time_ns()
    tap.finish()
    times = read(tap).frames.time.tolist()
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= after
    assert any(moment % 1000 for moment in times)


def test_the_interface_says_whose_port_it_is_and_how_it_went(tap: Tap) -> None:
    send("cable", frame())
    tap.finish()
    (interface,) = read(tap).interfaces
    assert interface.name == "port"
    assert interface.description == "client's port on the switch; inbound = towards the client"
    assert (interface.received, interface.dropped) == (1, 0)


def test_the_record_names_host_file_and_port(tap: Tap) -> None:
    record = tap.finish()
    assert (record.host, record.file, record.interface) == ("client", "client.pcapng", "port")


def test_the_file_opens_before_the_first_frame(tap: Tap) -> None:
    assert read(tap).interfaces[0].name == "port"


def test_the_file_opens_whole_while_it_grows(tap: Tap) -> None:
    send("cable", frame(1), frame(2))
    assert eventually(lambda: tap.drain() > 0)
    assert read(tap).problems == ()
    assert numbers(read(tap)) == [1, 2]


def test_finishing_leaves_out_what_comes_later(tap: Tap) -> None:
    send("cable", frame(1))
    tap.finish()
    send("cable", frame(2))
    assert numbers(read(tap)) == [1]


def test_frames_of_a_port_that_vanished_are_kept(tap: Tap) -> None:
    send("cable", frame(1))
    ip("link del port")
    assert tap.gone
    assert tap.finish().frames == 1


def test_an_existing_file_is_never_overwritten(port: int, tmp_path: Path) -> None:
    (tmp_path / "client.pcapng").write_text("older")
    with pytest.raises(RecordingError):
        Tap("client", port, tmp_path / "client.pcapng")
    assert (tmp_path / "client.pcapng").read_text() == "older"


@pytest.mark.tshark
def test_tshark_counts_the_same_frames(tap: Tap) -> None:
    send("cable", *map(frame, range(1000)))
    tap.finish()
    assert len(tshark(tap.path, "frame.number")) == 1000


@pytest.mark.tshark
def test_tshark_shows_port_direction_and_nanoseconds(tap: Tap) -> None:
    send("cable", frame())
    tap.finish()
    fields = ("frame.interface_name", "frame.packet_flags_direction", "frame.time_epoch")
    ((name, direction, moment),) = tshark(tap.path, *fields)
    assert (name, int(direction, 0)) == ("port", Direction.OUTBOUND)
    assert int(moment.replace(".", "")) == read(tap).frames.time[0]


def fill(tap: Tap) -> None:
    """Record until the disk is full."""
    with pytest.raises(DiskFull, match=tap.path.name):
        record(tap, frames=1000)


def record(tap: Tap, frames: int) -> None:
    for first in range(0, frames, 100):
        send("cable", *(frame(i, 1000) for i in range(first, first + 100)))
        assert eventually(lambda: tap.drain() > 0)


def test_a_full_disk_keeps_all_that_was_written_whole(port: int) -> None:
    with small_disk(256 * 1024) as disk:
        tap = Tap("client", port, disk / "client.pcapng")
        fill(tap)
        record = tap.finish()
        capture = read(tap)
        assert capture.problems == ()
        assert numbers(capture) == list(range(record.frames))
        assert record.frames * 1000 > 128 * 1024


@pytest.mark.tshark
def test_tshark_opens_what_a_full_disk_left(port: int) -> None:
    with small_disk(256 * 1024) as disk:
        tap = Tap("client", port, disk / "client.pcapng")
        fill(tap)
        assert len(tshark(tap.path, "frame.number")) == tap.finish().frames


def test_a_disk_that_is_full_from_the_start_leaves_no_file(port: int) -> None:
    with small_disk(64 * 1024) as disk:
        (disk / "filler").write_bytes(bytes(64 * 1024))
        with pytest.raises(DiskFull):
            Tap("client", port, disk / "client.pcapng")
        assert [path.name for path in disk.iterdir()] == ["filler"]
