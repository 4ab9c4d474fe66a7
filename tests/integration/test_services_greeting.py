"""The TCP greeting, over loopback (seed programs S0-P1, S0-P2, S0-P3)."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER = "services/tcp/greeting/server.py"
CLIENT = "services/tcp/greeting/client.py"
GREETING = "你好,服务器!"
REPLY = "服务器已收到消息!"
ENGLISH = os.environ | {"LAB_LANG": "en"}


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a server on a free port; yield it and the port it printed."""
    words = [sys.executable, SERVER, "--address", "127.0.0.1", "--port", "0", *options]
    with subprocess.Popen(
        words,
        cwd=ROOT,
        env=ENGLISH,
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as server:
        assert server.stdout is not None
        found = re.search(r":(\d+)\.$", server.stdout.readline())
        assert found is not None
        try:
            yield server, int(found[1])
        finally:
            server.kill()


def client(port: int, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, CLIENT, "127.0.0.1", "--port", str(port), *options]
    return subprocess.run(
        words, cwd=ROOT, env=ENGLISH, capture_output=True, encoding="utf-8", timeout=10
    )


def lines_of(server: subprocess.Popen[str]) -> str:
    """Everything the server printed after its first line; waits for its end."""
    return server.communicate(timeout=10)[0]


def test_the_client_prints_the_reply_and_its_25_octets() -> None:
    with serving("--work", "0") as (_, port):
        assert f"Received 25 octets: {REPLY}\n" in client(port).stdout


def test_the_server_prints_the_greeting_and_its_17_octets() -> None:
    with serving("--work", "0") as (server, port):
        client(port)
        assert f"Received 17 octets: {GREETING}\n" in lines_of(server)


def test_the_server_sees_the_end_of_the_stream_before_it_closes() -> None:
    with serving("--work", "0") as (server, port):
        client(port)
        printed = lines_of(server)
    assert 0 < printed.index("End of stream") < printed.index("Closed")


def test_the_server_serves_one_connection_for_each_value_of_work() -> None:
    with serving("--work", "0.01", "0") as (server, port):
        client(port)
        client(port)
        printed = lines_of(server)
    assert (server.returncode, printed.count("Closed")) == (0, 2)


def test_octets_that_are_not_utf8_do_not_end_the_server() -> None:
    with serving("--work", "0", "0") as (server, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(GREETING.encode("gbk"))
            assert connection.recv(1024) == REPLY.encode()
        assert client(port).returncode == 0
        assert "Received 12 octets" in lines_of(server)


def test_a_reset_connection_does_not_end_the_server() -> None:
    with serving("--work", "0", "0") as (server, port):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        assert client(port).returncode == 0
        assert "Broken" in lines_of(server)


def test_a_client_that_says_nothing_gets_no_reply() -> None:
    with serving("--work", "0") as (_, port), socket.create_connection(("127.0.0.1", port)) as it:
        it.shutdown(socket.SHUT_WR)
        assert it.recv(1024) == b""


def test_ctrl_c_ends_the_server_in_order() -> None:
    with serving() as (server, _):
        server.send_signal(signal.SIGINT)
        assert "Stopped" in lines_of(server)
    assert server.returncode == 0


def test_a_taken_port_is_one_line_and_exit_code_1() -> None:
    with serving() as (_, port):
        words = [sys.executable, SERVER, "--address", "127.0.0.1", "--port", str(port)]
        second = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=10)
    assert second.stderr == f"TCP server on 127.0.0.1:{port}: Address already in use\n"
    assert second.returncode == 1


def test_a_refused_connection_is_one_line_and_exit_code_1() -> None:
    with socket.socket() as bound_only:
        bound_only.bind(("127.0.0.1", 0))
        port = bound_only.getsockname()[1]
        ended = client(port)
    assert ended.stderr == f"TCP client to 127.0.0.1:{port}: Connection refused\n"
    assert ended.returncode == 1


def test_a_server_that_says_nothing_is_one_line_and_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        words = [sys.executable, CLIENT, "127.0.0.1", "--port", str(port)]
        with subprocess.Popen(words, cwd=ROOT, stdout=-1, stderr=-1, encoding="utf-8") as it:
            connection, _ = listener.accept()
            connection.recv(1024)
            connection.close()
            errors = it.communicate(timeout=10)[1]
    assert errors == f"TCP client to 127.0.0.1:{port}: the server closed without an answer\n"
    assert it.returncode == 1


@pytest.mark.parametrize(("language", "word"), [("en", "Sent"), ("zh", "已发送")])
def test_programs_speak_the_language_asked_for(language: str, word: str) -> None:
    with serving("--work", "0") as (_, port):
        assert word in client(port, "--lang", language).stdout


@pytest.mark.parametrize("module", ["services.tcp.greeting.server", "services.tcp.greeting.client"])
def test_each_program_runs_as_a_module(module: str) -> None:
    words = [sys.executable, "-m", module, "--help"]
    assert subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 0
