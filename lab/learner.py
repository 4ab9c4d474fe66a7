"""Where a learner's progress is kept: one local file, written whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lab.capture.disk import write_whole, writing
from lab.errors import ProgressDamaged
from lab.quiz.progress import Progress, decode_progress, encode_progress


def progress_file(environment: Mapping[str, str]) -> Path:
    """LAB_PROGRESS, else a file under XDG_DATA_HOME (~/.local/share)."""
    if named := environment.get("LAB_PROGRESS"):
        return Path(named)
    home = environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "tcp-udp-lab" / "progress.json"


def load_progress(path: Path) -> Progress:
    """Read it; nothing there yet is an empty one. Raises ProgressDamaged."""
    try:
        octets = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Progress()
    except OSError as error:
        raise ProgressDamaged(file=path, detail=error.strerror) from error
    return decode_progress(octets, path)


def save_progress(path: Path, progress: Progress) -> None:
    """Write it whole, or not at all; raises DiskFull."""
    with writing(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, encode_progress(progress))
