"""The tour on the real Docker engine: what it records, what an independent reader says of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkout import Checkout

pytestmark = [pytest.mark.docker]

OWNER = 12345
"""A user id that is not the test's own: whoever owns captures/ must own what lands there."""

COMPLETE_WITH_DATA = "31"
"""tcp.completeness: SYN, SYN-ACK, ACK, data and FIN were all seen, and no RST."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    made = Checkout.make(tmp_path_factory.mktemp("tour") / "checkout")
    if os.geteuid() == 0:
        os.chown(made.captures, OWNER, OWNER)
    yield made
    made.lab("down")


@pytest.fixture(scope="module")
def tour(checkout: Checkout) -> subprocess.CompletedProcess[str]:
    """The tour, played once for all tests of this module."""
    return checkout.lab("up")


@pytest.fixture(scope="module")
def run(checkout: Checkout, tour: subprocess.CompletedProcess[str]) -> Path:
    assert tour.returncode == 0, tour.stdout + tour.stderr
    return checkout.newest


def tshark(file: Path, *fields: str, only: str = "") -> list[tuple[str, ...]]:
    """What the independent reader says, a row a frame."""
    wanted = [word for field in fields for word in ("-e", field)]
    checks = [f"-o{kind}.check_checksum:TRUE" for kind in ("ip", "tcp", "udp")]
    command = [
        "tshark",
        "-r",
        str(file),
        *checks,
        "-T",
        "fields",
        *wanted,
        *(["-Y", only] if only else []),
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return [tuple(line.split("\t")) for line in said.stdout.splitlines()]


def manifest(run: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((run / "run.json").read_text())
    return read


def test_up_ends_with_success(tour: subprocess.CompletedProcess[str]) -> None:
    assert tour.returncode == 0, tour.stdout + tour.stderr


@pytest.mark.parametrize(
    "words",
    ["handshake 2 of 3", "C: SYN-SENT", "服务器已收到消息!", "PASS", "captures/"],
)
def test_up_tells_of_the_wire_the_states_the_text_the_verdict_and_the_files(
    tour: subprocess.CompletedProcess[str], words: str
) -> None:
    assert words in tour.stdout


def test_no_promise_is_broken(tour: subprocess.CompletedProcess[str], run: Path) -> None:
    assert "FAIL" not in tour.stdout


def test_the_kernel_dropped_nothing_and_the_run_is_complete(run: Path) -> None:
    said = manifest(run)
    assert said["complete"] is True
    assert [tap["dropped"] for tap in said["taps"]] == [0, 0]


@pytest.mark.tshark
@pytest.mark.parametrize("name", ["client.pcapng", "server.pcapng"])
def test_tshark_finds_both_connections_complete(run: Path, name: str) -> None:
    rows = tshark(run / name, "tcp.stream", "tcp.completeness", only="tcp")
    last = dict(rows)  # it grows frame by frame
    assert last == {"0": COMPLETE_WITH_DATA, "1": COMPLETE_WITH_DATA}


@pytest.mark.tshark
@pytest.mark.parametrize("name", ["client.pcapng", "server.pcapng"])
def test_tshark_finds_no_malformed_frame_and_no_bad_checksum(run: Path, name: str) -> None:
    wrong = "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0"
    assert tshark(run / name, "frame.number", only=wrong) == []


@pytest.mark.tshark
def test_tshark_counts_as_many_frames_as_the_manifest(run: Path) -> None:
    counted = [len(tshark(run / tap["file"], "frame.number")) for tap in manifest(run)["taps"]]
    assert counted == [tap["frames"] for tap in manifest(run)["taps"]]


@pytest.mark.tshark
def test_both_ports_saw_the_same_segments(run: Path) -> None:
    wanted = ("ip.id", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "udp.length")
    client, server = (
        sorted(tshark(run / f"{host}.pcapng", *wanted, only="tcp || udp"))
        for host in ("client", "server")
    )
    assert client == server


@pytest.mark.tshark
def test_the_greeting_is_on_the_wire_in_utf_8(run: Path) -> None:
    rows = tshark(run / "client.pcapng", "tcp.payload", only="tcp.len > 0")
    assert [bytes.fromhex(row[0]).decode() for row in rows] == [
        "你好,服务器!",
        "服务器已收到消息!",
    ] * 2


@pytest.mark.tshark
def test_directions_are_the_hosts_own(run: Path) -> None:
    rows = tshark(
        run / "client.pcapng",
        "frame.packet_flags_direction",
        only="tcp.flags.syn == 1 && tcp.flags.ack == 0",
    )
    assert {int(row[0], 0) for row in rows} == {2}  # outbound from the client


def test_all_calls_of_both_hosts_were_logged(run: Path) -> None:
    functions = {
        host: [
            json.loads(line)["call"]
            for line in (run / f"{host}.calls.jsonl").read_text().splitlines()
        ]
        for host in ("client", "server")
    }
    assert functions["client"].count("connect") == 2
    assert functions["server"].count("accept") == 2
    assert functions["server"].count("recvfrom") == 1


def test_every_file_belongs_to_the_owner_of_captures(run: Path) -> None:
    expected = run.parent.stat().st_uid
    assert {path.stat().st_uid for path in (run, *run.iterdir())} == {expected}


def test_nothing_of_the_talk_between_hosts_and_sniffer_stays(run: Path) -> None:
    assert not (run / "control").exists()
    assert not (run.parent / "current").is_symlink()


@pytest.mark.parametrize("command", ["show", "verify"])
def test_the_saved_run_is_explained_again(checkout: Checkout, run: Path, command: str) -> None:
    assert checkout.lab(command).returncode == 0


def test_up_works_again_and_records_a_run_of_its_own(checkout: Checkout, run: Path) -> None:
    again = checkout.lab("up")
    assert again.returncode == 0, again.stdout + again.stderr
    assert checkout.newest != run
