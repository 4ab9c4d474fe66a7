"""Play a scenario on an engine and find what it recorded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lab.backends.base import Engine, Line, Say
from lab.capture import folder
from lab.capture.tracing import Tracing
from lab.checkout import checkout as checkout
from lab.errors import EngineFailed, Interrupted, RunNotFound
from lab.scenarios.base import Scenario
from lab.scenarios.soundness import look_over

TRIES = 5
"""How often a scenario is played, should its programs get the processor too late each time."""


def play(
    engine: Engine,
    scenario: Scenario,
    captures: Path,
    say: Say,
    show: Callable[[Line], None] | None = None,
) -> Path:
    """Run one scenario from nothing to its published folder.

    ``show`` is handed each line as it is printed; None: nobody wants to see them.
    Raises ScenarioFaulty, EngineError when the engine could not, Interrupted after Ctrl-C
    (everything is cleaned up and the captures kept).
    """
    look_over(scenario)
    _mend_abandoned(captures)
    before = _newest(captures)
    try:
        engine.prepare(say)
        with Tracing(captures, scenario.id, scenario.topology.names):
            made = engine.run(scenario, show)
    except KeyboardInterrupt:
        engine.down()
        _mend_abandoned(captures)
        raise Interrupted(folder=_newest(captures) or captures) from None
    _mend_abandoned(captures)
    if made is not None and made.exists():  # else its sniffer died, and it has just been mended
        return made
    after = _newest(captures)
    if after is None or after == before:
        raise EngineFailed(detail="the sniffer recorded nothing")
    return after


def _mend_abandoned(captures: Path) -> None:
    for path in folder.abandoned(captures):
        from lab.capture.mending import mend  # numpy: seldom needed, and slow to import

        with suppress(FileNotFoundError, BlockingIOError):  # another run has mended it, or does
            mend(path)


def _newest(captures: Path) -> Path | None:
    try:
        return folder.newest(captures)
    except RunNotFound:
        return None
