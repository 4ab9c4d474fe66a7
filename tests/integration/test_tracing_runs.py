"""Whole runs on the namespaces engine, with the kernel's tracepoints beside the captures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import scenarios
from lab.analyze import load_run
from lab.backends.namespaces import NamespacesEngine
from lab.backends.tracepoints import tracepoints
from lab.evidence.events import Began, Drop, Ended
from lab.findings.base import Finding, findings
from lab.report.account import judge
from lab.report.events import FrameEvent
from lab.report.ladder import ladder
from lab.run import play
from lab.saving import save_account
from lab.scenarios.base import Scenario
from lab.tcp.model import State
from lab.text import Language
from tests.checkout import ROOT, Checkout

LACKING = tracepoints()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING.remedy is not None, reason=f"needs tracepoints: {LACKING.found.en}"),
]

SIDE_BY_SIDE = 3
INSTANCES = """
import os
from lab.capture.tracefs import mount
print(*os.listdir(mount() / "instances"))
"""
HOLDS = """
import signal
from lab.capture.tracefs import Instance, mount
held = Instance(mount())
print("made", flush=True)
signal.pause()
"""


def mute(_: object) -> None:
    """Say nothing of it."""


def played(scenario: Scenario, captures: Path, root: Path) -> Path:
    return play(NamespacesEngine(root, "en"), scenario, captures, mute, mute)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.make(tmp_path / "checkout")


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which a kernel refuses the only SYN."""
    made = Checkout.make(tmp_path_factory.mktemp("refused") / "checkout")
    return played(scenarios.find("rst_refused"), made.captures, made.root)


def kernel_drops(folder: Path) -> list[Finding]:
    return [one for one in findings(load_run(folder)) if one.id == "kernel_drop"]


def frames(folder: Path) -> list[FrameEvent]:
    sections = ladder(load_run(folder)).sections
    return [event for one in sections for event in one.events if isinstance(event, FrameEvent)]


def instances(process: int) -> list[str]:
    """What a process has, or has left, in the tracing filesystem."""
    said = subprocess.run([sys.executable, "-c", INSTANCES], capture_output=True, text=True)
    return [name for name in said.stdout.split() if name.startswith(f"lab-{process}-")]


def test_a_run_is_traced_from_before_its_first_frame_to_its_end(refused: Path) -> None:
    evidence = load_run(refused)
    times = evidence.view.capture.frames.time
    began, ended = evidence.events[0], evidence.events[-1]
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert began.time < times.min() <= times.max() < ended.time
    assert set(ended.addresses) == {a for host in evidence.manifest.hosts for a in host.addresses}


def test_only_the_hosts_own_addresses_are_told_of(refused: Path) -> None:
    evidence = load_run(refused)
    ours = {address for host in evidence.manifest.hosts for address in host.addresses}
    told = [event for event in evidence.events if not isinstance(event, Began | Ended | Drop)]
    assert told
    assert all({event.local[0], event.peer[0]} & ours for event in told)


def test_a_refused_frame_ends_in_the_ladder_with_the_kernels_reason(refused: Path) -> None:
    (syn,) = [event for event in frames(refused) if event.flags == "SYN"]
    assert "server's kernel dropped it: NO_SOCKET" in syn.words[-1].en


def test_a_reset_bears_the_kernels_reason(refused: Path) -> None:
    (reset,) = [event for event in frames(refused) if "RST" in event.flags]
    assert reset.words[-1].en == "server's kernel: NO_SOCKET"


def test_a_refused_frame_is_a_finding(refused: Path) -> None:
    (syn,) = [event.number for event in frames(refused) if event.flags == "SYN"]
    (found,) = kernel_drops(refused)
    assert found.frames == (syn,)
    assert "NO_SOCKET, no socket was bound to that port" in found.words.en


def test_what_is_saved_has_the_kernels_words_too(refused: Path) -> None:
    evidence = load_run(refused)
    save_account(refused, evidence, judge(evidence), Language.EN)
    assert "kernel dropped it: NO_SOCKET" in " ".join((refused / "report.txt").read_text().split())
    saved = json.loads((refused / "findings.json").read_text())
    assert "kernel_drop" in json.dumps(saved)


def test_the_clients_states_are_confirmed(refused: Path) -> None:
    confirmed = [(event.states, event.confirmed) for event in frames(refused) if event.states]
    assert confirmed == [
        ((("C", State.SYN_SENT),), ("C",)),
        ((("C", State.CLOSED),), ("C",)),
    ]


def test_each_retransmission_says_what_caused_it(checkout: Checkout) -> None:
    run = played(scenarios.find("synack_lost"), checkout.captures, checkout.root)
    first, again = [e for e in frames(run) if e.flags == "SYN" and e.source == "C"]
    assert "client's kernel: retransmission timer" in [text.en for text in again.words]
    assert not any("kernel:" in text.en for text in first.words)


def test_runs_at_once_do_not_take_each_others_drops(checkout: Checkout) -> None:
    """The same addresses, ports and frames, at the same time: who is not sure says nothing."""
    wanted = scenarios.find("rst_refused")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        runs = [
            pool.submit(played, wanted, checkout.captures, checkout.root)
            for _ in range(SIDE_BY_SIDE)
        ]
        folders = {run.result() for run in runs}
    assert len(folders) == SIDE_BY_SIDE
    for folder in folders:
        assert (folder / "kernel.jsonl").exists()
        syns = [event.number for event in frames(folder) if event.flags == "SYN"]
        assert [one.frames for one in kernel_drops(folder)] in ([tuple(syns)], [])


def test_the_file_belongs_to_the_owner_of_the_captures(checkout: Checkout) -> None:
    for path in (checkout.root.parent, *checkout.root.parent.parents):
        if path.stat().st_uid == os.getuid():
            path.chmod(path.stat().st_mode | 0o011)
    os.chown(checkout.captures, 4321, 4321)
    run = played(scenarios.find("rst_refused"), checkout.captures, checkout.root)
    assert (run / "kernel.jsonl").stat().st_uid == 4321


def test_a_finished_runner_leaves_nothing_in_the_tracing_filesystem(checkout: Checkout) -> None:
    with checkout.starting("run", "rst_refused", "--engine", "namespaces") as runner:
        runner.communicate()
        assert runner.returncode == 0
        assert instances(runner.pid) == []


def test_what_a_killed_process_left_the_next_run_removes(checkout: Checkout) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], cwd=ROOT, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"made\n"
        assert len(instances(holder.pid)) == 1
        holder.kill()
    checkout.lab("run", "rst_refused", "--engine", "namespaces")
    assert instances(holder.pid) == []


def test_without_tracepoints_a_run_is_as_good(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden() -> Path:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("lab.capture.tracing.mount", forbidden)
    run = played(scenarios.find("rst_refused"), checkout.captures, checkout.root)
    assert load_run(run).manifest.complete
    assert not (run / "kernel.jsonl").exists()
