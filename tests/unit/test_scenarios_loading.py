"""Whatever is wrong with a scenario's file is named with its line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lab.scenarios
from lab.errors import ScenarioFaulty
from lab.scenarios import loading, soundness

NAME = "faulty_for_a_test"
SOUND = f'''"""A scenario."""

from lab.scenarios.base import Scenario
from lab.text import same


def client(server: str) -> None:
    """Do nothing."""


SCENARIO = Scenario(
    id="{NAME}",
    title=same("x"),
    teaches=(),
    roles={{"client": client}},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        """,
    ),
)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that counts as lab/scenarios too."""
    monkeypatch.setattr(lab.scenarios, "__path__", [str(tmp_path), *lab.scenarios.__path__])
    monkeypatch.setattr(loading, "__file__", str(tmp_path / "loading.py"))
    monkeypatch.setattr(soundness, "__file__", str(tmp_path / "soundness.py"))
    yield tmp_path
    sys.modules.pop(f"lab.scenarios.{NAME}", None)


def complaint(folder: Path, source: str) -> tuple[object, object]:
    (folder / f"{NAME}.py").write_text(source)
    with pytest.raises(ScenarioFaulty) as caught:
        soundness.look_over(loading.load(NAME))
    details = caught.value.details
    assert details["file"] in (folder / f"{NAME}.py", str(folder / f"{NAME}.py"))
    return details["line"], details["detail"]


def test_a_sound_file_is_loaded(folder: Path) -> None:
    (folder / f"{NAME}.py").write_text(SOUND)
    assert loading.load(NAME).id == NAME


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("teaches=(),", "teaches=)(", 14, "SyntaxError"),
        ("teaches=(),", "teaches=things,", 14, "NameError: name 'things'"),
        ("teaches=(),", "teaches=(), colour=1,", 11, "colour"),
        (f'id="{NAME}"', 'id="another"', 1, "'another' is not the file's name"),
        ("teaches=(),", 'teaches=(), group="noise",', 14, "there is no group 'noise'"),
        ('"client": client', '"cleint": client', 15, "'cleint', which is no host"),
        ("server: str", "sever: str", 7, "'sever' is no host"),
        ("S>C SYN,ACK", "S>C SYN ACK", 19, "not a line of a script"),
        ("SCENARIO =", "SCENERY =", 1, "SCENARIO"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    folder: Path, before: str, after: str, line: int, words: str
) -> None:
    assert before in SOUND
    found, detail = complaint(folder, SOUND.replace(before, after))
    assert words in str(detail)
    assert found == line
