"""The sniffer program from end to end: real hosts on a real bridge, and everything that can fail."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from capture_host import announce
from capture_network import eventually, ip, own_network, small_disk, veth

from lab.capture.base import Recording
from lab.capture.folder import abandoned, newest, runs
from lab.capture.mending import mend
from lab.errors import CaptureForbidden, DiskFull, Interrupted, PortMissing, RunIncomplete
from lab.evidence.manifest import Manifest, decode_manifest
from lab.packets.frames import Capture, Direction, Flags
from lab.packets.reader import read_capture

pytestmark = pytest.mark.root

HERE = Path(__file__).parent
HOSTS = ("client", "server")

Start = Callable[..., "subprocess.Popen[str]"]


@contextmanager
def switch() -> Iterator[None]:
    """A network with the bridge that hosts are plugged into."""
    with own_network():
        ip("link add name switch type bridge")
        ip("link set switch up")
        yield


@contextmanager
def programs() -> Iterator[Start]:
    """Start programs of the lab; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*command: str, powers: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        program = subprocess.Popen(
            [*powers, sys.executable, *command], stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        running.append(program)
        return program

    yield begin
    for program in running:
        program.kill()
        program.communicate()


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    with switch():
        yield


@pytest.fixture
def start() -> Iterator[Start]:
    with programs() as begin:
        yield begin


@pytest.fixture
def sniffer(start: Start) -> Start:
    """Start the sniffer, given the captures folder, and wait until it is ready."""
    return partial(start_sniffer, start)


def start_sniffer(start: Start, captures: Path, deadline: float = 30) -> subprocess.Popen[str]:
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        program = start(*words(captures, "--ready", str(ready), "--deadline", str(deadline)))
        assert eventually(lambda: ready.exists() or program.poll() is not None)
        return program


def words(captures: Path, *more: str) -> list[str]:
    """The command line of a sniffer for a tour of client and server."""
    known = ["--captures", str(captures), "--scenario", "tour", "--engine", "docker"]
    return [
        "-m",
        "lab.capture.sniffer",
        *known,
        *(word for host in HOSTS for word in ("--host", host)),
        *more,
    ]


def plug(start: Start, captures: Path, name: str, conduct: str = "well") -> subprocess.Popen[str]:
    """Start a host and put its cable into the switch."""
    host = start(str(HERE / "capture_host.py"), name, str(captures), conduct)
    hear(host, "apart")
    port = veth(f"{name}-end", f"{name}-port")
    ip(f"link set {name}-port master switch")
    ip(f"link set {name}-end netns {host.pid} name eth0")
    assert host.stdin is not None
    host.stdin.write(f"{port}\n")
    host.stdin.flush()
    return host


def hear(program: subprocess.Popen[str], word: str) -> None:
    assert program.stdout is not None
    assert select.select([program.stdout], [], [], 20)[0], f"waited for {word}"
    assert program.stdout.readline() == f"{word}\n"


def outcome(captures: Path) -> Manifest:
    return decode_manifest((newest(captures) / "run.json").read_bytes())


def capture(captures: Path, host: str) -> Capture:
    return read_capture((newest(captures) / f"{host}.pcapng").read_bytes())


# ------------------------------------------------------------------------ a whole run


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two hosts that went well; its captures folder."""
    captures = tmp_path_factory.mktemp("tour") / "captures"
    with switch(), programs() as begin:
        program = start_sniffer(begin, captures)
        hosts = [plug(begin, captures, name) for name in HOSTS]
        assert program.wait(30) == 0, program.communicate()[1]
        assert [host.wait(30) for host in hosts] == [0, 0]
    return captures


def test_a_run_of_two_hosts_is_complete(tour: Path) -> None:
    manifest = outcome(tour)
    assert (manifest.complete, manifest.reason) == (True, "")
    assert (manifest.scenario, manifest.engine) == ("tour", "docker")
    assert [(host.name, host.exit_codes) for host in manifest.hosts] == [
        ("client", (0,)),
        ("server", (0,)),
    ]
    assert 0 < manifest.started < manifest.ended
    assert {"kernel", "python", "scapy", "lab"} == set(manifest.versions)


def test_no_frame_is_missing_from_a_run(tour: Path) -> None:
    for tap in outcome(tour).taps:
        assert tap.dropped == 0
        assert tap.frames == tap.seen == len(capture(tour, tap.host).frames) > 10


def test_both_captures_reach_from_the_first_syn_to_the_last_ack(tour: Path) -> None:
    for host in HOSTS:
        frames = capture(tour, host).frames
        flags = [Flags(value) for value in frames.flags[frames.flags > 0].tolist()]
        assert flags[:3] == [Flags.SYN, Flags.SYN | Flags.ACK, Flags.ACK]
        assert sum(Flags.FIN in value for value in flags) == 2
        assert flags[-1] == Flags.ACK


def test_each_capture_is_its_hosts_own_view(tour: Path) -> None:
    for host, direction in (("client", Direction.OUTBOUND), ("server", Direction.INBOUND)):
        frames = capture(tour, host).frames
        assert frames.direction[frames.flags == Flags.SYN].tolist() == [direction]


def test_afterwards_only_the_run_and_latest_are_left(tour: Path) -> None:
    (run,) = runs(tour)
    assert {path.name for path in tour.iterdir()} == {run.name, "latest"}
    assert {path.name for path in run.iterdir()} == {"run.json", "client.pcapng", "server.pcapng"}


@pytest.mark.tshark
def test_tshark_finds_the_connection_whole_in_both_captures(tour: Path) -> None:
    for host in HOSTS:
        path = newest(tour) / f"{host}.pcapng"
        command = ["tshark", "-r", str(path), "-Y", "tcp", "-T", "fields", "-e", "tcp.completeness"]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        assert said.stdout.split()[-1] == "31"  # SYN, SYN-ACK, ACK, data, FIN


class Diary:
    """A listener that writes down what it hears, and reads the file as a narrator would."""

    def __init__(self) -> None:
        self.started_in = Path()
        self.ports: list[tuple[str, str]] = []
        self.counts: list[tuple[int, int]] = []  # frames it was told of, frames it found

    def started(self, folder: Path) -> None:
        self.started_in = folder

    def recording(self, host: str, port: str, capture: Path) -> None:
        self.ports.append((host, port))

    def frames(self, host: str, capture: Path, count: int) -> None:
        found = read_capture(capture.read_bytes())
        assert found.problems == ()
        self.counts.append((count, len(found.frames)))


# In a process of its own: recording gives up what a test still needs of root.
LISTENED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from lab.capture.base import Task
from lab.capture.sniffer import record
from test_capture_sniffer import HOSTS, Diary

diary = Diary()
captures = Path(sys.argv[2])
task = Task(captures=captures, scenario="tour", engine="docker", hosts=HOSTS)
recording = record(task, diary)
assert diary.started_in.parent == captures
assert sorted(diary.ports) == [("client", "client-port"), ("server", "server-port")]
assert diary.counts and all(told == found for told, found in diary.counts)
assert recording.exit_code == 0
last = {tap.frames for tap in recording.manifest.taps}
assert last <= {count for count, _ in diary.counts}
"""


def test_a_listener_follows_the_growing_capture(start: Start, tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    program = start("-c", LISTENED, str(HERE), str(captures))
    assert eventually((captures / "current" / "control").is_dir)
    for name in HOSTS:
        plug(start, captures, name)
    assert program.wait(30) == 0, program.communicate()[1]


# ------------------------------------------------------------------ runs that go wrong


def test_a_host_that_dies_makes_the_run_incomplete(
    sniffer: Start, start: Start, tmp_path: Path
) -> None:
    captures = tmp_path / "captures"
    program = sniffer(captures)
    plug(start, captures, "server", "silent")
    plug(start, captures, "client", "dead")
    assert program.wait(30) == RunIncomplete.exit_code
    assert "port of host client vanished" in outcome(captures).reason
    assert [host.exit_codes for host in outcome(captures).hosts] == [None, None]
    assert capture(captures, "client").problems == ()


def test_the_error_names_the_folder_as_it_is_called_in_the_end(
    sniffer: Start, tmp_path: Path
) -> None:
    program = sniffer(tmp_path / "captures", deadline=0.05)
    said = program.communicate(timeout=30)[1]
    assert str(newest(tmp_path / "captures")) in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_and_keeps_what_was_recorded(
    sniffer: Start,
    start: Start,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    captures = tmp_path / "captures"
    program = sniffer(captures)
    hosts = [plug(start, captures, name, "silent") for name in HOSTS]
    for host in hosts:
        hear(host, "recorded")
    program.send_signal(number)
    assert program.wait(30) == Interrupted.exit_code
    assert outcome(captures).reason == "interrupted"
    assert [tap.host for tap in outcome(captures).taps] == ["client", "server"]
    assert [host.wait(30) for host in hosts] == [0, 0]  # they heard that it is over


def test_hosts_that_never_come_end_the_run_after_the_deadline(
    sniffer: Start, tmp_path: Path
) -> None:
    captures = tmp_path / "captures"
    assert sniffer(captures, deadline=0.2).wait(30) == RunIncomplete.exit_code
    assert outcome(captures).reason.startswith("No word from client, server for 0.2 seconds")


def test_a_port_that_is_not_on_this_switch_is_missing(sniffer: Start, tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    program = sniffer(captures)
    announce(captures / "current" / "control", "client", 4711)
    assert program.wait(30) == PortMissing.exit_code
    assert "4711" in outcome(captures).reason


def test_a_full_disk_ends_the_run_which_still_opens(sniffer: Start, start: Start) -> None:
    with small_disk(400 * 1024) as captures:
        program = sniffer(captures)
        for name in HOSTS:
            plug(start, captures, name)
        assert program.wait(30) == DiskFull.exit_code
        assert "disk is full" in outcome(captures).reason
        for tap in outcome(captures).taps:
            assert capture(captures, tap.host).problems == ()
            assert len(capture(captures, tap.host).frames) == tap.frames


def test_a_disk_without_any_room_is_full_before_the_run(start: Start) -> None:
    with small_disk(32 * 1024) as captures:
        assert start(*words(captures)).wait(30) == DiskFull.exit_code
        assert list(captures.iterdir()) == []


def test_without_net_raw_there_is_no_run(start: Start, tmp_path: Path) -> None:
    powers = ("setpriv", "--bounding-set=-net_raw")
    program = start(*words(tmp_path / "captures"), powers=powers)
    said = program.communicate(timeout=30)[1]
    assert program.returncode == CaptureForbidden.exit_code
    assert "CAP_NET_RAW" in said
    assert not (tmp_path / "captures").exists()


def test_a_killed_sniffer_leaves_a_run_that_can_be_mended(
    sniffer: Start, start: Start, tmp_path: Path
) -> None:
    captures = tmp_path / "captures"
    program = sniffer(captures)
    for host in [plug(start, captures, name, "silent") for name in HOSTS]:
        hear(host, "recorded")
    assert abandoned(captures) == []
    os.kill(program.pid, signal.SIGKILL)
    program.wait(30)
    (left,) = abandoned(captures)
    assert mend(left) == newest(captures)
    manifest = outcome(captures)
    assert (manifest.complete, manifest.engine) == (False, "docker")
    assert [tap.interface for tap in manifest.taps] == ["client-port", "server-port"]


def test_a_recording_without_error_exits_with_0(tmp_path: Path) -> None:
    manifest = Manifest(scenario="tour", engine="docker", started=0)
    assert Recording(tmp_path, manifest).exit_code == 0
    assert Recording(tmp_path, manifest, DiskFull(file="x")).exit_code == DiskFull.exit_code
