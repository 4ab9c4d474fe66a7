"""The repaired seed pairs, over loopback, under services.record: exit codes and what was received."""

from __future__ import annotations

import ctypes
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recorded import LOOPBACK, ROOT, Recorded

LONG = "a message of 24 octets!!"
PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE = 24, 10  # linux/prctl.h, linux/capability.h


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def pair(
    recorded: Recorded, folder: str, *options: str, server: tuple[str, ...] = ("--count", "1")
) -> tuple[str, str]:
    """Run server.py and client.py of a folder to their good ends; return what each printed."""
    with recorded.running(f"{folder}/server.py", *LOOPBACK, *server) as serving:
        client = recorded.run(f"{folder}/client.py", "127.0.0.1", "--port", serving.port, *options)
        printed = serving.rest()
    assert (client.returncode, client.stderr) == (0, "")
    assert serving.process.returncode == 0
    return client.stdout, printed


def test_gbk_goes_over_the_wire_and_is_read_as_gbk(recorded: Recorded) -> None:
    client, server = pair(recorded, "tcp/gbk", "--message", "你好", "--message", "再见")
    assert client.count("Received 12 octets: 收到啦我反馈\n") == 2
    assert "Received 4 octets: 你好\nReceived 4 octets: 再见\n" in server


def test_the_gbk_server_keeps_half_a_character_for_the_next_chunk(recorded: Recorded) -> None:
    octets = "你好".encode("gbk")
    with recorded.running("tcp/gbk/server.py", *LOOPBACK, "--count", "1") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            for part in (octets[:3], octets[3:]):
                client.sendall(part)
                client.recv(1024)
        assert "Received 3 octets: 你\nReceived 1 octets: 好\n" in server.rest()


def test_the_gbk_client_stops_when_the_server_has_closed(recorded: Recorded) -> None:
    with (
        recorded.running("tcp/gbk/server_faithful.py", "--port", "0") as server,
        recorded.running("tcp/gbk/client.py", "127.0.0.1", "--port", server.port) as client,
    ):
        client.type("1")
        server.rest()  # it has answered once, and closed
        client.type("2")
        assert client.rest().endswith("The server has closed.\n")
    assert client.process.returncode == 0


def test_each_line_comes_back_with_the_time(recorded: Recorded) -> None:
    client, _ = pair(
        recorded, "tcp/timestamp", "--message", "Hello, I am Client", "--message", "二"
    )
    assert client.count("] Hello, I am Client\n") == 1
    assert client.endswith("] 二\n")


def test_an_empty_line_ends_the_timestamp_client(recorded: Recorded) -> None:
    with recorded.running("tcp/timestamp/server.py", *LOOPBACK, "--count", "1") as server:
        with recorded.running(
            "tcp/timestamp/client.py", "127.0.0.1", "--port", server.port
        ) as client:
            client.type("hello")
            client.type("")
            assert "] hello\n" in client.rest()
        server.rest()
    assert client.process.returncode == 0


def test_hello_is_answered(recorded: Recorded) -> None:
    client, server = pair(recorded, "tcp/hello")
    assert client == "Received b'Hello world!'\n"
    assert "Received data: b'Hello world!'\n" in server


def test_hello_in_two_pieces_is_one_message(recorded: Recorded) -> None:
    with recorded.running("tcp/hello/server.py", *LOOPBACK, "--count", "1") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"Hello")
            assert "Connected" in server.line()
            client.sendall(b" world!")
            assert client.recv(1024) == b"Hello world!"
        assert server.rest().count("Received data: b'Hello world!'") == 1


def test_a_silent_server_is_an_empty_read(recorded: Recorded) -> None:
    with recorded.running("tcp/hello/server_silent.py", *LOOPBACK, "--count", "1") as server:
        ended = recorded.run("tcp/hello/client.py", "127.0.0.1", "--port", server.port)
        assert "Received data: b'Hello world!'" in server.rest()
    assert ended.stdout == "Received b''\n"
    assert recorded.named("tcp/hello/server_silent.py", "sendall", "send") == []


def test_more_than_100_octets_come_back_whole(recorded: Recorded) -> None:
    client, server = pair(recorded, "tcp/echo_once", "--message", "长" * 100, server=())
    assert client == f"Received 300 octets: {'长' * 100}\n"
    assert server.endswith("Echoed 300 octets.\n")


def test_the_one_shot_client_half_closes_before_it_reads(recorded: Recorded) -> None:
    pair(recorded, "tcp/echo_once", server=())
    made = [call.function for call in recorded.calls("tcp/echo_once/client.py")]
    assert made.index("shutdown") < made.index("recv")


def test_each_echo_is_read_whole(recorded: Recorded) -> None:
    client, _ = pair(recorded, "tcp/echo", "--message", LONG, "--message", "你好，服务器！")
    received = client.splitlines()[1::2]
    assert received == [f"Received: {LONG}", "Received: 你好，服务器！"]


def test_the_echo_server_reads_the_end_of_the_stream_once(recorded: Recorded) -> None:
    pair(recorded, "tcp/echo", "--message", "hi")
    sizes = [call.octets for call in recorded.named("tcp/echo/server.py", "recv")]
    assert sizes == [2, 0]


def test_an_empty_message_is_not_sent(recorded: Recorded) -> None:
    pair(recorded, "tcp/echo", "--message", "", "--message", "hi")
    sent = [call.octets for call in recorded.named("tcp/echo/client.py", "sendall")]
    assert sent == [2]


def test_exit_ends_the_sender_of_datagrams_and_is_not_sent(recorded: Recorded) -> None:
    with recorded.running("udp/message/server.py", *LOOPBACK, "--count", "1") as server:
        words = ("127.0.0.1", "--port", server.port, "--source-port", 0, "--message", "你好")
        ended = recorded.run(
            "udp/message/client.py", *words, "--message", "exit", "--message", "no"
        )
        printed = server.rest()
    assert (ended.returncode, ended.stdout) == (0, "Sent 6 octets: 你好\n")
    assert printed.endswith("(6): 你好\n")


def test_a_port_that_needs_privilege_is_one_line_with_the_reason() -> None:
    limit = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if limit == 0:
        pytest.skip("no port needs privilege here: net.ipv4.ip_unprivileged_port_start is 0")
    prctl = ctypes.CDLL(None).prctl
    ended = subprocess.run(
        [sys.executable, "services/tcp/echo_once/server.py", "--port", str(limit - 1)],
        cwd=ROOT,
        preexec_fn=lambda: prctl(PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE),  # root, but not for this
        capture_output=True,
        encoding="utf-8",
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "Permission denied: below net.ipv4.ip_unprivileged_port_start" in ended.stderr


@pytest.mark.parametrize("folder", ["gbk", "timestamp", "hello", "echo", "framing", "tls"])
def test_a_reset_connection_does_not_end_the_server(recorded: Recorded, folder: str) -> None:
    with recorded.running(f"tcp/{folder}/server.py", *LOOPBACK, "--count", 2) as server:
        for _ in range(2):
            client = socket.create_connection(("127.0.0.1", server.port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        assert server.rest().count("Broken") == 2
    assert server.process.returncode == 0


# ---------------------------------------------------------------- one line instead of a traceback

CLIENTS = sorted(
    str(path.relative_to(ROOT / "services")) for path in ROOT.glob("services/tcp/*/client*.py")
)
SERVERS = sorted(
    str(path.relative_to(ROOT / "services"))
    for path in ROOT.glob("services/*/*/server*.py")
    if path.parts[-3] != "unix" and path.parts[-2] != "bulk" and "twisted" not in path.name
)


@pytest.mark.parametrize("program", CLIENTS)
def test_a_client_that_is_refused_says_so_in_one_line(recorded: Recorded, program: str) -> None:
    with socket.socket() as bound_only:
        bound_only.bind(("127.0.0.1", 0))
        port = bound_only.getsockname()[1]
        tries = ["--tries", "1"] if "retry" in program else []
        ended = recorded.run(program, "127.0.0.1", "--port", port, *tries)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert f"127.0.0.1]:{port}" in ended.stderr or f"127.0.0.1:{port}" in ended.stderr


@pytest.mark.parametrize("program", SERVERS)
def test_a_server_whose_port_is_taken_says_so_in_one_line(recorded: Recorded, program: str) -> None:
    udp, ipv6 = program.startswith("udp"), "ipv6" in program
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, kind) as taken:
        address = "::1" if ipv6 else "127.0.0.1"
        taken.bind((address, 0))
        if not udp:
            taken.listen()
        words = ("--address", address, "--port", taken.getsockname()[1])
        ended = recorded.run(program, *words)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "ddress already in use" in ended.stderr
