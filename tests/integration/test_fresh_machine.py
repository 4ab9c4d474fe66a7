"""What `make up` says on a machine that lacks something: the cause, and the remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.backends.bootstrap import install, mmdebstrap
from lab.errors import BaseImageMissing
from lab.text import Language, Text
from tests.checkout import ROOT

IMAGE = "debian:trixie-slim"
NOBODY_ANSWERS = "http://127.0.0.1:9/debian"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a fresh clone as the environment is made from."""
    for name in ("tools/venv", "pyproject.toml", "requirements/run.lock", "requirements/dev.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def prepare(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run what `make up` runs first."""
    wanted = {**os.environ, "LAB_LANG": "en", **environment}
    return subprocess.run(
        ["tools/venv", "run"], cwd=clone, env=wanted, capture_output=True, text=True
    )


def test_a_python_without_venv_is_told_which_package_has_it(clone: Path) -> None:
    missing = clone / "missing" / "ensurepip.py"
    missing.parent.mkdir()
    missing.write_text("raise ImportError\n")
    said = prepare(clone, PYTHONPATH=str(missing.parent))
    assert said.returncode == 3
    assert "sudo apt install python3-venv" in said.stderr


def test_a_missing_python_is_named(clone: Path) -> None:
    said = prepare(clone, PYTHON="python3.nowhere")
    assert said.returncode == 3
    assert "There is no python3.nowhere" in said.stderr


def test_an_old_python_is_told_which_is_needed(clone: Path) -> None:
    old = clone / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.1 && exit\nexit 1\n')
    old.chmod(0o755)
    said = prepare(clone, PYTHON=str(old))
    assert said.returncode == 3
    assert "Python 3.9.1 is too old" in said.stderr


def test_the_words_are_chinese_where_the_reader_is(clone: Path) -> None:
    assert "找不到" in prepare(clone, PYTHON="python3.nowhere", LAB_LANG="zh").stderr


def test_without_registry_and_without_mirror_the_base_image_is_said_to_be_missing(
    tmp_path: Path,
) -> None:
    said: list[Text] = []
    with mmdebstrap(IMAGE) as command, pytest.raises(BaseImageMissing) as error:
        install(command, tmp_path / "base.tar", IMAGE, [NOBODY_ANSWERS], said.append)
    assert error.value.exit_code == 16
    assert "docker load" in error.value.lines(Language.EN)[-1]
