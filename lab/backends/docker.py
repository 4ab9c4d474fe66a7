"""The Docker engine: compose brings the hosts up, the SDK prepares and cleans."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, NotFound

from lab.backends import doctor
from lab.backends.base import PLAN_FOLDER, Check, Line, Removed, Say
from lab.backends.compose import Compose, Exited, complaint, find_compose, output, understand
from lab.backends.image import ensure_image, remove_images
from lab.errors import (
    DockerForbidden,
    DockerMissing,
    EngineError,
    LabError,
    RecordingError,
    SnifferFailed,
)
from lab.plan import write_plan
from lab.scenarios.base import Scenario

_WORKING_DIR = "com.docker.compose.project.working_dir"
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_RECORDING: tuple[type[LabError], ...] = (RecordingError, *RecordingError.__subclasses__())
_RECORDERS_OWN = {error.exit_code for error in _RECORDING}
_LEAVE_WITHIN = 2  # seconds the sniffer gets to save what it has


@dataclass(slots=False)
class DockerEngine:
    """One checkout's lab on the Docker engine of this machine."""

    root: Path
    language: str = ""
    name: str = "docker"
    side_by_side: int = 1  # one compose project a checkout
    _image: str = field(default="", init=False)

    @cached_property
    def client(self) -> DockerClient:
        """A connection to the daemon; raises DockerMissing or DockerForbidden."""
        return connect()

    @cached_property
    def compose(self) -> Compose:
        """The compose tool; raises ComposeMissing."""
        return find_compose(self.root, self.project)

    @property
    def project(self) -> str:
        """Compose's project name: its own for each checkout, so that labs do not meet."""
        return "lab" + hashlib.sha256(str(self.root).encode()).hexdigest()[:8]

    def check(self) -> Iterator[Check]:
        yield from doctor.checks(self.root, connect)

    def prepare(self, say: Say) -> None:
        _ = self.compose  # missing: say so before building anything
        self._image = ensure_image(self.client, self.root, say)

    def run(self, scenario: Scenario, show: Callable[[Line], None]) -> None:
        """Play the scenario's compose services until all have left; raises EngineError."""
        write_plan(scenario, self.root / "captures" / PLAN_FOLDER)
        self._remove(one for one in self._containers() if self._is_outdated(one))
        began = datetime.now(UTC)
        with self.compose.up(
            {
                "LAB_IMAGE": self._image,
                "LAB_LANG": self.language,
                "LAB_REPORT": "no",
                "LAB_PLAN": f"/captures/{PLAN_FOLDER}",
                "LAB_SCENARIO": scenario.id,
                "LAB_START": "service_started",  # the hosts keep the order by themselves
            }
        ) as process:
            try:
                if scenario.rules:
                    self._start_wire(scenario)
                aside = self._follow(process, show)
            finally:
                process.kill()
        code = self._exit_code("sniffer", began)
        if code in _RECORDERS_OWN:
            self._show_output("sniffer", began, show)
            raise SnifferFailed(code=code)
        if code is None:  # compose gave up before the run was over
            self.stop()
            raise complaint(aside)

    def _start_wire(self, scenario: Scenario) -> None:
        """The relay between the ports: beside the bridge, like the sniffer; only where needed."""
        hosts = [word for name in scenario.topology.names for word in ("--host", name)]
        self.client.containers.run(
            self._image,
            ["python3", "-m", "lab.cli", "wire", *hosts],
            detach=True,
            auto_remove=True,
            init=True,
            network_mode="host",
            read_only=True,
            cap_drop=["ALL"],
            cap_add=["NET_ADMIN", "NET_RAW", "CHOWN", "DAC_OVERRIDE"],
            security_opt=["no-new-privileges:true"],
            environment={"LAB_LANG": self.language},
            volumes={str(self.root / "captures"): {"bind": "/captures", "mode": "rw"}},
            labels={
                "lab.role": "relay",
                _SERVICE: "wire",
                _PROJECT: self.project,
                _WORKING_DIR: str(self.root),
            },
        )

    def _follow(self, process: subprocess.Popen[str], show: Callable[[Line], None]) -> list[str]:
        """Hand on what the programs print; returns what compose itself said."""
        aside: list[str] = []
        for words in output(process):
            match understand(words):
                case Line() as line:
                    show(line)
                case Exited("sniffer", code):  # the run is over; what is left of compose can go
                    if code:
                        self.stop()
                    break
                case None:
                    aside.append(words)
        return aside

    def _exit_code(self, service: str, since: datetime) -> int | None:
        """How a service's container ended; None if it runs, or ended before."""
        for container in self._containers():
            state = container.attrs["State"]
            ended = not state["Running"] and state["FinishedAt"] > since.isoformat()
            if ended and container.labels[_SERVICE] == service:
                return int(state["ExitCode"])
        return None

    def _show_output(self, service: str, since: datetime, show: Callable[[Line], None]) -> None:
        """Compose shows no output of a container that fails before all have started: do it here."""
        for container in self._containers():
            if container.labels[_SERVICE] == service:
                for words in container.logs(since=since).decode().splitlines():
                    show(Line(service, words))

    def stop(self) -> None:
        for container in self._containers(running=True):
            with suppress(APIError):
                container.stop(timeout=_LEAVE_WITHIN if self._role(container) == "sniffer" else 0)

    def down(self, *, images: bool = False) -> Removed:
        self.stop()
        containers = self._containers()
        projects = {container.labels[_PROJECT] for container in containers} | {self.project}
        self._remove(containers)
        networks = [net for project in projects for net in self._networks(project)]
        for network in networks:
            with suppress(NotFound):
                network.remove()
        return Removed(len(containers), len(networks), remove_images(self.client) if images else 0)

    def _containers(self, *, running: bool = False) -> list[Any]:
        """This checkout's containers, the sniffer first."""
        labels = ["lab.role", f"{_WORKING_DIR}={self.root}"]
        found = self.client.containers.list(
            all=not running, filters={"label": labels}, ignore_removed=True
        )
        return sorted(found, key=lambda container: self._role(container) != "sniffer")

    def _networks(self, project: str) -> list[Any]:
        labels = ["lab.role=wire", f"{_PROJECT}={project}"]
        return list(self.client.networks.list(filters={"label": labels}))

    def _is_outdated(self, container: Any) -> bool:
        """Made from another image than this checkout's: compose 1.29 would ask what to do."""
        return bool(container.attrs["Config"]["Image"] != self._image)

    @staticmethod
    def _remove(containers: Iterable[Any]) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(_remove, containers))

    @staticmethod
    def _role(container: Any) -> str:
        return str(container.labels.get("lab.role", ""))


def connect() -> DockerClient:
    """Connect to the daemon that the docker command itself would use."""
    host = os.environ.get("DOCKER_HOST") or ContextAPI.get_current_context().Host
    try:
        client = DockerClient(base_url=host) if host else DockerClient.from_env()
        client.ping()
    except (DockerException, OSError) as error:
        raise _why(error, host or "/var/run/docker.sock") from error
    return client


def _why(error: BaseException, host: str) -> EngineError:
    said = str(error)
    if "PermissionError" in said or "Permission denied" in said:
        return DockerForbidden(socket=host)
    return DockerMissing(detail=said)


def _remove(container: Any) -> None:
    with suppress(NotFound):
        container.remove(force=True, v=True)
