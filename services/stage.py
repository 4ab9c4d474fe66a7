"""How the programs of different hosts wait for each other, where a scenario needs an order.

    stage.say("closed")      # in the one
    stage.wait("closed")     # in the other
    stage.unavailable("Multipath TCP", error)    # there is no such thing here: the run is over

Through files in the folder that hosts and sniffer talk in (services/README.md), which LAB_STAGE
names: nothing of it is on the wire.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import NoReturn

UNAVAILABLE = 77
"""The exit code of a program that cannot show what it is there for on this machine."""
POLL = 0.002  # seconds between two looks
LONGEST_WAIT = 30.0  # seconds


def say(word: str) -> None:
    """Let everybody know that something has happened."""
    (_stage() / f"{word}.said").touch()


def wait(word: str, seconds: float = LONGEST_WAIT) -> None:
    """Wait until somebody has said it; raises TimeoutError if nobody does."""
    deadline = time.monotonic() + seconds
    while not (_stage() / f"{word}.said").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody said {word!r} within {seconds:g} s")
        time.sleep(POLL)


def unavailable(capability: str, reason: object) -> NoReturn:
    """End the run: this kernel or engine cannot do what the scenario is about, and why.

    For what was probed, not supposed. The run then counts as not available, never as passed.
    """
    words = json.dumps({"capability": capability, "reason": str(reason)})
    draft = _stage() / ".unavailable"
    draft.write_text(words)
    draft.rename(_stage() / "unavailable")
    raise SystemExit(UNAVAILABLE)


def _stage() -> Path:
    return Path(os.environ["LAB_STAGE"])
