"""What the programs of a host may do, and how a run ends that finds out it cannot be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.backends.base import Line
from lab.backends.keeper import URGENT
from lab.backends.namespaces import NamespacesEngine
from lab.errors import NotAvailable
from lab.topology import Host, Topology
from tests.checkout import ROOT, Checkout
from tests.namespaces import scenario

pytestmark = [pytest.mark.root]

RR = int(os.SCHED_RR)
ASKS = """
import os, socket
for name, what in (("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 6)),
                   ("admin", lambda: socket.socket().setsockopt(6, 19, 1))):  # TCP_REPAIR
    try:
        what()
        print(name, "allowed", flush=True)
    except PermissionError:
        print(name, "refused", flush=True)
print("user", os.getuid(), flush=True)
"""
LACKS = """
from services import stage
stage.unavailable("a wand", "there is none")
"""


def play(tmp_path: Path, program: str, host: Host) -> tuple[Path, list[str]]:
    """Run one program on a client; the folder of the run, and what the program printed."""
    checkout = Checkout.make(tmp_path / "checkout")
    (checkout.root / "services" / "asks.py").write_text(program)
    lines: list[Line] = []
    topology = Topology((host, Host("server")))
    trial = scenario({"client": "services/asks.py", "server": "services/asks.py"}, topology)
    engine = NamespacesEngine(checkout.root, "en")
    folder = engine.run(trial, lines.append)
    assert folder is not None
    return folder, [line.words for line in lines if line.source == "client"]


@pytest.mark.parametrize("capabilities", [(), ("NET_RAW",), ("NET_RAW", "NET_ADMIN")])
def test_programs_have_the_capabilities_of_their_host_and_no_others(
    tmp_path: Path, capabilities: tuple[str, ...]
) -> None:
    _, printed = play(tmp_path, ASKS, Host("client", capabilities=capabilities))
    said = dict(line.split(" ") for line in printed if line.count(" ") == 1)
    assert said["raw"] == ("allowed" if "NET_RAW" in capabilities else "refused")
    assert said["admin"] == ("allowed" if "NET_ADMIN" in capabilities else "refused")


def test_all_hosts_of_a_run_stay_on_one_processor(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "checkout")
    asks = "import os; print('on', sorted(os.sched_getaffinity(0)), flush=True)"
    (checkout.root / "services" / "asks.py").write_text(asks)
    trial = scenario({"client": "services/asks.py", "server": "services/asks.py"})
    lines: list[Line] = []
    NamespacesEngine(checkout.root, "en").run(trial, lines.append)
    said = [line.words for line in lines if line.words.startswith("on ")]
    assert len(said) == 2
    assert len(set(said)) == 1
    assert "," not in said[0]


def can(deed: str) -> bool:
    """Whether a Python process of this user may do something."""
    asked = [sys.executable, "-c", f"import os; {deed}"]
    return not subprocess.run(asked, cwd=ROOT, check=False, stderr=subprocess.DEVNULL).returncode


@pytest.mark.skipif(not can("os.setpriority(os.PRIO_PROCESS, 0, -1)"), reason="no CAP_SYS_NICE")
def test_a_run_goes_before_other_work_where_root_plays_it(tmp_path: Path) -> None:
    asks = "import os; print('nice', os.getpriority(os.PRIO_PROCESS, 0), flush=True)"
    _, printed = play(tmp_path, asks, Host("client"))
    assert f"nice {URGENT}" in printed


@pytest.mark.skipif(not can(f"os.sched_setscheduler(0, {RR}, os.sched_param(1))"), reason="refused")
def test_the_wire_goes_first_of_all() -> None:
    assert can(
        f"from services import processor as p; p.go_first(); assert os.sched_getscheduler(0) == {RR}"
    )


def test_a_run_says_what_it_found_missing(tmp_path: Path) -> None:
    folder, _ = play(tmp_path, LACKS, Host("client"))
    said = json.loads((folder / "run.json").read_text())
    assert said["unavailable"] == {"capability": "a wand", "reason": "there is none"}
    assert said["complete"] is True


def test_a_sysctl_that_this_kernel_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match=r"net\.ipv4\.no_such_thing"):
        play(tmp_path, ASKS, Host("client", sysctls={"net.ipv4.no_such_thing": "1"}))
