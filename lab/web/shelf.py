"""The runs there are: what each was, and what became of it, so that none ends in a traceback."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from lab.analyze import load_run, read_manifest
from lab.capture.folder import RUN
from lab.errors import LabError
from lab.evidence.manifest import Manifest
from lab.report.account import judge
from lab.report.verdict import Verdict
from lab.text import Text

KEPT = 512  # runs whose verdict is remembered


class Fate(StrEnum):
    """What became of a run."""

    KEPT = "kept"
    BROKEN = "broken"
    LACKING = "lacking"  # not available here
    UNJUDGED = "unjudged"  # not looked at yet, or of no scenario that the lab knows
    INCOMPLETE = "incomplete"
    DAMAGED = "damaged"


WORDS = {
    Fate.KEPT: Text("all promises kept", "承诺全部兑现"),
    Fate.LACKING: Text("not available here", "此处不可用"),
    Fate.UNJUDGED: Text("no verdict", "没有结论"),
}
BROKEN = Text("{count} promise[|s] broken", "{count} 项承诺未兑现")
INCOMPLETE = Text("incomplete: {reason}", "不完整：{reason}")


class Entry(Struct, frozen=True):
    """One run in the list."""

    name: str
    scenario: str
    engine: str
    began: str  # UTC, "2026-11-21 13:45:00"; "" if unknown
    fate: Fate
    words: Text


class Shelf:
    """Looks at run folders; a verdict is found once for each state of a folder."""

    def __init__(self) -> None:
        """Nothing is looked at yet."""
        self._known: OrderedDict[tuple[str, int], Entry] = OrderedDict()

    def brief(self, folder: Path) -> Entry:
        """What run.json says, and the verdict if it is known already: quick."""
        if known := self._known.get(_state(folder)):
            return known
        return _entry(folder, None)

    def entry(self, folder: Path) -> Entry:
        """The same with its verdict, for which the whole run is read."""
        state = _state(folder)
        if state not in self._known:
            self._known[state] = _judged(folder)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return self._known[state]


def _state(folder: Path) -> tuple[str, int]:
    """A folder's time changes with every file that is put into it."""
    try:
        return folder.name, folder.stat().st_mtime_ns
    except OSError:
        return folder.name, 0


def _judged(folder: Path) -> Entry:
    try:
        return _entry(folder, judge(load_run(folder)))
    except LabError as error:
        return _wrong(folder, error)


def _entry(folder: Path, verdict: Verdict | None) -> Entry:
    try:
        manifest = read_manifest(folder)
    except LabError as error:
        return _wrong(folder, error)
    fate, words = _fate(manifest, verdict)
    began = _moment(manifest.started)
    return Entry(folder.name, manifest.scenario, manifest.engine, began, fate, words)


def _fate(manifest: Manifest, verdict: Verdict | None) -> tuple[Fate, Text]:
    if not manifest.complete:
        return Fate.INCOMPLETE, INCOMPLETE.fill(reason=manifest.reason or "?")
    if verdict is None:
        return Fate.UNJUDGED, WORDS[Fate.UNJUDGED]
    if verdict.unavailable:
        return Fate.LACKING, verdict.unavailable
    if verdict.kept:
        return Fate.KEPT, WORDS[Fate.KEPT]
    broken = sum(not row.kept for row in verdict.rows)
    return Fate.BROKEN, BROKEN.fill(count=broken)


def _wrong(folder: Path, error: LabError) -> Entry:
    """A run that cannot be read: its name is what is known of it."""
    match = RUN.fullmatch(folder.name)
    scenario, incomplete = (match[3], bool(match[4])) if match else (folder.name, False)
    began = _spaced(match[1]) if match else ""
    fate = Fate.INCOMPLETE if incomplete else Fate.DAMAGED
    return Entry(folder.name, scenario, "", began, fate, error.what.fill(**error.details))


def _spaced(stamp: str) -> str:
    """``20261121T134500Z`` as a moment is written; whether there is such a one is not asked."""
    day, clock = stamp.rstrip("Z").split("T")
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"


def _moment(ns: int) -> str:
    try:
        return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return ""
