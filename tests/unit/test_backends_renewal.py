"""Which containers are started anew when a run is over."""

from __future__ import annotations

from typing import cast

from docker import APIClient

from lab.backends.machines import Renewal
from lab.backends.outputs import Life

LIVES = [Life("client", 1, "at six"), Life("server", 2, "at six")]


class Engine:
    """Docker's, as far as it is asked; keeps what it was told to restart."""

    def __init__(self, **started: str) -> None:
        self.started, self.restarted = started, list[str]()

    def inspect_container(self, container: str) -> dict[str, dict[str, str]]:
        return {"State": {"StartedAt": self.started[container]}}

    def restart(self, container: str, timeout: int) -> None:
        assert timeout == 0
        self.restarted.append(container)


def test_what_a_run_has_used_up_is_started_anew_once() -> None:
    engine = Engine(client="at six", server="at six")
    renewal = Renewal(cast(APIClient, engine), LIVES)
    renewal.begin()
    renewal.end()
    assert sorted(engine.restarted) == ["client", "server"]


def test_what_another_run_has_started_since_is_left_to_it() -> None:
    engine = Engine(client="at six", server="at seven")
    Renewal(cast(APIClient, engine), LIVES).end()
    assert engine.restarted == ["client"]
