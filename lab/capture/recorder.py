"""One run recorded: a tap for each host that announces itself, until all of them are done."""

from __future__ import annotations

import errno
import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

import lab
from lab.capture.base import KILLED, Listener, Recording, Task
from lab.capture.control import Announcement, Control, Done
from lab.capture.folder import RunFolder
from lab.capture.rings import Rings
from lab.capture.tap import Tap
from lab.errors import (
    HostsMissing,
    Interrupted,
    LabError,
    PortMissing,
    RecordingError,
    RunIncomplete,
)
from lab.evidence.manifest import HostRecord, Manifest, TapRecord
from lab.text import Text

_TURN, _FIRST_TURN = (
    5,
    1,
)  # ms: how long a turn waits for frames before it looks at the control files
_FIRST = 1.0  # s: how long the turns are short

_VANISHED = Text(
    "the port of host {host} vanished before the host said that it was done.",
    "主机 {host} 的端口在它报告完成之前消失了。",
)


class Recorder:
    """The sniffer's loop. It never dissects a frame; it ends with the folder published."""

    def __init__(
        self,
        task: Task,
        folder: RunFolder,
        listener: Listener,
        rings: Rings,
        *,
        interrupted: Callable[[], bool],
        clock: Callable[[], int],
    ) -> None:
        self._task, self._folder, self._listener, self._rings = task, folder, listener, rings
        self._interrupted, self._clock = interrupted, clock
        self._control = Control(folder.control)
        self._poll = select.poll()
        self._hosts: dict[str, Announcement] = {}
        self._taps: dict[str, Tap] = {}
        self._done: dict[str, Done] = {}
        self._told: dict[str, int] = {}  # frames the listener knows of
        self._versions = _versions()
        self._scapy: Thread | None = None  # brings it

    def run(self) -> Recording:
        """Record until all hosts are done, or until the run cannot go on.

        The Recording says which. Raises only if the folder itself cannot be finished.
        """
        failure: LabError | None = None
        try:
            self._folder.note(self._manifest(KILLED))
            self._listen()
            if self._scapy:
                self._scapy.join()
        except LabError as error:
            failure = error
        taps = self._end_taps()
        failures = [failure, *(tap.failure for tap in self._taps.values())]
        failure = next((one for one in failures if one), None)
        with suppress(RecordingError):
            self._control.end()
        self._tell()
        manifest = self._manifest(_reason(failure), complete=failure is None, taps=tuple(taps))
        published = self._folder.finish(manifest)
        if failure is not None:  # said again with the folder's final name
            failure = type(failure)(**failure.details | {"folder": published})
        return Recording(published, manifest, failure)

    def _end_taps(self) -> list[TapRecord]:
        """Stop all, then wait for what their rings hold; the kernel takes them back meanwhile."""
        for tap in self._taps.values():
            tap.stop()
        records = [tap.end() for tap in self._taps.values()]
        for tap in self._taps.values():
            Thread(target=tap.close).start()
        return records

    def _listen(self) -> None:
        began = progress = time.monotonic()
        while len(self._done) < len(self._task.hosts) or self._control.wire_at_work:
            self._poll.poll(_FIRST_TURN if progress < began + _FIRST else _TURN)
            if self._interrupted():
                raise Interrupted(folder=self._folder.path)
            frames = sum(tap.drain() for tap in self._taps.values())
            lost = [host for host, tap in self._taps.items() if tap.gone]
            heard = sum(self._hear(host) for host in self._task.hosts)
            self._check_ports(lost)
            now = time.monotonic()
            if self._wants_scapy(now - began):
                self._scapy = Thread(target=self._bring_scapy, daemon=True)
                self._scapy.start()
            if frames or heard:
                progress = now
            elif now - progress > self._task.deadline:
                raise self._given_up()
            if not self._poll.poll(0):
                self._tell()

    def _hear(self, host: str) -> bool:
        """Look for the host's next word; whether there was one."""
        if host not in self._taps:
            if announcement := self._control.announcement(host):
                self._open(host, announcement)
                return True
        elif host not in self._done and (done := self._control.done(host)):
            self._done[host] = done
            return True
        return False

    def _open(self, host: str, announcement: Announcement) -> None:
        self._hosts[host] = announcement
        path = self._folder.path / f"{host}.pcapng"
        try:
            tap = self._taps[host] = Tap(host, announcement.port, path, self._rings.take())
        except OSError as error:
            if error.errno in {errno.ENODEV, errno.ENXIO}:
                raise PortMissing(host=host, interface=announcement.port) from error
            raise RecordingError(detail=f"{host}: {error.strerror}") from error
        self._poll.register(tap, select.POLLIN)
        self._control.answer(host)
        self._listener.recording(host, tap.port, path)

    def _wants_scapy(self, seconds: float) -> bool:
        """Whether the rings are to go behind scapy sockets: once all are there, hosts wait no more.

        A run in namespaces is often over before scapy is imported: there it has to last a while.
        """
        late = seconds > _FIRST or self._task.engine != "namespaces"
        return late and self._scapy is None and len(self._taps) == len(self._task.hosts)

    def _bring_scapy(self) -> None:
        """Put the rings behind scapy sockets. The import is slow: beside the loop it holds up nobody."""
        from lab.capture.scapy_socket import SCAPY_VERSION, RingSocket

        self._versions["scapy"] = SCAPY_VERSION
        for tap in self._taps.values():
            tap.socket = RingSocket(tap.ring)

    def _check_ports(self, lost: list[str]) -> None:
        """A port may go once its host is done: its last word was looked for after the ports."""
        for host in lost:
            if host not in self._done:
                raise RunIncomplete(folder=self._folder.path, reason=_VANISHED.fill(host=host))

    def _given_up(self) -> RunIncomplete:
        silent = ", ".join(host for host in self._task.hosts if host not in self._done)
        reason = HostsMissing.what.fill(hosts=silent, seconds=f"{self._task.deadline:g}")
        return RunIncomplete(folder=self._folder.path, reason=reason)

    def _tell(self) -> None:
        for host, tap in self._taps.items():
            if tap.frames != self._told.get(host, 0):
                self._told[host] = tap.frames
                self._listener.frames(host, tap.path, tap.frames)

    def _manifest(
        self, reason: str, *, complete: bool = False, taps: tuple[TapRecord, ...] = ()
    ) -> Manifest:
        hosts = [self._host(name, said) for name, said in self._hosts.items()]
        order = self._task.hosts.index
        return Manifest(
            scenario=self._task.scenario,
            engine=self._task.engine,
            started=self._folder.started,
            ended=self._clock(),
            complete=complete,
            reason=reason,
            unavailable=self._control.unavailable(),
            hosts=tuple(sorted(hosts, key=lambda host: order(host.name))),
            taps=tuple(sorted(taps, key=lambda tap: order(tap.host))),
            versions=self._versions,
        )

    def _host(self, name: str, said: Announcement) -> HostRecord:
        done = self._done.get(name)
        return HostRecord(
            name=name,
            addresses=said.addresses,
            mac=said.mac,
            mtu=said.mtu,
            exit_codes=done.exit_codes if done else None,
        )


def _reason(failure: LabError | None) -> str:
    match failure:
        case None:
            return ""
        case Interrupted():
            return "interrupted"
        case RunIncomplete(details={"reason": Text(en=words)}):
            return words
        case _:
            return str(failure)


def _versions() -> dict[str, str]:
    return {
        "kernel": os.uname().release,
        "python": ".".join(map(str, sys.version_info[:3])),
        "lab": lab.__version__,
    }
