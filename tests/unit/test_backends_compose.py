"""What compose prints is understood, and its complaints become errors with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.backends.base import Line
from lab.backends.compose import Exited, complaint, find_compose, understand
from lab.errors import (
    BridgeTaken,
    ComposeMissing,
    DockerForbidden,
    DockerMissing,
    EngineFailed,
    PortTaken,
    SubnetTaken,
)


@pytest.mark.parametrize(
    "printed",
    ["server_1   | listening", "server-1  | listening", "lab12_server_1 | listening"],
)
def test_a_line_of_a_service_is_told_from_its_prefix(printed: str) -> None:
    assert understand(printed) == Line("server", "listening")


@pytest.mark.parametrize(
    "printed",
    [
        "main_sniffer_1 exited with code 40",
        "sniffer-1 exited with code 40",
        "lab1-sniffer-1 exited with code 40",
        "\x1b[Ksniffer-1 exited with code 40",
    ],
)
def test_the_end_of_a_container_is_understood_in_both_composes(printed: str) -> None:
    assert understand(printed) == Exited("sniffer", 40)


def test_what_compose_says_of_itself_is_not_taken_for_a_program() -> None:
    assert understand("Creating network main_wire with driver bridge") is None


def test_an_empty_line_of_a_program_stays_a_line() -> None:
    assert understand("client_1   | ") == Line("client", "")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("Bind for 0.0.0.0:80 failed: port is already allocated", PortTaken),
        (
            "failed to create network: Pool overlaps with other one on this address space",
            SubnetTaken,
        ),
        ("could not find an available, non-overlapping IPv4 address pool", SubnetTaken),
        ("all predefined address pools have been fully subnetted", SubnetTaken),
        ("conflicts with network 12 (br0): networks have same bridge name", BridgeTaken),
        ("permission denied while trying to connect to the Docker daemon socket", DockerForbidden),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", DockerMissing),
        ("something nobody foresaw", EngineFailed),
    ],
)
def test_a_complaint_becomes_the_error_that_names_its_remedy(
    said: str, error: type[Exception]
) -> None:
    assert type(complaint(["Creating network", said])) is error


def test_without_any_compose_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ComposeMissing):
        find_compose(tmp_path, "lab")
