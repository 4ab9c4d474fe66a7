"""The tour as compose.yaml has it: what `docker compose up` plays, prepared, followed and judged."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

from docker import DockerClient
from msgspec import Struct

from lab.backends.base import PLAN_FOLDER, Line
from lab.backends.compose import Compose, Exited, complaint, output, understand
from lab.backends.containers import CHECKOUT
from lab.backends.unseen import RECORDERS_OWN, judge_sniffer
from lab.errors import PortTaken
from lab.plan import write_plan
from lab.scenarios.base import Scenario

PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
PAGE_PORT = "LAB_WEB_PORT"
CURRENT = "current"
USUAL_PORT, ANY_PORT = "8080", "0"
LAST_WORDS = 5.0  # seconds in which compose hands on what the sniffer has printed

Show = Callable[[Line], None]


class Composed(Struct, frozen=True):
    """One checkout's compose project."""

    client: DockerClient
    compose: Compose
    captures: Path
    stop: Callable[[], None]  # ends everything that runs in this checkout

    def play(self, scenario: Scenario, image: str, language: str, show: Show) -> None:
        """Play the services until all have left; raises EngineError."""
        write_plan(scenario, self.captures / PLAN_FOLDER)
        self._remove_outdated(image)
        environment = _environment(scenario, image, language)
        first, *others = self._page_ports()
        try:
            self._play(environment | {PAGE_PORT: first}, show)
        except PortTaken:  # by another lab that saw it free in the same moment
            if not others:
                raise
            self._play(environment | {PAGE_PORT: others[0]}, show)
        if page := self._page():
            show(Line("web", f"http://{page}/"))

    def _play(self, environment: Mapping[str, str], show: Show) -> None:
        (self.captures / CURRENT).unlink(
            missing_ok=True
        )  # a killed sniffer's: hosts would wait there
        began = datetime.now(UTC)
        with self.compose.up(environment) as process, self._ending_with_the_sniffer(process):
            try:
                aside = self._follow(process, show)
            finally:
                process.kill()
        code = self._exit_code("sniffer", began)
        if code is None:  # compose gave up before the run was over
            self.stop()
            raise complaint(aside)
        if code in RECORDERS_OWN:
            self._show_output("sniffer", began, show)
        judge_sniffer(code, show)

    @contextmanager
    def _ending_with_the_sniffer(self, process: subprocess.Popen[str]) -> Iterator[None]:
        """The page stays, so compose would stay: end it, should we not understand what it says."""
        labels = [*self._labels(), f"{_SERVICE}=sniffer"]
        ends = self.client.events(decode=True, filters={"event": "die", "label": labels})

        def wait() -> None:
            with suppress(Exception):  # the engine has gone: compose ends too
                next(ends)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LAST_WORDS)
                process.kill()

        Thread(target=wait, daemon=True).start()
        try:
            yield
        finally:
            ends.close()

    def _remove_outdated(self, image: str) -> None:
        """Made from another image than this checkout's: compose 1.29 would ask what to do."""
        outdated = (one for one in self._containers() if one.attrs["Config"]["Image"] != image)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda container: container.remove(force=True, v=True), outdated))

    def _follow(self, process: subprocess.Popen[str], show: Show) -> list[str]:
        """Hand on what the programs print; returns what compose itself said."""
        aside: list[str] = []
        for words in output(process):
            match understand(words):
                case Line("web"):  # where it listens in its container
                    pass
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

    def _show_output(self, service: str, since: datetime, show: Show) -> None:
        """Compose shows no output of a container that fails before all have started: do it here."""
        for container in self._containers():
            if container.labels[_SERVICE] == service:
                for words in container.logs(since=since).decode().splitlines():
                    show(Line(service, words))

    def _page_ports(self) -> tuple[str, ...]:
        """What to publish the page at, in turn: the port that is asked for, or that the page has
        already, or 8080 if it is free, else any that is (0)."""
        if asked := os.environ.get(PAGE_PORT):
            return (asked,)
        if bound := self._page():
            return bound.rpartition(":")[2], ANY_PORT
        with suppress(OSError), socket.create_server(("127.0.0.1", int(USUAL_PORT))):
            return USUAL_PORT, ANY_PORT
        return (ANY_PORT,)

    def _page(self) -> str:
        """Where the page is published, "127.0.0.1:8080"; "" while it does not run."""
        for container in self._containers():
            if container.labels[_SERVICE] == "web" and container.ports.get("8080/tcp"):
                (bound, *_) = container.ports["8080/tcp"]
                return f"{bound['HostIp']}:{bound['HostPort']}"
        return ""

    def _containers(self) -> list[Any]:
        found = self.client.containers.list(
            all=True, filters={"label": self._labels()}, ignore_removed=True
        )
        return list(found)

    def _labels(self) -> list[str]:
        return [f"{PROJECT}={self.compose.project}", f"{CHECKOUT}={self.compose.root}"]


def _environment(scenario: Scenario, image: str, language: str) -> dict[str, str]:
    """What compose.yaml asks for."""
    return {
        "LAB_IMAGE": image,
        "LAB_LANG": language,
        "LAB_REPORT": "no",
        "LAB_PLAN": f"/captures/{PLAN_FOLDER}",
        "LAB_SCENARIO": scenario.id,
        "LAB_START": "service_started",  # the hosts keep the order by themselves
        "LAB_WEB_LEAVE": "no",  # the page stays until `lab down`
    }


@contextmanager
def current(folder: Path, *, alone: bool) -> Iterator[None]:
    """Take turns: compose's hosts look for their run at captures/current, where any sniffer points.

    ``alone``: nobody else may record here meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "turn").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
