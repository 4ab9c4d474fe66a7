"""The containers of a lab that stays up: which are kept, which are made anew, what a cut run leaves."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import Checkout, docker, read_until

pytestmark = [pytest.mark.docker]

QUICK, SLOW = "rst_refused", "syn_blackhole"
OWNER = 12345
"""A user id that is not the test's own: whoever owns captures/ must own what lands there."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout whose image is built and whose lab has played once."""
    made = Checkout.make(tmp_path_factory.mktemp("hosts") / "checkout")
    if os.geteuid() == 0:
        os.chown(made.captures, OWNER, OWNER)
    yield made
    made.lab("down")


@pytest.fixture
def checkout(built: Checkout) -> Checkout:
    """That checkout with its lab up."""
    play(built, QUICK)
    return built


def play(checkout: Checkout, scenario: str, **environment: str) -> str:
    said = checkout.lab("run", scenario, "--engine", "docker", **environment)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def ids(checkout: Checkout) -> dict[str, str]:
    """The containers of the first lab, by what they are in it."""
    rows = (inspected(container) for container in checkout.containers())
    return {row["Config"]["Labels"]["lab.node"]: row["Id"] for row in rows}


def inspected(container: str) -> dict[str, dict[str, dict[str, str]]]:
    (found,) = json.loads(docker("inspect", container))
    return dict(found)


def test_a_further_scenario_runs_in_the_same_hosts(checkout: Checkout) -> None:
    before = ids(checkout)
    play(checkout, "tcp_lifecycle")
    after = ids(checkout)
    kept = {"client", "server", "switch"}
    assert {node: after[node] for node in kept} == {node: before[node] for node in kept}


def test_what_is_recorded_belongs_to_the_owner_of_captures(checkout: Checkout) -> None:
    play(checkout, "synack_lost")
    run = checkout.newest
    assert "wire.jsonl" in {path.name for path in run.iterdir()}
    owner = checkout.captures.stat().st_uid
    assert {path.stat().st_uid for path in (run, *run.iterdir())} == {owner}


def test_a_host_of_other_words_is_made_anew(checkout: Checkout) -> None:
    before = ids(checkout)
    assert "就绪" in play(checkout, QUICK, LAB_LANG="zh")
    assert ids(checkout)["client"] != before["client"]


def test_hosts_that_somebody_stopped_are_started_again(checkout: Checkout) -> None:
    docker("stop", "-t", "0", *ids(checkout).values())
    play(checkout, QUICK)


def test_a_killed_host_leaves_an_incomplete_run_whose_capture_opens(checkout: Checkout) -> None:
    with checkout.starting("run", SLOW, "--engine", "docker") as process:
        read_until(process, "handshake 1 of 3")
        docker("kill", ids(checkout)["client"])
        rest, _ = process.communicate()
    assert process.returncode == 40, rest
    assert checkout.newest.name.endswith(".incomplete")
    assert checkout.lab("explain", str(checkout.newest / "client.pcapng")).returncode == 0


def test_a_killed_sniffer_leaves_captures_that_open(checkout: Checkout) -> None:
    with checkout.starting("run", SLOW, "--engine", "docker") as process:
        read_until(process, "handshake 1 of 3")
        docker("kill", ids(checkout)["sniffer"])
        rest, _ = process.communicate()
    assert process.returncode == 40, rest
    assert checkout.lab("explain", str(checkout.newest / "client.pcapng")).returncode == 0


def test_after_a_cut_run_the_next_one_is_whole(checkout: Checkout) -> None:
    with checkout.starting("run", SLOW, "--engine", "docker") as process:
        read_until(process, "handshake 1 of 3")
        docker("kill", ids(checkout)["server"])
        process.communicate()
    play(checkout, QUICK)


def test_ctrl_c_takes_the_lab_away_and_keeps_the_captures(checkout: Checkout) -> None:
    with checkout.starting("run", SLOW, "--engine", "docker") as process:
        read_until(process, "handshake 1 of 3")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
    assert process.returncode == 130, rest
    assert checkout.containers() == []
    assert list(checkout.newest.glob("*.pcapng"))


def test_down_leaves_nothing_of_a_lab(checkout: Checkout) -> None:
    assert checkout.lab("down").returncode == 0
    assert checkout.containers() == []
    assert not Path(checkout.captures, ".docker").exists()
