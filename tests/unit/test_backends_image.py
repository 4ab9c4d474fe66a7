"""The image's tag names exactly what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.backends.image import image_of


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("lab/a.py", "services/b.py", "requirements/image.lock", ".dockerignore"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_the_same_tree_gives_the_same_tag(tree: Path) -> None:
    assert image_of(tree) == image_of(tree)


@pytest.mark.parametrize("name", ["lab/a.py", "services/b.py", "requirements/image.lock"])
def test_a_changed_file_changes_the_tag(tree: Path, name: str) -> None:
    before = image_of(tree)
    (tree / name).write_text("changed")
    assert image_of(tree) != before


def test_a_compiled_file_does_not_change_the_tag(tree: Path) -> None:
    before = image_of(tree)
    (tree / "lab/__pycache__").mkdir()
    (tree / "lab/__pycache__/a.pyc").write_bytes(b"0")
    assert image_of(tree) == before
