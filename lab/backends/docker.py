"""The Docker engine: scenarios in labs of containers that stay up (labs.py), the tour by compose."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, NotFound

from lab.backends import doctor
from lab.backends.base import Check, Line, Removed, Say
from lab.backends.compose import Compose, find_compose
from lab.backends.composed import PROJECT, Composed, current
from lab.backends.containers import CHECKOUT, FOLDER, ROLE, SNIFFER, Place
from lab.backends.image import ensure_image, image_of, is_present, remove_images
from lab.backends.labs import Lab, free_number
from lab.backends.machines import LEAVE_WITHIN
from lab.backends.unseen import Unseen
from lab.errors import DockerForbidden, DockerMissing, EngineError
from lab.scenarios.base import Scenario

TOUR = "tour"
"""The scenario that compose.yaml plays, for whoever starts it without the lab's command."""


@dataclass(slots=False)
class DockerEngine:
    """One checkout's lab on the Docker engine of this machine."""

    root: Path
    language: str = ""
    name: str = "docker"
    side_by_side: int = 2
    _image: str = field(default="", init=False)
    _labs: dict[Place, Lab] = field(default_factory=dict, init=False)

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
        self._image = image_of(self.root)
        if not is_present(self.client, self._image):
            _ = self.compose  # missing: say so before building anything
            self._image = ensure_image(self.client, self.root, say)

    def run(self, scenario: Scenario, show: Callable[[Line], None] | None = None) -> Path | None:
        """Play one scenario until all have left; its folder, if the engine knows it.

        Raises EngineError, and NotAvailable for a sysctl that a host cannot have.
        """
        captures = self.root / "captures"
        captures.mkdir(exist_ok=True)
        if scenario.id == TOUR:
            composed = Composed(self.client, self.compose, captures, self.stop)
            with current(captures / FOLDER, alone=True):
                composed.play(scenario, self._image, self.language, show or Unseen())
            return None
        with current(captures / FOLDER, alone=False), free_number(captures) as number:
            return self._lab(number).play(scenario, show)

    def _lab(self, number: int) -> Lab:
        place = Place(self.root, self.project, number, self._image, self.language)
        return self._labs.setdefault(place, Lab(self.client.api, place))

    def stop(self) -> None:
        """End whatever runs in this checkout; sniffers first, which save what they have."""
        running = self._containers(running=True)
        sniffers = [one for one in running if one.labels[ROLE] == SNIFFER]
        _all(sniffers, lambda container: container.stop(timeout=LEAVE_WITHIN))
        _all(
            [one for one in running if one not in sniffers],
            lambda container: container.stop(timeout=0),
        )

    def down(self, *, images: bool = False) -> Removed:
        self.stop()
        containers = self._containers()
        found = {container.labels.get(PROJECT, self.project) for container in containers}
        _all(containers, lambda container: container.remove(force=True, v=True))
        networks = [net for project in found | {self.project} for net in self._networks(project)]
        for network in networks:
            with suppress(NotFound):
                network.remove()
        shutil.rmtree(self.root / "captures" / FOLDER, ignore_errors=True)
        return Removed(len(containers), len(networks), remove_images(self.client) if images else 0)

    def _containers(self, *, running: bool = False) -> list[Any]:
        """This checkout's containers: those of compose and those of its labs."""
        labels = [ROLE, f"{CHECKOUT}={self.root}"]
        found = self.client.containers.list(
            all=not running, filters={"label": labels}, ignore_removed=True
        )
        return list(found)

    def _networks(self, project: str) -> list[Any]:
        labels = ["lab.role=wire", f"{PROJECT}={project}"]
        return list(self.client.networks.list(filters={"label": labels}))


def _all(containers: list[Any], doing: Callable[[Any], object]) -> None:
    """Do something to several containers at once; one that has gone, or is going, is left alone."""

    def do(container: Any) -> None:
        with suppress(APIError):
            doing(container)

    with ThreadPoolExecutor() as pool:
        list(pool.map(do, containers))


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
    said, first = str(error), error
    while first.__context__:  # docker and requests each wrap what the system said
        first = first.__context__
    if "PermissionError" in said or "Permission denied" in said:
        return DockerForbidden(socket=host)
    if isinstance(first, OSError) and first.strerror:
        said = f"{host}: {first.strerror}"
    return DockerMissing(detail=said)
