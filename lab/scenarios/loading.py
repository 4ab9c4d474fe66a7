"""A scenario's file, imported: an error in it is named with its line."""

from __future__ import annotations

import importlib
from pathlib import Path

from lab.errors import ScenarioFaulty
from lab.scenarios.base import Scenario


def load(name: str) -> Scenario:
    """Import one scenario with its variants; raises ScenarioFaulty."""
    file = Path(__file__).with_name(f"{name}.py")
    try:
        scenario: Scenario = importlib.import_module(f"lab.scenarios.{name}").SCENARIO
        for variant in scenario.variants:
            scenario.variant(variant)
        if scenario.id != name:
            raise ValueError(f"the id {scenario.id!r} is not the file's name")
    except Exception as error:
        words = f"{type(error).__name__}: {error}"
        raise ScenarioFaulty(file=file, line=_line(error, file), detail=words) from error
    return scenario


def _line(error: BaseException, file: Path) -> int:
    """The last line of the file that was run before the error; of a syntax error its own."""
    import traceback  # slow, and seldom needed

    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or 1
    frames = traceback.extract_tb(error.__traceback__)
    return next((one.lineno or 1 for one in reversed(frames) if one.filename == str(file)), 1)
