"""What one page is about: whose runs it shows, who may look, whether it plays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from lab.backends.base import Say

Play: TypeAlias = Callable[[str, Say], Path]
"""Plays a scenario to its end and returns its folder; raises LabError."""


class Site(Struct, frozen=True, kw_only=True):
    """One page."""

    captures: Path
    host: str = "127.0.0.1"  # it listens on
    port: int | None = 8080  # None: another one may lead here, any is believed
    anyone: bool = False  # other machines may look
    token: str = ""  # who has it may play
    play: Play | None = None  # None: it only shows
    patience: float = 3.0  # s: a run that was published a moment ago is still being cleared away
    progress: Path | None = None  # the learner's file; None: kept in memory only
