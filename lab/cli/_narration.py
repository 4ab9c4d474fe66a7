"""Telling of a run while it is recorded: what each frame of the first host means, as it passes.

The sniffer of the namespaces engine only says what happens (lab.capture.sniffer --tell); the words
are made here, in the process that shows them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.text import Language, Text

if TYPE_CHECKING:
    from lab.report.growing import Growing

READY = Text("ready: waiting for {hosts}", "就绪：等待 {hosts}")
SAVED = Text("saved: {folder}", "已保存：{folder}")
RECORDING = Text(
    "recording {file} at {host}'s port {port}", "正在 {host} 的端口 {port} 上录制 {file}"
)


class Narration:
    """A listener that says what each frame of the first host means, while it is recorded."""

    def __init__(
        self, hosts: tuple[str, ...], language: Language, say: Callable[[str], None] = click.echo
    ) -> None:
        self._hosts, self._language, self._say = hosts, language, say
        self._names: dict[str, str] = {}  # host by address, as they announce themselves
        self._growing: Growing | None = None
        self._read = 0  # octets of the first host's file

    def started(self, folder: Path) -> None:
        """Hosts may come: say so, and load what telling needs while they do."""
        from lab.capture.control import Control
        from lab.report.growing import Growing
        from lab.report.narrator import Narrator

        self._say(READY.fill(hosts=", ".join(self._hosts)).say(self._language))
        self._control = Control(folder / "control")
        self._narrator = Narrator(self._names, self._language)
        self._growing = Growing()

    def recording(self, host: str, port: str, capture: Path) -> None:
        """Say where a file is recorded; learn the host's addresses."""
        announced = self._control.announcement(host)
        self._recording(host, port, capture.name, announced.addresses if announced else ())

    def _recording(self, host: str, port: str, file: str, addresses: Iterable[str]) -> None:
        self._names.update(dict.fromkeys(addresses, host))
        words = RECORDING.fill(file=file, host=host, port=port)
        self._say(words.say(self._language))
        if host == self._hosts[0]:
            importlib.import_module("lab.report.account")  # now, while its programs start

    def frames(self, host: str, capture: Path, count: int) -> None:
        """Tell of the frames that the first host's file has grown by."""
        if host != self._hosts[0] or self._growing is None:  # Ctrl-C came before `started`
            return
        with capture.open("rb") as file:
            file.seek(self._read)
            octets = file.read()
        self._read += len(octets)
        if found := self._growing.grow(octets):
            first = self._growing.frames + 1 - len(found.frames)
            for line in self._narrator.feed(found, first):
                self._say(line)

    def saved(self, folder: Path) -> None:
        """Tell of what is left, now in the folder under its final name, and say where it is."""
        first = folder / f"{self._hosts[0]}.pcapng"
        if first.exists():
            self.frames(self._hosts[0], first, 0)
        self._say(SAVED.fill(folder=f"captures/{folder.name}").say(self._language))

    def hear(self, words: str, captures: Path) -> None:
        """Take in a line of the sniffer; one that is none of its reports is passed on."""
        match words.split("\t"):
            case ["@started", folder]:
                self.started(captures / folder)
            case ["@recording", host, port, file, *addresses]:
                self._recording(host, port, file, addresses)
            case ["@frames", host, folder, file]:
                with suppress(FileNotFoundError):  # published meanwhile: `saved` tells of the rest
                    self.frames(host, captures / folder / file, 0)
            case ["@saved", folder]:
                self.saved(captures / folder)
            case _:
                self._say(words)
