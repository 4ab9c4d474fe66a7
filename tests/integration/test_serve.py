"""`lab serve` as a process: its address, what it refuses, a real run watched, how it ends."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.checkout import Checkout
from tests.played import checkout_of, shared

WITHIN = 60  # s


@pytest.fixture
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return checkout_of(shared(tmp_path_factory.getbasetemp()))


@contextmanager
def serving(checkout: Checkout, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server and the address that it printed; ended by its handle."""
    process = subprocess.Popen(
        checkout.command("serve", "--port", "0", "--engine", "namespaces", *arguments),
        cwd=checkout.root,
        env=checkout.environment(LAB_PROGRESS=str(checkout.root / "progress.json")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address, process.communicate(timeout=WITHIN)
        yield process, address[0]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=WITHIN)


def refused(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "lab.cli", "serve", "--lang", "en", *arguments]
    said = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN)
    return said.returncode, said.stderr


def test_no_listener_beyond_loopback_unless_it_is_asked_for() -> None:
    code, said = refused("--host", "0.0.0.0")
    assert code == 81
    assert "can be reached from other machines" in said


def test_a_name_that_stands_for_no_address_is_all_that_is_told() -> None:
    code, said = refused("--host", "nosuch.invalid", "--anyone")
    assert code == 80
    assert said.startswith("The name nosuch.invalid cannot be resolved: ")
    assert "machines" not in said
    assert "reaches" not in said


def test_a_port_that_is_taken_is_named() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        code, said = refused("--port", str(port))
    assert code == 80
    assert f"127.0.0.1:{port}" in said


def test_an_open_page_is_served_with_a_warning(checkout: Checkout) -> None:
    with serving(checkout, "--host", "0.0.0.0", "--anyone", "--show-only") as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert "token" not in address
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WITHIN)
    assert "no encryption" in said


def test_it_ends_without_a_word_even_while_somebody_watches(checkout: Checkout) -> None:
    with serving(checkout) as (process, address):
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=WITHIN)
        connection.request("GET", "/events")
        assert connection.getresponse().readline() == b"retry: 500\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WITHIN)
        connection.close()
    assert (process.returncode, said) == (0, "")


def test_it_leaves_when_nobody_needs_it(checkout: Checkout, tmp_path: Path) -> None:
    """As in compose.yaml: `up` is not to wait for it."""
    from lab.capture.folder import RunFolder

    with serving(checkout, "--leave", "--show-only", "--captures", str(tmp_path)) as (
        process,
        address,
    ):
        folder = RunFolder.create(tmp_path, "tour", lambda: 1_795_262_400_123_000_000)
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=WITHIN)
        connection.request("GET", "/events")
        response = connection.getresponse()
        while not response.readline().startswith(b"event: begin"):
            pass
        folder.close()  # the recorder is gone: the run is over
        response.close()
        connection.close()
        assert process.wait(WITHIN) == 0


@pytest.mark.namespaces
def test_a_run_is_played_and_its_frames_come_while_it_is_on(checkout: Checkout) -> None:
    with serving(checkout) as (_, address):
        parts = urlsplit(address)
        (token,) = parse_qs(parts.query)["token"]
        watching = http.client.HTTPConnection(parts.netloc, timeout=WITHIN)
        watching.request("GET", "/events")
        stream = watching.getresponse()
        asking = http.client.HTTPConnection(parts.netloc, timeout=WITHIN)
        asking.request("POST", "/run/synack_lost", headers={"x-lab-token": token})
        assert asking.getresponse().status == 202
        states = list(_states(stream))
        watching.close()
        asking.close()
    assert 0 < states[0]["frames"] < states[-1]["frames"]  # drawn before it was over
    assert states[-1]["published"].endswith("-synack_lost")
    assert (checkout.captures / states[-1]["published"]).is_dir()


def _states(stream: http.client.HTTPResponse) -> Iterator[dict[str, object]]:
    """What was told of a run, from its first frame to its end."""
    name = ""
    for line in iter(stream.readline, b""):
        word, _, rest = line.decode().partition(": ")
        if word == "event":
            name = rest.strip()
        elif word == "data" and name == "state":
            state = json.loads(rest)
            if state["frames"]:
                yield state
            if state["over"]:
                return
