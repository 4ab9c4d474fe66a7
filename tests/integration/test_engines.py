"""The contract of every engine: one suite, run on each."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import pytest

from lab import scenarios
from lab.analyze import load_file, load_run
from lab.backends.base import Engine, Line
from lab.evidence.run import Evidence
from lab.report.account import judge
from lab.run import play
from tests.checkout import LONGEST, Checkout

TOUR = scenarios.find("tour")


class Played(NamedTuple):
    """A tour that is over."""

    folder: Path
    lines: list[Line]

    @property
    def evidence(self) -> Evidence:
        return load_run(self.folder)


@pytest.fixture(scope="module")
def tour(engine: Engine, own: Checkout) -> Played:
    """The tour, played once for all tests that only look at it."""
    return tour_on(engine, own)


def tour_on(engine: Engine, own: Checkout) -> Played:
    lines: list[Line] = []
    folder = play(engine, TOUR, own.captures, lambda words: None, lines.append)
    return Played(folder, lines)


# ---------------------------------------------------------------- a run


def test_the_tour_keeps_its_promises(tour: Played) -> None:
    verdict = judge(tour.evidence)
    assert verdict is not None
    assert verdict.kept


def test_the_run_is_complete_and_the_kernel_dropped_nothing(tour: Played) -> None:
    manifest = tour.evidence.manifest
    assert manifest.complete, manifest.reason
    assert manifest.dropped == 0


def test_the_run_names_its_engine(engine: Engine, tour: Played) -> None:
    assert tour.evidence.manifest.engine == engine.name


def test_everybody_is_heard(tour: Played) -> None:
    shown = {"web"}  # where there is a page, its address is told as well
    assert {line.source for line in tour.lines} - shown == {"sniffer", "client", "server"}


def test_a_line_is_handed_on_without_its_end(tour: Played) -> None:
    assert not any("\n" in line.words or "\r" in line.words for line in tour.lines)


def test_programs_are_heard_while_the_run_goes_on(tour: Played) -> None:
    said = [line.words for line in tour.lines]
    listens = next(at for at, words in enumerate(said) if "listens on" in words)
    last = next(at for at, words in enumerate(said) if "saved" in words)
    assert listens < last


def test_both_ports_saw_the_same_frames(tour: Played) -> None:
    match = tour.evidence.match
    assert match is not None
    assert (len(match.only_first), len(match.only_second)) == (0, 0)


def test_every_connection_is_recorded_from_its_first_syn(tour: Played) -> None:
    connections = tour.evidence.view.connections
    assert [len(one.handshake_frames) for one in connections] == [3, 3]


def test_no_segment_is_larger_than_the_wire(tour: Played) -> None:
    frames = tour.evidence.view.capture.frames
    assert int(frames.payload_length.max()) <= 1460


def test_every_program_ended_well(tour: Played) -> None:
    codes = {host.name: host.exit_codes for host in tour.evidence.manifest.hosts}
    assert codes == {"client": (0, 0, 0), "server": (0, 0)}


def test_hosts_have_a_mac_and_a_wire_of_1500_octets(tour: Played) -> None:
    hosts = tour.evidence.manifest.hosts
    assert all(host.mtu == 1500 and host.mac for host in hosts)


def test_the_socket_calls_of_both_hosts_are_there(tour: Played) -> None:
    logs = {path.name for path in tour.folder.glob("*.calls.jsonl")}
    assert logs == {"client.calls.jsonl", "server.calls.jsonl"}


def test_what_lands_in_captures_belongs_to_its_owner(tour: Played, own: Checkout) -> None:
    owner = own.captures.stat().st_uid
    assert {path.stat().st_uid for path in (tour.folder, *tour.folder.iterdir())} == {owner}


# ---------------------------------------------------------------- again, early, and away


def test_a_second_run_is_as_good_as_the_first(tour: Played, engine: Engine, own: Checkout) -> None:
    again = tour_on(engine, own)
    verdict = judge(again.evidence)
    assert again.folder != tour.folder
    assert verdict is not None
    assert verdict.kept


def test_stop_ends_a_run_and_keeps_what_it_recorded(engine: Engine, own: Checkout) -> None:
    speaking = Event()
    played: list[Path] = []

    def show(line: Line) -> None:
        if line.source == "server" and "Connected" in line.words:
            speaking.set()

    def run() -> None:
        played.append(play(engine, TOUR, own.captures, lambda words: None, show))

    running = Thread(target=run)
    running.start()
    assert speaking.wait(LONGEST)
    engine.stop()
    running.join(LONGEST)
    assert len(load_file(played[0] / "client.pcapng").capture.frames) > 0


def test_down_ends_everything_and_may_be_repeated(engine: Engine, own: Checkout) -> None:
    tour_on(engine, own)
    engine.down()
    removed = engine.down()
    assert (removed.containers, removed.networks) == (0, 0)


def test_after_down_a_run_begins_from_nothing(engine: Engine, own: Checkout) -> None:
    engine.down()
    assert tour_on(engine, own).evidence.manifest.complete


def test_check_finds_this_machine_fit(engine: Engine, tour: Played) -> None:
    assert [check.found.en for check in engine.check() if not check.good] == []
