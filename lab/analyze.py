"""Read runs and capture files from disk: damage becomes an error that says what was read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from lab.bounds import in_bounds
from lab.capture.folder import find_run, newest, read_octets
from lab.errors import (
    CaptureFileError,
    DamagedCapture,
    EmptyCapture,
    LabError,
    NotARun,
    RunDamaged,
    RunIncomplete,
    TruncatedCapture,
)
from lab.evidence.build import alone, evidence, view
from lab.evidence.manifest import Manifest, decode_manifest
from lab.evidence.run import Evidence, View
from lab.packets.each import Each, Stage, Watched
from lab.packets.frames import Damage
from lab.text import same
from lab.workers import side_by_side

Share = Callable[[float], None]
"""Hears which share of the work is done, 0 to 1."""

STAGES = {
    Stage.FETCHED: (0.0, 0.15),
    Stage.RECORDED: (0.15, 0.25),
    Stage.DECODED: (0.25, 0.55),
    Stage.ANALYSED: (0.55, 1.0),
}
"""Where each stage begins and ends, as shares of the time that a large capture takes."""


def load(
    captures: Path, target: str, told: Share | None = None, memory: int | None = None
) -> tuple[str, Evidence]:
    """Find and read what a user names: a capture file, a run, or ("") the newest run.

    ``told``, ``memory``: see `load_file`. Returns its name and its evidence; raises RunNotFound and what `load_run`, `load_file` raise.
    """
    path = Path(target) if target and Path(target).is_file() else None
    path = path or (find_run(captures, target) if target else newest(captures))
    if path.is_file():
        return target, alone(load_file(path, told, memory))
    return path.name, load_run(path)


def load_run(folder: Path) -> Evidence:
    """Read and analyse a run folder.

    Raises NotARun, RunDamaged, NotACapture, UnreadableFile, EmptyCapture; and RunIncomplete for a run of
    which no capture is left. What is cut off is no error here: see `damage`.
    """
    manifest = read_manifest(folder)
    files = {tap.file: folder / tap.file for tap in manifest.taps}
    present = {name: read_octets(path) for name, path in files.items() if path.exists()}
    if not present:
        raise RunIncomplete(folder=folder.name, reason=same(manifest.reason or "no capture"))
    wire, events = folder / "wire.jsonl", folder / "kernel.jsonl"
    try:
        return evidence(
            manifest,
            present,
            calls=_logs(folder, ".calls.jsonl"),
            wire=wire.read_bytes() if wire.exists() else None,
            states=_logs(folder, ".states.jsonl"),
            events=events.read_bytes() if events.exists() else b"",
        )
    except msgspec.MsgspecError as error:
        raise RunDamaged(file="log", detail=error) from error


def _logs(folder: Path, ending: str) -> dict[str, bytes]:
    """The logs of one kind, by host."""
    return {path.name.removesuffix(ending): path.read_bytes() for path in folder.glob(f"*{ending}")}


def read_manifest(folder: Path) -> Manifest:
    """Read a run's run.json; raises NotARun, RunDamaged or UnreadableFile."""
    path = folder / "run.json"
    if folder.is_dir() and not path.exists():
        raise NotARun(folder=folder)
    try:
        return decode_manifest(bytes(read_octets(path)))
    except msgspec.MsgspecError as error:
        raise RunDamaged(file=path, detail=error) from error


def load_file(path: Path, told: Share | None = None, memory: int | None = None) -> View:
    """Read and analyse one capture file, or standard input for "-".

    ``told``: is called now and then, with more than before or not; ``memory``: octets that the
    process may take, as many as are free if it is not said. Of a file that needs more, what is
    computed is kept in temporary files. Raises UnreadableFile, NotACapture, EmptyCapture, and
    NotWritten if those find no room.
    """
    octets = sys.stdin.buffer.read() if str(path) == "-" else read_octets(path)
    if not len(octets):
        raise EmptyCapture(file=path)
    with in_bounds(octets, path, memory) as held:
        found = view("", str(path), held, _watched(told) if told else side_by_side)
        if not len(found.capture.frames) and not found.capture.problems:
            raise EmptyCapture(file=path)
        if told or held is not octets:
            len(found.connections)  # which else are analysed when the first of them is asked for
    return found


def _watched(told: Share) -> Each:
    def heard(stage: Stage, share: float) -> None:
        begin, end = STAGES[stage]
        told(begin + (end - begin) * share)

    return Watched(side_by_side, heard)


def damage(view: View) -> CaptureFileError | None:
    """What was wrong with a file that was read as far as it goes; None if it is whole."""
    frames = len(view.capture.frames)
    for problem in view.capture.problems:
        if problem.kind is Damage.TRUNCATED:
            return TruncatedCapture(file=view.file, offset=problem.offset, frames=frames)
        return DamagedCapture(
            file=view.file, offset=problem.offset, claim=problem.claim, frames=frames
        )
    return None


def first_damage(evidence: Evidence) -> LabError | None:
    """The first damage in any capture of a run."""
    return next((found for one in evidence.views if (found := damage(one))), None)
