"""Every scenario, and every variant, keeps its promises on the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from lab import scenarios
from lab.cli._every import Mark
from tests.checkout import LONGEST, Checkout
from tests.played import Played, play_once, shared

SIDE_BY_SIDE = 2

NAMES = [
    name if not variant else f"{name}:{variant}"
    for name in scenarios.names()
    for variant in ("", *scenarios.find(name).variants)
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.make(tmp_path_factory.mktemp("scenarios") / "checkout")


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Played]]]:
    """All of them, some side by side: many only wait for a timer."""
    base = shared(tmp_path_factory.getbasetemp())
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {name: pool.submit(play_once, base, name) for name in NAMES}


@pytest.mark.namespaces
@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_keeps_its_promises(plays: dict[str, Future[Played]], name: str) -> None:
    played = plays[name].result(LONGEST)
    if played.mark is Mark.LACKING:
        pytest.skip(played.words)
    assert played.mark is Mark.PASS, played.words


@pytest.mark.namespaces
def test_the_tour_plays_without_docker(checkout: Checkout) -> None:
    said = checkout.lab("up", DOCKER_HOST=f"unix://{checkout.root}/nothing.sock")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "network namespaces" in said.stdout


@pytest.mark.docker
@pytest.mark.parametrize("name", ["tcp_lifecycle", "synack_lost"])
def test_a_scenario_keeps_its_promises_on_docker_too(checkout: Checkout, name: str) -> None:
    try:
        said = checkout.lab("run", name, "--engine", "docker")
        assert said.returncode == 0, said.stdout + said.stderr
    finally:
        checkout.lab("down")


def test_an_unknown_scenario_is_told_the_nearest(checkout: Checkout) -> None:
    said = checkout.lab("run", "tcp_lifecicle")
    assert said.returncode == 43
    assert "tcp_lifecycle" in said.stderr


@pytest.mark.parametrize("name", scenarios.names())
def test_a_scenario_says_what_it_teaches_and_where_that_stands(name: str) -> None:
    one = scenarios.find(name)
    assert one.teaches
    assert one.sources
    assert one.scripts or one.promises
