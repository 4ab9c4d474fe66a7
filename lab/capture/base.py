"""What the sniffer is asked to do, whom it tells while it does it, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the sniffer must be ready before these are imported
    from lab.errors import LabError
    from lab.evidence.manifest import Manifest


KILLED = "its recorder was killed"
"""Why a run is incomplete whose recorder left no other reason."""


@dataclass(frozen=True, slots=True)
class Task:
    """One run to record."""

    captures: Path  # where the run folder is made
    scenario: str
    engine: str
    hosts: tuple[str, ...]  # the run is over when all of them are done
    deadline: float = 30.0  # seconds without any progress after which it is given up
    plan: Path | None = None  # a folder with plan.json and the programs it names
    ready: Path | None = None  # a link to the run's folder, made when hosts may announce themselves


class Listener(Protocol):
    """Somebody who follows a run while it is recorded.

    Called from the sniffer's loop, and only while no ring has frames waiting. What takes long here
    is bridged by the rings: 32 MiB a port, and about a second of the thinnest traffic.
    """

    def started(self, folder: Path) -> None:
        """The run folder is there, under its temporary name; hosts may announce themselves."""

    def recording(self, host: str, port: str, capture: Path) -> None:
        """The host's port on the switch (an interface name) is recorded into this pcapng file."""

    def frames(self, host: str, capture: Path, count: int) -> None:
        """The host's file has grown to ``count`` frames; all of its blocks are whole."""


class Silent:
    """The listener that says nothing."""

    def started(self, folder: Path) -> None: ...

    def recording(self, host: str, port: str, capture: Path) -> None: ...

    def frames(self, host: str, capture: Path, count: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Recording:
    """A run that is over: where it lies under its final name, and why it is not whole."""

    folder: Path
    manifest: Manifest
    error: LabError | None = None

    @property
    def exit_code(self) -> int:
        return self.error.exit_code if self.error else 0
