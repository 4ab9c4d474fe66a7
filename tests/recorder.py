"""Runs sources, written in a test, under services.record."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from lab.evidence.calls import Call, decode_calls

ROOT = Path(__file__).parents[1]
RECORD = [sys.executable, "-m", "services.record"]
Ended = subprocess.CompletedProcess[str]

PAIR = """
    import socket
    listener = socket.create_server(("127.0.0.1", 0))
    near = socket.create_connection(listener.getsockname())
    far, _ = listener.accept()
"""


class Recorder:
    """Runs sources under the recorder, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls.jsonl"
        self.program = folder / "program.py"

    def run(self, source: str, *arguments: str) -> Ended:
        self.program.write_text(dedent(source))
        words = [*RECORD, "--log", str(self.log), str(self.program), *arguments]
        return subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=20)

    def run_plain(self, source: str) -> Ended:
        self.program.write_text(dedent(source))
        words = [sys.executable, str(self.program)]
        return subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=20)

    @contextmanager
    def running(self, source: str) -> Iterator[subprocess.Popen[str]]:
        """Start a program and yield it once it has printed a line and waits in a call."""
        self.program.write_text(dedent(source))
        words = [*RECORD, "--log", str(self.log), str(self.program)]
        with subprocess.Popen(words, cwd=ROOT, stdout=-1, stderr=-1, encoding="utf-8") as process:
            assert process.stdout is not None
            process.stdout.readline()
            state = Path(f"/proc/{process.pid}/stat")
            while state.read_text().rsplit(")")[-1].split()[0] != "S":
                pass
            try:
                yield process
            finally:
                process.kill()

    def calls(self, source: str) -> tuple[Call, ...]:
        """Run to a good end; return what was written."""
        ended = self.run(source)
        assert (ended.returncode, ended.stderr) == (0, "")
        return self.written()

    def written(self) -> tuple[Call, ...]:
        return decode_calls(self.log.read_bytes())


def names(calls: tuple[Call, ...], kind: str = "tcp") -> list[str]:
    return [call.function for call in calls if call.kind == kind]
