"""How the programs of different hosts wait for each other, where a scenario needs an order.

    stage.say("closed")      # in the one
    stage.wait("closed")     # in the other

Through files in the folder that hosts and sniffer talk in (services/README.md), which LAB_STAGE
names: nothing of it is on the wire.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

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


def _stage() -> Path:
    return Path(os.environ["LAB_STAGE"])
