"""Playing from the page: one run at a time, in a thread, with what it says and how it ended."""

from __future__ import annotations

from pathlib import Path
from threading import Lock, Thread

from msgspec import Struct
from msgspec.structs import replace

from lab.errors import LabError, OneAtATime
from lab.text import Text
from lab.web.site import Play

ANOTHER = Text("Another scenario", "另一个场景")  # of the diagnosis room: unnamed


class Playing(Struct, frozen=True, kw_only=True):
    """The run that was asked for last."""

    number: int = 0  # which one; 0: none yet
    scenario: str = ""
    on: bool = False
    said: tuple[Text, ...] = ()
    run: str = ""  # its folder, once it is over
    error: tuple[Text, ...] = ()  # what went wrong, line by line


class Player:
    """Whoever asks while a run is on is told so."""

    def __init__(self, play: Play, patience: float) -> None:
        """``play`` plays a scenario and returns its folder; ``patience``: s to wait for one's turn."""
        self._play, self._turn, self._patience = play, Lock(), patience
        self.now = Playing()

    def start(self, scenario: str) -> Playing:
        """Begin a run and return at once; raises OneAtATime."""
        self._take(scenario)
        Thread(target=self._run_aside, args=(scenario,), name=f"play {scenario}").start()
        return self.now

    def play(self, scenario: str, *, shown: bool = True) -> Path:
        """Play to the end; raises OneAtATime, and what playing raises. ``shown``: name it meanwhile."""
        self._take(scenario if shown else "")
        return self._run(scenario)

    def _take(self, scenario: str) -> None:
        if not self._turn.acquire(timeout=self._patience):
            raise OneAtATime(scenario=self.now.scenario or ANOTHER)
        self.now = Playing(number=self.now.number + 1, scenario=scenario, on=True)

    def _run_aside(self, scenario: str) -> None:
        try:
            self._run(scenario)
        except Exception:  # it is in `now`, for the page to say
            return

    def _run(self, scenario: str) -> Path:
        try:
            folder = self._play(scenario, self._say)
            self.now = replace(self.now, on=False, run=folder.name)
        except Exception as error:
            self.now = replace(self.now, on=False, error=told(error))
            raise
        finally:
            self._turn.release()
        return folder

    def _say(self, words: Text) -> None:
        self.now = replace(self.now, said=(*self.now.said, words))


def told(error: Exception) -> tuple[Text, ...]:
    """What happened, what was expected, what to do, as far as it is known."""
    if not isinstance(error, LabError):
        error = LabError(detail=f"{type(error).__name__}: {error}")
    parts = (error.what, error.expected, error.remedy)
    return tuple(part.fill(**error.details) for part in parts if part is not None)
