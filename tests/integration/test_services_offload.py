"""Offload is on for as long as a program wants it, and off again afterwards, whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.topology import CLIENT_AND_SERVER
from tests.namespaces import run_in

pytestmark = pytest.mark.root

ROOT = Path(__file__).resolve().parents[2]
SWITCH = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from services import offload
def show():
    print(sorted(set(offload.read_offload("eth0").values())))
offload.turn_off("eth0")
show()
try:
    with offload.turned_on("eth0"):
        show()
        raise KeyError
except KeyError:
    show()
"""


def test_offload_is_on_inside_the_block_and_off_after_it(tmp_path: Path) -> None:
    printed, _ = run_in(tmp_path, CLIENT_AND_SERVER, {"client": SWITCH})
    assert printed["client"].splitlines() == ["[False]", "[True]", "[False]"]
