"""The folder of a run: made under a temporary name, published when it is over, found again.

captures/.20261121T134500.123Z-tour.partial    being recorded; captures/current points to it
captures/20261121T134500Z-tour                 complete; captures/latest points to the newest
captures/20261121T134500Z-tour.incomplete      cut short; what was recorded is there
captures/20261121T134500Z.2-tour               a second run of the same second
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lab.capture.disk import point, write_whole, writing
from lab.errors import NoRunAtAll, RunNotFound, UnreadableFile
from lab.text import Text

if TYPE_CHECKING:
    from lab.evidence.manifest import Manifest

RUN = re.compile(r"(\d{8}T\d{6}Z)(?:\.(\d+))?-(.+?)(\.incomplete)?")
PARTIAL = re.compile(r"\.(\d{8}T\d{6})\.(\d{3})Z-(.+)\.partial")

_SPARE = 64 * 1024  # octets kept back, so that a full disk still takes run.json
_MAPPED = 1 << 20  # files from this size on are mapped instead of read
_NONE = Text("none yet", "尚无")
_SHOWN = 5


class RunFolder:
    """A run being recorded. Its recorder holds a lock in it for as long as it lives."""

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        """Take charge of a folder whose lock is held; use `create` to make one."""
        self.path, self._lock = path, lock
        match = PARTIAL.fullmatch(path.name)
        assert match is not None
        self._second, milliseconds, self.scenario = match[1] + "Z", match[2], match[3]
        begun = datetime.fromisoformat(self._second)
        self.started = int(begun.timestamp()) * 10**9 + int(milliseconds) * 10**6  # ns

    @classmethod
    def create(
        cls, captures: Path, scenario: str, clock: Callable[[], int], *, current: bool = True
    ) -> RunFolder:
        """Make the folder; ``clock`` gives ns since 1970.

        ``current``: point ``captures/current`` at it, for hosts that have no link of their own.

        Raises DiskFull, and RecordingError where the folder cannot be written.
        """
        with writing(str(captures)):
            captures.mkdir(parents=True, exist_ok=True)
            path = _fresh(captures, scenario.replace(":", "."), clock() // 10**6)
            try:
                lock = _furnish(path / "control")
                if current:
                    point(captures / "current", path.name)
            except OSError:
                shutil.rmtree(path, ignore_errors=True)
                raise
        return cls(path, lock)

    @classmethod
    def take_over(cls, path: Path) -> RunFolder:
        """Take charge of a folder whose recorder is gone; BlockingIOError if it still lives."""
        lock = (path / "control" / "recorder").open("rb+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise
        return cls(path, lock)

    @property
    def control(self) -> Path:
        """Where hosts and sniffer talk (services/README.md)."""
        return self.path / "control"

    def close(self) -> None:
        """Let the folder go as it is; unless it was finished, it now counts as abandoned."""
        self._lock.close()

    def take_plan(self, plan: Path) -> None:
        """Copy the programs of a plan here, then the plan itself to where the hosts look for it."""
        with writing(str(self.path)):
            for program in sorted(plan.glob("*.py")):
                shutil.copyfile(program, self.path / program.name)
            for name in ("rules.json", "plan.json"):
                if (plan / name).exists():
                    write_whole(self.control / name, (plan / name).read_bytes())

    def note(self, manifest: Manifest) -> None:
        """Write run.json as far as it is known, for whoever mends the folder."""
        from lab.evidence.manifest import encode_manifest

        with writing("run.json"):
            write_whole(self.path / "run.json", encode_manifest(manifest))

    def finish(self, manifest: Manifest) -> Path:
        """Write run.json, publish the folder under its final name and return that.

        Raises DiskFull and RecordingError; the folder then stays as it is, to be mended.
        """
        captures = self.path.parent
        with writing("run.json"):
            (self.control / "spare").unlink(missing_ok=True)
            self.note(manifest)
            published = self._publish("" if manifest.complete else ".incomplete")
            shutil.rmtree(published / "control", ignore_errors=True)  # a host may be writing
            point(captures / "latest", published.name)
            _forget(captures / "current", self.path.name)
        self.path = published
        self.close()
        return published

    def _publish(self, ending: str) -> Path:
        captures = self.path.parent
        for nth in count(1):
            stamp = self._second if nth == 1 else f"{self._second}.{nth}"
            if any(captures.glob(f"{stamp}-*")):
                continue
            try:
                return self.path.rename(captures / f"{stamp}-{self.scenario}{ending}")
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # another has just taken it
                    raise
        raise AssertionError("the numbers ran out")


def _fresh(captures: Path, scenario: str, milliseconds: int) -> Path:
    """Make a folder of a name not yet taken, a millisecond later if need be."""
    for moment in count(milliseconds):
        stamp = datetime.fromtimestamp(moment // 1000, UTC).strftime("%Y%m%dT%H%M%S")
        path = captures / f".{stamp}.{moment % 1000:03d}Z-{scenario}.partial"
        with suppress(FileExistsError):
            path.mkdir()
            return path
    raise AssertionError("the milliseconds ran out")


def _furnish(control: Path) -> IO[bytes]:
    """Make ``control/`` and what the recorder keeps in it; returns the lock, held."""
    control.mkdir()
    with (control / "spare").open("wb") as spare:
        os.posix_fallocate(spare.fileno(), 0, _SPARE)
    lock = (control / ".recorder").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (control / ".recorder").rename(control / "recorder")  # from here on, unlocked means abandoned
    return lock


def _forget(link: Path, target: str) -> None:
    with suppress(OSError):  # a later run may have moved it already
        if os.readlink(link) == target:
            link.unlink()


# ---------------------------------------------------------------------- finding runs


def runs(captures: Path) -> list[Path]:
    """All published runs, whole or not, oldest first."""
    found = [path for path in _folders(captures) if RUN.fullmatch(path.name)]
    return sorted(found, key=_begun)


def newest(captures: Path) -> Path:
    """The run begun last; raises NoRunAtAll if there is none."""
    if found := runs(captures):
        return found[-1]
    raise NoRunAtAll(captures=captures)


def find_run(captures: Path, name: str) -> Path:
    """The run that ``name`` means; raises RunNotFound, saying which there are.

    In this order: a whole name, a scenario (its newest run), a sample, the only name that begins
    so, a path below ``captures`` ("latest"), any path.
    """
    if os.sep in name and _can_be_shown(Path(name)):  # no name: nothing needs to be listed
        return Path(name).resolve()
    known, samples = runs(captures), sorted(_folders(captures / "samples"))
    for choice in (
        [path for path in known if path.name == name],
        [path for path in known if _scenario(path) == name.replace(":", ".")][-1:],
        [path for path in samples if path.name == name],
        [path for path in (*known, *samples) if name and path.name.startswith(name)],
        [path.resolve() for path in (captures / name, Path(name)) if name and _can_be_shown(path)][
            :1
        ],
    ):
        if len(choice) == 1:
            return choice[0]
        if choice:
            raise RunNotFound(run=name, near=_listing(choice))
    raise RunNotFound(run=name, near=_listing([*samples, *known]))


def _can_be_shown(path: Path) -> bool:
    """A run, or a file that may be a capture; neither any folder nor a device."""
    return path.is_file() or (path / "run.json").is_file()


def _folders(captures: Path) -> list[Path]:
    try:
        return [
            Path(entry) for entry in os.scandir(captures) if entry.is_dir(follow_symlinks=False)
        ]
    except OSError:
        return []


def _begun(path: Path) -> tuple[str, int]:
    """When a run began: its second, and which run of that second it is."""
    match = RUN.fullmatch(path.name)
    return (match[1], int(match[2] or 1)) if match else ("", 0)


def _scenario(path: Path) -> str:
    match = RUN.fullmatch(path.name)
    return match[3] if match else ""


def _listing(paths: list[Path]) -> Text | str:
    return ", ".join(path.name for path in reversed(paths[-_SHOWN:])) or _NONE


def abandoned(captures: Path) -> list[Path]:
    """Folders of runs whose recorder is gone without publishing them, oldest first."""
    partial = sorted(path for path in _folders(captures) if PARTIAL.fullmatch(path.name))
    return [path for path in partial if not _recorded(path)]


def _recorded(path: Path) -> bool:
    """Whether a recorder holds the folder, or is just making it or has just published it, or it
    is not ours to judge."""
    try:
        with (path / "control" / "recorder").open("rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return not path.exists()
    except OSError:
        return True


def read_octets(path: Path) -> bytes | mmap.mmap:
    """The octets of a file: read, or mapped if there are many. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < _MAPPED:
                return file.read()
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        detail = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableFile(file=path, detail=detail) from error
