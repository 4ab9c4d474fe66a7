"""What a test may need of the machine: said by a marker, and named when it is missing.

Outside CI a test that needs what is missing is skipped, by name. On CI it fails: there nothing may
go untested because an engine or a tool is not installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import settings

settings.register_profile("lab", deadline=None, print_blob=True, database=None)
settings.load_profile("lab")


@cache
def _docker_answers() -> bool:
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@cache
def _namespaces_can_be_made() -> bool:
    if os.geteuid() == 0:
        return True
    return (
        subprocess.run(["unshare", "-Urn", "true"], capture_output=True, check=False).returncode
        == 0
    )


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "chromium": (
        lambda: shutil.which("chromium") is not None,
        "Chromium (sudo apt install chromium)",
    ),
    "docker": (_docker_answers, "a running Docker engine (lab doctor)"),
    "root": (lambda: os.geteuid() == 0, "root, to make network namespaces"),
    "namespaces": (_namespaces_can_be_made, "network namespaces (lab doctor)"),
    "tshark": (lambda: shutil.which("tshark") is not None, "tshark (sudo apt install tshark)"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip (fail on CI) a test whose need this machine does not meet."""
    for marker, (met, what) in NEEDS.items():
        if item.get_closest_marker(marker) and not met():
            if os.environ.get("CI"):
                pytest.fail(f"needs {what}", pytrace=False)
            pytest.skip(f"needs {what}")
