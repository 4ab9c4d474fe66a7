"""What NumPy and malloc are told before a large capture is read."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from lab.cli import _numpy

EPYC = "cpu:type:x86,ven0002fam0019mod0011:feature:,0000,0001,0130,0131"
OLDER = "cpu:type:x86,ven0002fam0019mod0001:feature:,0000,0001"
XEON = "cpu:type:x86,ven0000fam0006mod008F:feature:,0000,0001,0130,0131"

KEPT = """
from lab.cli._heap import keep
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
keep()
before = resident()
held = bytes(64 << 20) + b"1"
del held
print(resident() - before)
"""


@pytest.mark.parametrize(("modalias", "told"), [(EPYC, True), (OLDER, False), (XEON, False)])
def test_wide_sorts_are_avoided_where_they_are_slow(modalias, told):
    assert ("NPY_DISABLE_CPU_FEATURES" in _numpy.settings(modalias)) is told


def test_what_the_user_says_stands(monkeypatch):
    monkeypatch.setenv("NUMPY_MADVISE_HUGEPAGE", "1")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    _numpy.prepare()
    assert os.environ["NUMPY_MADVISE_HUGEPAGE"] == "1"
    assert os.environ["NPY_DISABLE_CPU_FEATURES"] == ""
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"


def test_numpy_understands_it():
    command = (
        "from lab.cli._numpy import prepare; prepare(); import numpy; print(numpy.sort([2, 1]))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", command], capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("[1 2]\n", "")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt(3) is the GNU C library's")
def test_memory_is_kept():
    run = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    assert int(run.stdout) > 32 << 20
