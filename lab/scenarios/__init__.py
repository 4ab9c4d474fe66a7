"""The scenarios: each is one module of this package and offers it as ``SCENARIO``."""

from __future__ import annotations

from pkgutil import iter_modules

from lab.errors import ScenarioUnknown
from lab.scenarios.base import Scenario
from lab.scenarios.loading import load
from lab.text import Text

PARTS = {
    "base",
    "checks",
    "closing",
    "lateness",
    "loading",
    "programs",
    "script",
    "seen",
    "soundness",
}
"""Modules of this package that are no scenarios."""

FEW = 8
"""So many names are all shown to whoever names none of them: a scenario's variants."""

NOTHING = Text("nothing", "无")


def names() -> tuple[str, ...]:
    """Every scenario's id, in alphabetical order, without importing one."""
    return tuple(sorted(name for _, name, _ in iter_modules(__path__) if name not in PARTS))


def find(name: str) -> Scenario:
    """Return the scenario called ``NAME`` or ``NAME:VARIANT``.

    Raises ScenarioUnknown, naming the nearest, and ScenarioFaulty, naming the line.
    """
    name, _, variant = name.partition(":")
    if name not in names():
        raise _unknown(name, names())
    scenario = load(name)
    if not variant:
        return scenario
    if variant not in scenario.variants:
        known = tuple(f"{name}:{one}" for one in scenario.variants)
        raise _unknown(f"{name}:{variant}", known or (name,))
    return scenario.variant(variant)


def _unknown(name: str, known: tuple[str, ...]) -> ScenarioUnknown:
    import difflib

    few = known if len(known) <= FEW else ()  # of variants
    near = difflib.get_close_matches(name, known, cutoff=0.4) or few
    return ScenarioUnknown(scenario=name, near=", ".join(near) or NOTHING)
