"""What the seeds announce or name and do not show: heartbeat, retry, framing, TLS, AF_UNIX, IPv6."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import struct
from pathlib import Path

import pytest

from tests.recorded import LOOPBACK, Recorded

REPLY = "服务器已收到消息!"
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="needs openssl: makes a certificate"
)


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


# ---------------------------------------------------------------- heartbeat


def test_a_living_server_answers_every_beat(recorded: Recorded) -> None:
    with recorded.running("tcp/heartbeat/server.py", *LOOPBACK, "--count", 1) as server:
        words = ("127.0.0.1", "--port", server.port, "--count", 3, "--interval", 0.05)
        ended = recorded.run("tcp/heartbeat/client.py", *words)
        server.rest()
    assert ended.stdout.splitlines() == [f"Beat {number}: alive." for number in (1, 2, 3)]
    assert (ended.returncode, server.process.returncode) == (0, 0)


def test_a_hanging_server_is_found_dead_after_three_misses(recorded: Recorded) -> None:
    program = "tcp/heartbeat/client.py"
    with recorded.running("tcp/heartbeat/server.py", *LOOPBACK, "--hang-after", 1) as server:
        ended = recorded.run(program, "127.0.0.1", "--port", server.port, "--interval", 0.1)
    assert ended.stderr == f"TCP client to 127.0.0.1:{server.port}: dead: 3 beats missed\n"
    # Its kernel took every PING: no send failed, and nothing said so but the missing PONG.
    assert [call.error for call in recorded.named(program, "sendall")] == [""] * 4


def test_a_server_that_has_closed_is_told_from_one_that_hangs(recorded: Recorded) -> None:
    hang = ("--hang-after", 1, "--hang", 0)
    with recorded.running("tcp/heartbeat/server.py", *LOOPBACK, *hang) as server:
        words = ("127.0.0.1", "--port", server.port, "--interval", 0.1)
        ended = recorded.run("tcp/heartbeat/client.py", *words)
    assert ended.stderr == f"TCP client to 127.0.0.1:{server.port}: the server has closed\n"


def test_a_reset_makes_a_beat_fail_at_once(recorded: Recorded) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = ("tcp/heartbeat/client.py", "127.0.0.1", "--port", listener.getsockname()[1])
        with recorded.running(*words) as client:
            connection, _ = listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            assert "TCP client to" in client.rest()
    assert client.process.returncode == 1


# ---------------------------------------------------------------- retry


def test_each_failure_is_followed_by_a_longer_wait_and_a_new_connection(recorded: Recorded) -> None:
    program = "tcp/retry/client.py"
    failing = ("--silent", 1, "--drop", 1, "--count", 3)
    with recorded.running("tcp/retry/server.py", *LOOPBACK, *failing) as server:
        words = ("127.0.0.1", "--port", server.port, "--timeout", 0.2, "--backoff", 0.02)
        ended = recorded.run(program, *words)
        server.rest()
    tries = ended.stdout.splitlines()
    assert tries[0::2][0] == "Try 1: timed out."
    assert tries[1::2] == ["Waiting 0.020 s.", "Waiting 0.040 s."]
    assert tries[-1] == "Try 3: done"
    ports = {str(call.local) for call in recorded.named(program, "connect")}
    assert len(ports) == 3


def test_when_every_try_fails_one_line_says_so(recorded: Recorded) -> None:
    with socket.socket() as bound_only:
        bound_only.bind(("127.0.0.1", 0))
        port = bound_only.getsockname()[1]
        words = ("127.0.0.1", "--port", port, "--tries", 2, "--backoff", 0)
        ended = recorded.run("tcp/retry/client.py", *words)
    assert ended.stderr == f"TCP client to 127.0.0.1:{port}: no answer in 2 tries\n"
    errors = [call.error for call in recorded.named("tcp/retry/client.py", "connect")]
    assert errors == ["ECONNREFUSED", "ECONNREFUSED"]


# ---------------------------------------------------------------- framing


@pytest.mark.parametrize("framing", ["length", "delimiter"])
@pytest.mark.parametrize("piece", [1, 1000])
def test_messages_are_found_however_they_are_cut(
    recorded: Recorded, framing: str, piece: int
) -> None:
    sent = ("一", "two", "一条更长的消息", "")
    server_words = (*LOOPBACK, "--count", 1, "--framing", framing)
    with recorded.running("tcp/framing/server.py", *server_words) as server:
        words = ("127.0.0.1", "--port", server.port, "--framing", framing, "--piece", piece)
        messages = [word for message in sent for word in ("--message", message)]
        ended = recorded.run("tcp/framing/client.py", *words, *messages)
        printed = server.rest()
    assert ended.stdout.splitlines()[1:] == [f"Answer: {message}" for message in sent]
    assert printed.count("Message of") == len(sent)


@pytest.mark.parametrize(
    ("framing", "octets", "reason"),
    [
        ("length", b"\xff\xff\xff\xff", "more than 65536 octets announced"),
        ("length", b"\0\0\0\x05ab", "the stream ended inside a message"),
        ("delimiter", b"no newline", "the stream ended inside a message"),
        ("delimiter", b"x" * 70000, "no delimiter in 65536 octets"),
    ],
)
def test_a_bad_frame_ends_only_its_connection(
    recorded: Recorded, framing: str, octets: bytes, reason: str
) -> None:
    words = (*LOOPBACK, "--count", 1, "--framing", framing, "--size", 10000)
    with (
        recorded.running("tcp/framing/server.py", *words) as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        client.sendall(octets)
        client.shutdown(socket.SHUT_WR)
        assert f"Bad frame: {reason}." in server.rest()
    assert server.process.returncode == 0


# ---------------------------------------------------------------- TLS


@needs_openssl
def test_a_trusted_certificate_secures_the_greeting(recorded: Recorded, tmp_path: Path) -> None:
    certificate, keys = tmp_path / "server.pem", tmp_path / "keys.log"
    serving = (*LOOPBACK, "--count", 1, "--publish", str(certificate))
    with recorded.running("tcp/tls/server.py", *serving, SSLKEYLOGFILE=str(keys)) as server:
        words = ("127.0.0.1", "--port", server.port, "--trust", str(certificate))
        ended = recorded.run("tcp/tls/client.py", *words)
        assert "Received 17 octets: 你好,服务器!" in server.rest()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0].startswith("Secured: TLSv1.3")
    assert ended.stdout.endswith(f"Received 25 octets: {REPLY}\n")
    assert "CLIENT_TRAFFIC_SECRET_0" in keys.read_text()
    assert "PRIVATE KEY" not in certificate.read_text()


@needs_openssl
def test_a_certificate_of_another_name_is_not_believed(recorded: Recorded, tmp_path: Path) -> None:
    certificate = tmp_path / "server.pem"
    serving = (*LOOPBACK, "--count", 1, "--publish", str(certificate), "--name", "other")
    with recorded.running("tcp/tls/server.py", *serving) as server:
        words = ("127.0.0.1", "--port", server.port, "--trust", str(certificate))
        ended = recorded.run("tcp/tls/client.py", *words)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "certificate not believed" in ended.stderr


@needs_openssl
def test_a_client_that_speaks_no_tls_does_not_end_the_server(recorded: Recorded) -> None:
    with recorded.running("tcp/tls/server.py", *LOOPBACK, "--count", 2) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert "Broken" in server.line()
        ended = recorded.run("tcp/tls/client.py", "127.0.0.1", "--port", server.port)
        server.rest()
    assert (ended.returncode, server.process.returncode) == (0, 0)


@needs_openssl
def test_the_stream_ends_with_close_notify(recorded: Recorded) -> None:
    with recorded.running("tcp/tls/server.py", *LOOPBACK, "--count", 1) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
            secured = context.wrap_socket(plain, suppress_ragged_eofs=False)
            secured.sendall(b"hello")
            assert secured.recv(1024) == REPLY.encode()
            secured.unwrap().close()
        assert "Closed" in server.rest()


def test_without_the_openssl_command_a_clear_line_says_so(
    recorded: Recorded, tmp_path: Path
) -> None:
    ended = recorded.run("tcp/tls/server.py", *LOOPBACK, PATH=str(tmp_path))
    assert ended.stderr == "TLS server: no openssl command here (apt install openssl)\n"
    assert ended.returncode == 1


# ---------------------------------------------------------------- AF_UNIX


@pytest.mark.parametrize("kind", ["stream", "datagram"])
@pytest.mark.parametrize("place", ["@", ""])
def test_unix_sockets_answer_by_path_and_by_abstract_name(
    recorded: Recorded, tmp_path: Path, kind: str, place: str
) -> None:
    name = f"{place}{tmp_path / kind}"
    words = (f"unix/{kind}/server.py", "--count", 1, "--name", name)
    with recorded.running(*words) as server:
        assert server.line().endswith(f"{name}.\n")
        ended = recorded.run(f"unix/{kind}/client.py", "--name", name)
        server.rest()
    assert (ended.returncode, server.process.returncode) == (0, 0)
    assert "Received" in ended.stdout
    assert {call.kind for call in recorded.calls(f"unix/{kind}/client.py")} == {"unix"}
    assert not (tmp_path / kind).exists()


def test_the_kernel_vouches_for_the_client_of_a_unix_socket(
    recorded: Recorded, tmp_path: Path
) -> None:
    name = f"@{tmp_path}"
    with recorded.running("unix/stream/server.py", "--count", 1, "--name", name) as server:
        assert "listens" in server.line()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"\0{tmp_path}")
            assert server.line() == f"Connected: process {os.getpid()}, user {os.geteuid()}.\n"


def test_a_datagram_without_a_sender_has_no_answer(recorded: Recorded, tmp_path: Path) -> None:
    name = str(tmp_path / "socket")
    with recorded.running("unix/datagram/server.py", "--count", 1, "--name", name) as server:
        assert "waits" in server.line()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nameless:
            nameless.sendto(b"hello", name)
        assert server.rest().endswith("The sender has no name: no answer.\n")


@pytest.mark.parametrize("kind", ["stream", "datagram"])
def test_a_name_that_nobody_holds_is_one_line(
    recorded: Recorded, tmp_path: Path, kind: str
) -> None:
    name = str(tmp_path / "nobody")
    ended = recorded.run(f"unix/{kind}/client.py", "--name", name)
    assert ended.stderr == f"UNIX client to {name}: No such file or directory\n"


# ---------------------------------------------------------------- IPv6


needs_ipv6 = pytest.mark.skipif(
    not Path("/proc/net/if_inet6").exists() or not Path("/proc/net/if_inet6").read_text(),
    reason="needs IPv6",
)


@needs_ipv6
@pytest.mark.parametrize(
    ("host", "seen"), [("::1", "[::1]:"), ("127.0.0.1", "[::ffff:127.0.0.1]:")]
)
def test_one_ipv6_listener_serves_both_families(recorded: Recorded, host: str, seen: str) -> None:
    words = ("tcp/greeting_ipv6/server.py", "--port", 0, "--count", 1)
    with recorded.running(*words) as server:
        ended = recorded.run("tcp/greeting_ipv6/client.py", host, "--port", server.port)
        assert f"Connected: {seen}" in server.rest()
    assert ended.stdout.endswith(f"Received 25 octets: {REPLY}\n")


@needs_ipv6
def test_with_v6only_ipv4_is_refused(recorded: Recorded) -> None:
    words = ("tcp/greeting_ipv6/server.py", "--port", 0, "--v6only")
    with recorded.running(*words) as server:
        ended = recorded.run("tcp/greeting_ipv6/client.py", "127.0.0.1", "--port", server.port)
    assert "Connection refused" in ended.stderr


@needs_ipv6
def test_an_ipv6_address_that_this_host_has_not_is_one_line(recorded: Recorded) -> None:
    words = ("--address", "2001:db8::1", "--port", "0")
    ended = recorded.run("tcp/greeting_ipv6/server.py", *words)
    assert ended.stderr == "TCP server on [2001:db8::1]:0: Cannot assign requested address\n"
