"""Both engines, for tests of what every engine has to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.backends.base import Engine
from tests.checkout import Checkout


def docker(root: Path) -> Engine:
    from lab.backends.docker import DockerEngine

    return DockerEngine(root, "en")


def namespaces(root: Path) -> Engine:
    from lab.backends.namespaces import NamespacesEngine

    return NamespacesEngine(root, "en")


ENGINES = (
    pytest.param(docker, marks=[pytest.mark.docker]),
    pytest.param(namespaces, marks=[pytest.mark.root]),
)


@pytest.fixture(scope="module", params=ENGINES)
def make(request: pytest.FixtureRequest) -> Callable[[Path], Engine]:
    """How an engine is made for a checkout."""
    made: Callable[[Path], Engine] = request.param
    return made


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout of the module's own."""
    return Checkout.make(tmp_path_factory.mktemp("engine") / "checkout")


@pytest.fixture(scope="module")
def engine(make: Callable[[Path], Engine], own: Checkout) -> Iterator[Engine]:
    """The engine of that checkout; gone with all it made when the module is over."""
    made = make(own.root)
    yield made
    made.down()
