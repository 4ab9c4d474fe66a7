"""The page's port: the one asked for, the one it has, 8080, or any that is free; and what compose.yaml gives it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from lab.backends.base import Line
from lab.backends.compose import Compose, understand
from lab.backends.composed import Composed
from lab.cli.serve import _where
from lab.errors import PortTaken
from lab.scenarios import find
from tests.checkout import ROOT

PUBLISHED = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8123"}]}


def composed(*containers: Any) -> Composed:
    """A compose project with these containers."""
    client = SimpleNamespace(containers=SimpleNamespace(list=lambda **_: list(containers)))
    compose = Compose(("docker-compose",), Path("/nowhere"), "lab")
    return Composed(client, compose, Path("/nowhere"), lambda: None)


def container(service: str, ports: dict[str, Any]) -> Any:
    return SimpleNamespace(labels={"com.docker.compose.service": service}, ports=ports)


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_WEB_PORT", raising=False)


@pytest.fixture
def taken() -> Iterator[None]:
    """Somebody listens on 8080, this test unless there is somebody already."""
    try:
        listening = socket.create_server(("127.0.0.1", 8080))
    except OSError:
        yield
        return
    with closing(listening):
        yield


def test_the_port_that_is_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_WEB_PORT", "9000")
    assert composed(container("web", PUBLISHED))._page_ports() == ("9000",)


def test_a_page_that_runs_keeps_its_port() -> None:
    assert composed(container("client", {}), container("web", PUBLISHED))._page_ports()[0] == "8123"


@pytest.mark.usefixtures("taken")
def test_a_port_that_is_taken_does_not_stop_the_tour() -> None:
    assert composed(container("web", {}))._page_ports() == ("0",)


def test_a_port_that_another_takes_in_the_same_moment_is_given_up_for_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def _play(_self: Composed, environment: Mapping[str, str], _show: object) -> None:
        tried.append(environment["LAB_WEB_PORT"])
        if len(tried) == 1:
            raise PortTaken(detail="port is already allocated")

    monkeypatch.setattr(Composed, "_page", lambda _: "127.0.0.1:8123" if not tried else "")
    monkeypatch.setattr(Composed, "_play", _play)
    replace(composed(), captures=tmp_path).play(find("tour"), "image", "en", lambda _: None)
    assert tried == ["8123", "0"]


def test_where_the_page_is_published_is_found() -> None:
    assert composed(container("web", PUBLISHED))._page() == "127.0.0.1:8123"
    assert composed(container("web", {}))._page() == ""


def test_a_line_of_the_page_is_no_complaint_of_compose() -> None:
    assert understand("web_1      | The page") == Line("web", "The page")


def test_the_page_can_do_nothing_but_show() -> None:
    web = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["web"]
    assert "cap_add" not in web
    assert web["volumes"] == ["./captures:/captures:ro,z"]
    assert "--show-only" in web["command"]
    assert not web["user"].startswith("0")
    assert "networks" not in web  # never on the wire that is recorded


def test_the_page_prints_the_port_at_which_it_is_published() -> None:
    web = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["web"]
    published = web["command"][web["command"].index("--published") + 1]
    assert web["ports"] == [f"{published}:8080"] == ["127.0.0.1:${LAB_WEB_PORT:-8080}:8080"]


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ("", "http://127.0.0.1:1234/?token=x"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/ "),
        ("127.0.0.1:0", "docker compose port web 8080"),
        ("127.0.0.1:8080-8099", "docker compose port web 8080"),
    ],
)
def test_the_page_says_where_a_browser_of_this_machine_finds_it(published: str, said: str) -> None:
    assert said in _where("http://127.0.0.1:1234/?token=x", published).en
