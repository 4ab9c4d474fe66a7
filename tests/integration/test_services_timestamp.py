"""The UDP timestamp echo, over loopback (seed programs S2-P5, S2-P6)."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER = "services/udp/timestamp/server.py"
CLIENT = "services/udp/timestamp/client.py"
ENGLISH = os.environ | {"LAB_LANG": "en"}


def client(port: int, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, CLIENT, "127.0.0.1", "--port", str(port), *options]
    return subprocess.run(
        words, cwd=ROOT, env=ENGLISH, capture_output=True, encoding="utf-8", timeout=10
    )


def exchange(*options: str) -> tuple[str, subprocess.Popen[str]]:
    """Run a server for one datagram and a client; return what the client printed, and the server."""
    words = [sys.executable, SERVER, "--address", "127.0.0.1", "--port", "0", "--count", "1"]
    with subprocess.Popen(words, cwd=ROOT, env=ENGLISH, stdout=-1, encoding="utf-8") as server:
        assert server.stdout is not None
        found = re.search(r":(\d+)\.$", server.stdout.readline())
        assert found is not None
        printed = client(int(found[1]), *options).stdout
        server.communicate(timeout=10)
    return printed, server


def test_the_answer_is_the_message_with_the_time_in_front() -> None:
    printed, _ = exchange("--message", "hello")
    found = re.search(r"octets: \[(.+)\] hello$", printed, re.MULTILINE)
    assert found is not None
    assert abs(time.mktime(time.strptime(found[1])) - time.time()) < 10


def test_the_default_message_is_that_of_the_original() -> None:
    assert "Sent 18 octets: Hello, I am Client\n" in exchange()[0]


def test_the_server_ends_after_count_datagrams() -> None:
    assert exchange()[1].returncode == 0


def test_a_lost_datagram_is_sent_again() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def answer_the_second() -> None:
            server.recvfrom(1024)
            octets, sender = server.recvfrom(1024)
            server.sendto(b"[late] " + octets, sender)

        answering = threading.Thread(target=answer_the_second)
        answering.start()
        ended = client(server.getsockname()[1], "--timeout", "0.1")
        answering.join()
    assert (ended.returncode, ended.stdout.count("Sent")) == (0, 2)


def test_an_answer_from_somebody_else_is_not_believed() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as server,
        socket.socket(type=socket.SOCK_DGRAM) as stranger,
    ):
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def let_the_stranger_answer_first() -> None:
            _, sender = server.recvfrom(1024)
            stranger.sendto(b"false", sender)
            server.sendto(b"true", sender)

        answering = threading.Thread(target=let_the_stranger_answer_first)
        answering.start()
        ended = client(server.getsockname()[1])
        answering.join()
        ignored = f"Ignored a datagram from 127.0.0.1:{stranger.getsockname()[1]}."
    assert ignored in ended.stdout
    assert ended.stdout.endswith("Received 4 octets: true\n")


def test_no_answer_is_one_line_and_exit_code_1() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        ended = client(port, "--timeout", "0.05", "--retries", "1")
    assert ended.stderr == f"UDP client to 127.0.0.1:{port}: no answer to 2 datagrams\n"
    assert ended.returncode == 1


def test_an_unknown_name_is_one_line_and_exit_code_1() -> None:
    words = [sys.executable, CLIENT, "999.invalid"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=30)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)


def test_a_taken_port_is_one_line_and_exit_code_1() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        words = [sys.executable, SERVER, "--address", "127.0.0.1", "--port", str(port)]
        ended = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=10)
    assert ended.stderr == f"UDP server on 127.0.0.1:{port}: Address already in use\n"
    assert ended.returncode == 1


@pytest.mark.parametrize(
    "module", ["services.udp.timestamp.server", "services.udp.timestamp.client"]
)
def test_each_program_runs_as_a_module(module: str) -> None:
    words = [sys.executable, "-m", module, "--help"]
    assert subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 0
