"""A checkout of its own for a test: the lab's files in a temporary folder, driven by its command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PARTS = ("compose.yaml", ".dockerignore", "lab", "services", "requirements")
LONGEST = 300  # seconds that any command may take: the first one builds the image


@dataclass(frozen=True)
class Checkout:
    """A copy of the lab; its labs never meet those of another copy."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> Checkout:
        for part in _PARTS:
            source, target = ROOT / part, root / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        (root / "captures").mkdir()
        return cls(root)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "lab.cli", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.root), "LAB_LANG": "en", **more}

    def lab(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one command of the lab to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )

    @contextmanager
    def starting(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run one command while the test does something to it; interrupted at the end."""
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment(PYTHONUNBUFFERED="1"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=LONGEST)

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Change one file of the copy; a change that changes nothing is a fault of the test."""
        before = (self.root / name).read_text()
        after = change(before)
        assert after != before
        (self.root / name).write_text(after)

    @property
    def captures(self) -> Path:
        return self.root / "captures"

    @property
    def newest(self) -> Path:
        return (self.captures / "latest").resolve()

    def containers(self) -> list[str]:
        """Ids of this checkout's containers, running or not."""
        label = f"label=com.docker.compose.project.working_dir={self.root}"
        return docker("ps", "-aq", "--filter", label).split()

    def project(self) -> str:
        """The name under which Compose runs this checkout's lab, while it is up."""
        label = '{{index .Config.Labels "com.docker.compose.project"}}'
        return docker("inspect", "-f", label, self.containers()[0])


def networks(project: str) -> list[str]:
    """Ids of a Compose project's networks."""
    label = f"label=com.docker.compose.project={project}"
    return docker("network", "ls", "-q", "--filter", label).split()


def docker(*arguments: str) -> str:
    """Ask the Docker engine something; returns what it printed."""
    run = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Read what a command prints until a line holds ``words``; returns all that was read."""
    assert process.stdout is not None
    read = []
    for line in process.stdout:
        read.append(line)
        if words in line:
            return "".join(read)
    raise AssertionError(f"ended without saying {words!r}:\n{''.join(read)}")
