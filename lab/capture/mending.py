"""A run whose recorder was killed, made into an incomplete run that opens."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from lab.capture.base import KILLED
from lab.capture.control import Control
from lab.capture.folder import RunFolder
from lab.errors import CaptureFileError, LabError
from lab.evidence.manifest import HostRecord, Manifest, TapRecord, decode_manifest
from lab.packets.kinds import Damage
from lab.packets.reader import read_capture


def mend(partial: Path) -> Path:
    """Publish an abandoned folder (see `folder.abandoned`) as incomplete; returns its new path.

    run.json is completed from what is there, and captures are cut back to their last whole block.
    Raises BlockingIOError if the recorder still lives.
    """
    folder = RunFolder.take_over(partial)
    noted, control = _noted(folder), Control(folder.control)
    names = sorted({path.name.split(".")[0] for path in folder.control.glob("*.host")})
    hosts = [record for name in names if (record := _host(control, name))]
    taps = [tap for path in sorted(partial.glob("*.pcapng")) if (tap := _tap(path))]
    last = max((path.stat().st_mtime_ns for path in partial.iterdir()), default=folder.started)
    return folder.finish(
        msgspec.structs.replace(noted, ended=last, hosts=tuple(hosts), taps=tuple(taps))
    )


def _noted(folder: RunFolder) -> Manifest:
    try:
        return decode_manifest((folder.path / "run.json").read_bytes())
    except (OSError, msgspec.MsgspecError):
        return Manifest(
            scenario=folder.scenario, engine="unknown", started=folder.started, reason=KILLED
        )


def _host(control: Control, name: str) -> HostRecord | None:
    try:
        said, done = control.announcement(name), control.done(name)
    except LabError:
        return None
    if said is None:
        return None
    codes = done.exit_codes if done else None
    return HostRecord(
        name=name, addresses=said.addresses, mac=said.mac, mtu=said.mtu, exit_codes=codes
    )


def _tap(path: Path) -> TapRecord | None:
    """Cut the file back to its last whole block and describe it; None if nothing is whole."""
    try:
        capture = read_capture(path.read_bytes(), name=path.name)
    except CaptureFileError:
        return None
    for problem in capture.problems:
        if problem.kind is Damage.TRUNCATED:
            os.truncate(path, problem.offset)
    port = capture.interfaces[0].name if capture.interfaces else ""
    frames = len(capture.frames)
    return TapRecord(host=path.stem, file=path.name, interface=port, frames=frames, seen=frames)
