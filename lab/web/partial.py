"""The evidence of a run that is still being recorded: what its folder holds up to now."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from lab.capture.control import Control
from lab.capture.folder import PARTIAL, read_octets
from lab.errors import CaptureFileError, LabError
from lab.evidence.build import evidence
from lab.evidence.manifest import HostRecord, Manifest, TapRecord, decode_manifest
from lab.evidence.run import Evidence

SETTLED = 20_000_000
"""ns after which a frame is in the captures of both ports: ring and recorder take 15 ms at most."""

LOGS = (".calls.jsonl", ".states.jsonl")


def is_live(folder: Path) -> bool:
    """Whether its recorder lives: it holds a lock (`lab.capture.folder`)."""
    try:
        with (folder / "control" / "recorder").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return (folder / "control").exists() and not (folder / "control" / "recorder").exists()
    return False


def sizes(folder: Path) -> dict[str, int]:
    """How much is in each file of evidence: what changes when something happened."""
    with suppress(OSError), os.scandir(folder) as entries:
        return {
            entry.name: entry.stat().st_size
            for entry in entries
            if entry.name.endswith((".pcapng", ".jsonl"))
        }
    return {}


def so_far(folder: Path) -> Evidence | None:
    """What was recorded up to now; None as long as there is no frame, or the folder has gone.

    Where one capture is behind the other by a moment, nothing counts as lost that is on its way.
    """
    now = time.time_ns()
    manifest = _noted(folder, now)
    try:
        captures = {tap.file: read_octets(folder / tap.file) for tap in manifest.taps}
        logs = {ending: _logs(folder, ending) for ending in LOGS}
        found = evidence(
            manifest,
            {name: octets for name, octets in captures.items() if len(octets)},
            calls=logs[".calls.jsonl"],
            wire=_log(folder / "wire.jsonl"),
            states=logs[".states.jsonl"],
        )
    except (OSError, CaptureFileError, msgspec.MsgspecError):
        return None
    return found if any(len(view.capture.frames) for view in found.views) else None


def _noted(folder: Path, now: int) -> Manifest:
    """run.json as the recorder would write it now: it names no host and no capture before its end."""
    try:
        noted = decode_manifest((folder / "run.json").read_bytes())
    except (OSError, msgspec.MsgspecError):
        match = PARTIAL.fullmatch(folder.name)
        noted = Manifest(scenario=match[3] if match else "", engine="", started=now)
    control = Control(folder / "control")
    names = sorted(path.stem for path in (folder / "control").glob("*.host"))
    hosts = tuple(record for name in names if (record := _host(control, name)))
    taps = tuple(_tap(path, now) for path in sorted(folder.glob("*.pcapng")))
    return msgspec.structs.replace(noted, hosts=hosts, taps=taps)


def _host(control: Control, name: str) -> HostRecord | None:
    with suppress(LabError, OSError):
        if said := control.announcement(name):
            return HostRecord(name=name, addresses=said.addresses, mac=said.mac, mtu=said.mtu)
    return None


def _tap(path: Path, now: int) -> TapRecord:
    """Recording began when the host was told so."""
    began = 0
    with suppress(OSError):
        began = (path.parent / "control" / f"{path.stem}.recording").stat().st_mtime_ns
    return TapRecord(
        host=path.stem, file=path.name, interface="", started=began, ended=now - SETTLED
    )


def _logs(folder: Path, ending: str) -> dict[str, bytes]:
    return {p.name.removesuffix(ending): p.read_bytes() for p in folder.glob(f"*{ending}")}


def _log(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
