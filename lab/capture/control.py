"""How hosts and sniffer talk: small files in ``control/`` (services/README.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from lab.capture.disk import write_whole, writing
from lab.errors import RunDamaged
from lab.evidence.manifest import Unavailable

_Message = TypeVar("_Message")


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """``NAME.host``: who a host is; ``port`` is the interface index of its port on the switch."""

    name: str
    addresses: tuple[str, ...]
    port: int
    mac: str = ""
    mtu: int = 0


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """``NAME.done``: how a host's programs ended."""

    exit_codes: tuple[int, ...]


class Control:
    """The sniffer's side. Reading raises RunDamaged for a file that says something else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_announcement = msgspec.json.Decoder(Announcement).decode
        self._read_done = msgspec.json.Decoder(Done).decode

    def announcement(self, host: str) -> Announcement | None:
        """What the host says of itself; None as long as it has said nothing."""
        return _read(self._folder / f"{host}.host", self._read_announcement)

    def done(self, host: str) -> Done | None:
        """The host's last word; None as long as it works."""
        return _read(self._folder / f"{host}.done", self._read_done)

    def unavailable(self) -> Unavailable | None:
        """What a program found missing, so that it ended the run (services/stage.py)."""
        return _read(
            self._folder / "stage" / "unavailable", msgspec.json.Decoder(Unavailable).decode
        )

    def answer(self, host: str) -> None:
        """Its port is being recorded: its programs may start."""
        self._say(f"{host}.recording")

    def wire_done(self) -> None:
        """The wire's own word: its log is whole."""
        self._say("wire.done")

    @property
    def wire_at_work(self) -> bool:
        """Whether a wire carries the frames of this run and has not yet written its summary."""
        done = (self._folder / "wire.done").exists()
        return (self._folder / "wire.listening").exists() and not done

    def end(self) -> None:
        """The run is over: hosts leave."""
        self._say("end")

    def _say(self, name: str) -> None:
        with writing(name):
            write_whole(self._folder / name, b"")


def _read(path: Path, decode: Callable[[bytes], _Message]) -> _Message | None:
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise RunDamaged(file=path.name, detail=error) from error
