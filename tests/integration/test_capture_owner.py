"""Recording as the owner of the captures: whose files, and which powers are left."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

OWNER = 4711
NET_RAW = 1 << 13

# What compose.yaml gives the sniffer: cap_drop ALL, cap_add of three, no-new-privileges.
HARDENED = ("setpriv", "--no-new-privs", "--bounding-set=-all,+net_raw,+setuid,+setgid")
ROOT = ("setpriv", "--no-new-privs")

REPORT = """
import os, socket, sys
from pathlib import Path
from lab.capture.owner import become_owner

folder = Path(sys.argv[1])
become_owner(folder)
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status"))
print(os.getuid(), os.getgid(), len(os.getgroups()))
print(int(status["CapEff"], 16), int(status["CapPrm"], 16), int(status["CapInh"], 16))
print(int(status["CapBnd"], 16))
socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
(folder / "file").touch()
"""

BACK_TO_ROOT = """
import os, sys
from pathlib import Path
from lab.capture.owner import become_owner

become_owner(Path(sys.argv[1]))
os.setuid(0)
"""


@pytest.fixture
def captures() -> Iterator[Path]:
    """A folder that any user reaches (pytest's own are root's alone)."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "captures"
        folder.mkdir()
        yield folder


@pytest.fixture
def owned(captures: Path) -> Path:
    os.chown(captures, OWNER, OWNER)
    return captures


def run(powers: tuple[str, ...], program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*powers, sys.executable, "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def report(powers: tuple[str, ...], folder: Path) -> list[list[int]]:
    said = run(powers, REPORT, folder)
    assert said.returncode == 0, said.stderr
    return [[int(word) for word in line.split()] for line in said.stdout.splitlines()]


@pytest.mark.parametrize("powers", [HARDENED, ROOT], ids=["hardened container", "full root"])
def test_it_becomes_the_owner_and_keeps_net_raw_alone(powers: tuple[str, ...], owned: Path) -> None:
    identity, capabilities, _ = report(powers, owned)
    assert identity == [OWNER, OWNER, 0]
    assert capabilities == [NET_RAW, NET_RAW, 0]


@pytest.mark.parametrize("powers", [HARDENED, ROOT], ids=["hardened container", "full root"])
def test_its_files_belong_to_the_owner(powers: tuple[str, ...], owned: Path) -> None:
    report(powers, owned)
    assert (owned / "file").stat().st_uid == OWNER


@pytest.mark.parametrize("powers", [HARDENED, ROOT], ids=["hardened container", "full root"])
def test_where_root_owns_the_captures_it_stays_root_with_net_raw_alone(
    powers: tuple[str, ...], captures: Path
) -> None:
    identity, capabilities, _ = report(powers, captures)
    assert identity[:2] == [0, 0]
    assert capabilities == [NET_RAW, NET_RAW, 0]


def test_the_bounding_set_shrinks_where_that_is_allowed(owned: Path) -> None:
    assert report(ROOT, owned)[2] == [NET_RAW]


def test_there_is_no_way_back_to_root(owned: Path) -> None:
    assert "PermissionError" in run(HARDENED, BACK_TO_ROOT, owned).stderr


def test_a_folder_that_is_not_there_yet_counts_as_its_parents(owned: Path) -> None:
    said = run(ROOT, REPORT.replace("become_owner(folder)", "become_owner(folder / 'new')"), owned)
    assert said.stdout.startswith(f"{OWNER} {OWNER} ")


def test_without_setuid_it_says_whose_folder_it_is(owned: Path) -> None:
    said = run(("setpriv", "--bounding-set=-all,+net_raw"), REPORT, owned)
    assert "RecordingError" in said.stderr
    assert f"user {OWNER}" in said.stderr


def test_another_user_is_left_as_it_is(captures: Path) -> None:
    captures.chmod(0o777)
    said = run(("setpriv", f"--reuid={OWNER}", "--clear-groups"), REPORT, captures)
    assert said.stdout.startswith(f"{OWNER} 0 0\n0 0 0\n")
