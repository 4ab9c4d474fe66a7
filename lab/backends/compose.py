"""The compose tool: which one is there, what it prints, and what its complaints mean."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.backends.base import Line
from lab.errors import (
    BridgeTaken,
    ComposeMissing,
    DockerForbidden,
    DockerMissing,
    EngineError,
    EngineFailed,
    PortTaken,
    SubnetTaken,
)

_COMPLAINTS: tuple[tuple[str, type[EngineError]], ...] = (
    (r"port is already allocated|address already in use", PortTaken),
    (r"pool overlaps|non-overlapping|fully subnetted", SubnetTaken),
    (r"bridge name|same bridge|bridge .* already exists", BridgeTaken),
    (r"permission denied.*docker(\.sock|.* daemon)|PermissionError", DockerForbidden),
    (r"cannot connect to the docker daemon|couldn't connect to docker daemon", DockerMissing),
)
_PRINTED = re.compile(r"^(?:.*?[-_])?(sniffer|server|client|web)(?:[-_]\d+)?\s+\| ?(.*)$")
_EXITED = re.compile(r"^(?:.*?[-_])?(sniffer|server|client|web)[-_]\d+ exited with code (\d+)")
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]"
)  # Compose v2 erases lines even with --ansi never


@dataclass(frozen=True, slots=True)
class Exited:
    """Compose says that one of its containers has ended."""

    source: str
    code: int


@dataclass(frozen=True, slots=True)
class Compose:
    """A compose tool, bound to one checkout and one project name."""

    command: tuple[str, ...]
    root: Path
    project: str

    def up(self, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start `up`; it ends when all containers have. A session of its own: Ctrl-C is ours."""
        return subprocess.Popen(
            [*self.command, "--ansi", "never", "-p", self.project, "up", "--no-build"],
            cwd=self.root,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def version(self) -> str:
        """What the tool says of itself; "" if it does not answer."""
        said = _run(*self.command, "version", "--short")
        return said.stdout.strip() if said.returncode == 0 else ""


def find_compose(root: Path, project: str) -> Compose:
    """Prefer `docker compose`, else `docker-compose`; raises ComposeMissing."""
    if shutil.which("docker") and _run("docker", "compose", "version").returncode == 0:
        return Compose(("docker", "compose"), root, project)
    if shutil.which("docker-compose"):
        return Compose(("docker-compose",), root, project)
    raise ComposeMissing


def understand(words: str) -> Line | Exited | None:
    """Read one line of compose's output; None: compose speaks of itself."""
    if exited := _EXITED.match(_CONTROL.sub("", words)):
        return Exited(exited[1], int(exited[2]))
    if printed := _PRINTED.match(words):
        return Line(printed[1], printed[2])
    return None


def complaint(lines: list[str]) -> EngineError:
    """Turn compose's last words into one error with a remedy."""
    said = [line.strip() for line in lines if line.strip()]
    for line in reversed(said):
        for pattern, error in _COMPLAINTS:
            if re.search(pattern, line, re.IGNORECASE):
                return error(detail=line, socket="/var/run/docker.sock")
    return EngineFailed(detail=" / ".join(said[-2:]) or "compose said nothing")


def output(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of a running `up`, as they come."""
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip("\n")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
