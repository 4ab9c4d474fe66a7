"""Every scenario, and every variant, keeps its promises on the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from lab import scenarios
from lab.backends.namespaces import NamespacesEngine
from lab.cli._every import Mark, outcome
from lab.text import Language, Text
from tests.checkout import LONGEST, Checkout

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
def outcomes(checkout: Checkout) -> Iterator[dict[str, Future[tuple[Mark, Text]]]]:
    """All of them, some side by side: many only wait for a timer."""
    engine = NamespacesEngine(checkout.root, "en")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {
            name: pool.submit(outcome, engine, checkout.root, Language.EN, name) for name in NAMES
        }


@pytest.mark.namespaces
@pytest.mark.xdist_group("scenarios")
@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_keeps_its_promises(
    outcomes: dict[str, Future[tuple[Mark, Text]]], checkout: Checkout, name: str
) -> None:
    mark, words = outcomes[name].result(LONGEST)
    if mark is Mark.FAIL:  # timers of real kernels: once more, should others have come between
        engine = NamespacesEngine(checkout.root, "en")
        mark, words = outcome(engine, checkout.root, Language.EN, name)
    if mark is Mark.LACKING:
        pytest.skip(words.en)
    assert mark is Mark.PASS, words.en


@pytest.mark.namespaces
@pytest.mark.xdist_group("scenarios")
def test_the_tour_plays_without_docker(checkout: Checkout) -> None:
    said = checkout.lab("up", DOCKER_HOST=f"unix://{checkout.root}/nothing.sock")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "network namespaces" in said.stdout


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
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
