"""The containers of one lab, through the Docker Engine API: had, started fresh, plugged in, ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

from docker import APIClient
from docker.errors import APIError, DockerException

from lab.backends import kernel
from lab.backends.compose import complaint
from lab.backends.containers import CHECKOUT, LAB, NODE, RECIPE, SNIFFER, Config, Place
from lab.backends.outputs import Life, pieces
from lab.errors import EngineFailed, LabError, NotAvailable

LEAVE_WITHIN = 2  # seconds that the sniffer gets to save what it has
HEARD_WITHIN = 0.03  # seconds after which the engine has got a request
_PLUG = """
cd /sys/class/net
for link in *; do [ $link = lo ] || ip link delete $link; done 2>/dev/null
printf '%s\\n' "$@" | ip -batch -
"""
"""Cables of the run before may still hang there: the kernel takes its time over a namespace's end."""


class Machines:
    """What one lab has, by its place in it ("client", "switch"); ``notes`` outlives this process."""

    def __init__(self, client: APIClient, place: Place, notes: Path) -> None:
        self._client, self._place, self._notes = client, place, notes
        labels = [f"{CHECKOUT}={place.root}", f"{LAB}={place.number}"]
        found = client.containers(all=True, filters={"label": labels})
        self._there: dict[str, Mapping[str, Any]] = {row["Labels"][NODE]: row for row in found}

    def have(self, node: str, config: Config) -> str:
        """The container made so, if need be in the place of one made otherwise. Raises as `live`."""
        there = self._there.get(node)
        if there and there["Labels"].get(RECIPE) == config["Labels"][RECIPE]:
            return str(there["Id"])
        if there:
            self._client.remove_container(there["Id"], force=True, v=True)
        with _refusals(config):
            name = self._place.name_of(node)
            made = self._client.create_container_from_config(config, name)  # type: ignore[no-untyped-call]
            return str(made["Id"])

    def live(self, node: str, config: Config) -> Life:
        """A container that runs, in whatever state.

        Raises NotAvailable for a sysctl that Docker or the kernel refuses, else EngineError.
        """
        container = self.have(node, config)
        with _refusals(config):
            self._client.start(container)  # does nothing if it runs
            return self._life(container)

    def fresh(self, node: str, config: Config) -> Life:
        """A container that runs, and that no run has touched since it was started. Raises as `live`.

        A sniffer that still records another run saves what it has.
        """
        life = self.live(node, config)
        if life.started in self._played():
            with _refusals(config):
                self._client.restart(life.container, timeout=_patience(config))
                life = self._life(life.container)
        return life

    def note(self, lives: Iterable[Life]) -> None:
        """Remember that a run has used them up."""
        self._notes.write_text(json.dumps([life.started for life in lives]))

    def plug(self, switch: Life, lives: Mapping[str, Life], lines: Iterable[str]) -> None:
        """Lay the cables: lines of ip(8) for the switch, "{client}" for that node's pid.

        Raises NamespacesForbidden or EngineFailed.
        """
        pids = {node: life.pid for node, life in lives.items()}
        words = ["sh", "-c", _PLUG, "plug", *(line.format_map(pids) for line in lines)]
        with _refusals({}):
            made = self._client.exec_create(switch.container, words)["Id"]
            said = b"".join(pieces(self._client.exec_start(made, socket=True)))
            code = self._client.exec_inspect(made)["ExitCode"]
        if code:
            raise kernel.refusal("ip (switch)", said.decode(errors="replace").strip())

    def _life(self, container: str) -> Life:
        state = self._client.inspect_container(container)["State"]
        if not state["Running"]:
            last = self._client.logs(container, tail=1).decode(errors="replace").strip()
            raise EngineFailed(detail=last or f"exit code {state['ExitCode']}")
        return Life(container, state["Pid"], state["StartedAt"])

    def _played(self) -> list[str]:
        try:
            starts: list[str] = json.loads(self._notes.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        return starts


class Renewal:
    """Containers are started anew, aside: the engine goes on with it even if this process ends.

    Those that somebody has started since are left alone.
    """

    def __init__(self, client: APIClient, lives: Iterable[Life]) -> None:
        self._client = client
        self._threads = [Thread(target=self._renew, args=(life,), daemon=True) for life in lives]
        self._begun = False

    def begin(self) -> None:
        """Ask for it, unless that has been done; returns when the engine will have heard."""
        if self._begun:
            return
        self._begun = True
        for thread in self._threads:
            thread.start()
        until = monotonic() + HEARD_WITHIN
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))

    def end(self) -> None:
        """Wait until all have been started."""
        self.begin()
        for thread in self._threads:
            thread.join()

    def _renew(self, life: Life) -> None:
        with suppress(DockerException, OSError):  # then whoever needs it next will say so
            state = self._client.inspect_container(life.container)["State"]
            if state["StartedAt"] == life.started:
                self._client.restart(life.container, timeout=0)


def _patience(config: Config) -> int:
    return LEAVE_WITHIN if config["Labels"][NODE] == SNIFFER else 0


@contextmanager
def _refusals(config: Config) -> Iterator[None]:
    """Turn what Docker refuses into the lab's errors."""
    try:
        yield
    except APIError as error:
        raise refusal(str(error.explanation or error), config) from error


def refusal(said: str, config: Config) -> LabError:
    for name, value in config.get("HostConfig", {}).get("Sysctls", {}).items():
        if name in said or name.replace(".", "/") in said:
            reason = said.rpartition("container init: ")[2].removesuffix(": unknown")
            return NotAvailable(capability=f"sysctl {name}={value}", reason=reason)
    return complaint([said])
