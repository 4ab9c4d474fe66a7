"""Two labs, cleaning up, and everything that can go wrong, on the real Docker engine."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import LONGEST, Checkout, docker, networks, read_until

pytestmark = [pytest.mark.docker]


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout.make(tmp_path / "checkout")
    yield made
    made.lab("down")


def slow_down(checkout: Checkout) -> None:
    """Let the first connection's server work for 30 s after end of stream."""
    checkout.edit(
        "lab/scenarios/tour.py", lambda text: text.replace('"--work", "0.1"', '"--work", "30"')
    )


def test_two_labs_run_side_by_side(tmp_path: Path) -> None:
    pair = [Checkout.make(tmp_path / name / "checkout") for name in ("one", "two")]
    with pair[0].starting("up") as first, pair[1].starting("up") as second:
        said = [process.communicate(timeout=LONGEST)[0] for process in (first, second)]
    assert all("PASS  the recording is complete" in each for each in said), "".join(said)
    assert len({addresses(checkout) for checkout in pair}) == 2
    for checkout in pair:
        checkout.lab("down")


def addresses(checkout: Checkout) -> tuple[str, ...]:
    """Those of all hosts of the newest run."""
    hosts = json.loads((checkout.newest / "run.json").read_text())["hosts"]
    return tuple(address for host in hosts for address in host["addresses"])


def test_down_takes_all_that_the_lab_made_and_nothing_else(checkout: Checkout) -> None:
    image = checkout_image(checkout)
    foreign = docker("run", "-d", "--rm", "--label", "lab.role=host", image, "sleep", "60")
    network = docker("network", "create", "--label", "lab.role=network", f"foreign-{os.getpid()}")
    try:
        assert checkout.lab("up").returncode == 0
        project = checkout.project()
        assert networks(project) != []
        assert checkout.lab("down").returncode == 0
        assert checkout.containers() == []
        assert networks(project) == []
        assert docker("inspect", "-f", "{{.State.Running}}", foreign) == "true"
        assert docker("network", "inspect", "-f", "{{.Id}}", network) == network
    finally:
        docker("rm", "-f", foreign)
        docker("network", "rm", network)


def checkout_image(checkout: Checkout) -> str:
    """Have the image built by a first tour; its plain name."""
    assert checkout.lab("up").returncode == 0
    checkout.lab("down")
    return "tcp-udp-lab:local"


@pytest.mark.parametrize("victim", ["client", "server"])
def test_a_killed_host_leaves_an_incomplete_run_whose_capture_opens(
    checkout: Checkout, victim: str
) -> None:
    slow_down(checkout)
    with checkout.starting("up") as process:
        read_until(process, "FIN")
        docker("kill", container(checkout, victim))
        rest = process.communicate(timeout=LONGEST)[0]
    assert process.returncode == 40, rest
    assert "FAIL" in rest
    assert checkout.newest.name.endswith(".incomplete")
    assert json.loads((checkout.newest / "run.json").read_text())["complete"] is False
    assert checkout.lab("explain", str(checkout.newest / "client.pcapng")).returncode == 0


def test_a_killed_sniffer_leaves_captures_that_open(checkout: Checkout) -> None:
    slow_down(checkout)
    with checkout.starting("up") as process:
        read_until(process, "FIN")
        docker("kill", container(checkout, "sniffer"))
        rest = process.communicate(timeout=LONGEST)[0]
    assert process.returncode == 40, rest
    assert checkout.lab("explain", str(checkout.newest / "server.pcapng")).returncode == 0


def test_ctrl_c_cleans_up_and_keeps_the_captures(checkout: Checkout) -> None:
    slow_down(checkout)
    with checkout.starting("up") as process:
        read_until(process, "FIN")
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=LONGEST)[0]
    assert process.returncode == 130, rest
    assert checkout.containers() == []
    assert checkout.lab("explain", str(checkout.newest / "client.pcapng")).returncode == 0


def test_ctrl_c_while_the_containers_start_cleans_up_too(checkout: Checkout) -> None:
    with checkout.starting("up") as process:
        read_until(process, "sniffer")
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=LONGEST)[0]
    assert process.returncode == 130, rest
    assert checkout.containers() == []


def container(checkout: Checkout, service: str) -> str:
    labels = (
        f"com.docker.compose.project.working_dir={checkout.root}",
        f"com.docker.compose.service={service}",
    )
    filters = [word for label in labels for word in ("--filter", f"label={label}")]
    return docker("ps", "-q", *filters)


def test_without_a_daemon_the_remedy_is_named(checkout: Checkout, tmp_path: Path) -> None:
    said = checkout.lab("up", "--engine", "docker", DOCKER_HOST=f"unix://{tmp_path}/nothing.sock")
    assert said.returncode == 10
    assert "systemctl start docker" in said.stderr


def test_a_daemon_one_may_not_talk_to_is_told_from_none(checkout: Checkout, tmp_path: Path) -> None:
    path = tmp_path / "shut.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0)
        said = subprocess.run(
            [
                "unshare",
                "--user",
                *checkout.command("up", "--engine", "docker"),
            ],  # without the power to pass over modes
            cwd=checkout.root,
            env=checkout.environment(DOCKER_HOST=f"unix://{path}"),
            capture_output=True,
            text=True,
        )
    assert said.returncode == 11, said.stderr
    assert "usermod -aG docker" in said.stderr


def test_without_compose_the_remedy_is_named(checkout: Checkout, tmp_path: Path) -> None:
    said = checkout.lab("up", PATH=str(tmp_path))
    assert said.returncode == 12
    assert "apt install docker-compose" in said.stderr


def test_a_taken_subnet_is_named_as_such(checkout: Checkout) -> None:
    network = docker("network", "create", f"taken-{os.getpid()}")
    try:
        subnet = docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", network)
        fixed = f"    ipam: {{config: [{{subnet: {subnet}}}]}}\n    driver_opts:"
        checkout.edit("compose.yaml", lambda text: text.replace("    driver_opts:", fixed))
        said = checkout.lab("up")
        assert said.returncode == 14, said.stdout + said.stderr
        assert "network prune" in said.stderr
    finally:
        docker("network", "rm", network)


def test_a_taken_bridge_name_is_named_as_such(checkout: Checkout) -> None:
    name = f"labtest{os.getpid()}"[:15]
    option = f"com.docker.network.bridge.name={name}"
    network = docker("network", "create", "-o", option, f"bridge-{os.getpid()}")
    try:
        fixed = f'    driver_opts:\n      com.docker.network.bridge.name: "{name}"'
        checkout.edit("compose.yaml", lambda text: text.replace("    driver_opts:", fixed))
        said = checkout.lab("up")
        assert said.returncode == 15, said.stdout + said.stderr
    finally:
        docker("network", "rm", network)


def test_a_taken_port_is_named_as_such(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        publish = f'  server:\n    ports: ["127.0.0.1:{port}:12345"]\n    <<'
        checkout.edit("compose.yaml", lambda text: text.replace("  server:\n    <<", publish))
        said = checkout.lab("up")
    assert said.returncode == 13, said.stdout + said.stderr


def test_a_sniffer_without_net_raw_says_so(checkout: Checkout) -> None:
    checkout.edit("compose.yaml", lambda text: text.replace("[NET_RAW, SETUID", "[SETUID"))
    said = checkout.lab("up")
    assert said.returncode == 30, said.stdout + said.stderr
    assert re.search("NET_RAW is missing", said.stdout)


def test_the_doctor_finds_this_machine_fit(checkout: Checkout) -> None:
    said = checkout.lab("doctor")
    assert said.returncode == 0, said.stdout
    for name in ("engine", "compose", "builder", "capabilities", "namespaces", "MTU", "subnets"):
        assert name in said.stdout
