"""`lab run` on the namespaces engine: its keeper is forked before the command is loaded."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import scenarios
from lab.backends.kernel import lock_holders
from lab.backends.namespaces import NamespacesEngine
from lab.cli._every import CUT_SHORT
from tests.checkout import LONGEST, ROOT, Checkout, read_until
from tests.namespaces import scenario

pytestmark = pytest.mark.root

UNWANTED = """
import os, sys
from pathlib import Path
from lab.backends.begun import fork

keeper = fork(Path(sys.argv[1]))
keeper.line.close()
print(os.waitpid(keeper.process, 0)[1])
"""
LASTS = {  # longer than the second after which scapy is loaded
    "server": "services/tcp/greeting/server.py --work 1.2",
    "client": "services/tcp/greeting/client.py server",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.make(tmp_path / "checkout")


def versions(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "run.json").read_text())["versions"]
    return found


def test_a_forked_keeper_keeps_a_run_and_says_nothing_of_its_own(checkout: Checkout) -> None:
    done = checkout.lab("run", "rst_refused", "--engine", "namespaces")
    assert (done.returncode, done.stderr) == (0, "")
    assert "promises were kept" in done.stdout
    assert "Warning" not in done.stdout


def test_the_environment_may_name_the_engine(checkout: Checkout) -> None:
    done = checkout.lab("run", "rst_refused", LAB_ENGINE="namespaces")
    assert done.returncode == 0, done.stderr


def test_a_command_without_standard_streams_keeps_a_run(checkout: Checkout) -> None:
    words = " ".join(checkout.command("run", "rst_refused", "--engine", "namespaces"))
    closed = ["sh", "-c", f"exec {words} <&- >&- 2>&-"]
    subprocess.run(closed, cwd=checkout.root, env=checkout.environment(), check=False, timeout=60)
    assert versions(checkout.newest)["lab"]


def test_a_run_is_finished_and_saved_though_its_reader_has_left(checkout: Checkout) -> None:
    with checkout.starting("run", "rst_refused", "--engine", "namespaces") as running:
        read_until(running, "ready")
        assert running.stdout is not None
        running.stdout.close()
        assert running.wait(60) == 0
    assert checkout.newest.name.endswith("-rst_refused")
    assert (checkout.newest / "report.html").is_file()


def test_all_scenarios_end_quietly_when_their_reader_leaves(checkout: Checkout) -> None:
    """What is on is finished and saved, nothing more begins."""
    words = " ".join(checkout.command("run", "--all", "--engine", "namespaces"))
    piped = ["bash", "-c", f"set -o pipefail; {words} | head -n 1"]
    done = subprocess.run(
        piped,
        cwd=checkout.root,
        env=checkout.environment(),
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (CUT_SHORT, "", 1)
    runs = [one for one in checkout.captures.iterdir() if not one.is_symlink()]
    assert 1 < len(runs) < len(scenarios.names())
    assert all((run / "report.html").is_file() for run in runs)
    assert not list(lock_holders(checkout.captures))


def test_that_a_run_was_interrupted_is_said_once(checkout: Checkout) -> None:
    with checkout.starting("run", "tour", "--engine", "namespaces") as running:
        read_until(running, "recording")
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=60)
    assert (running.returncode, rest.count("Interrupted.")) == (130, 1)


def test_a_keeper_that_is_not_wanted_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UNWANTED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0\n"


def test_a_run_that_lasts_has_its_rings_behind_scapy_sockets(checkout: Checkout) -> None:
    folder = NamespacesEngine(checkout.root, "en").run(scenario(LASTS))
    assert folder is not None
    assert "scapy" in versions(folder)
