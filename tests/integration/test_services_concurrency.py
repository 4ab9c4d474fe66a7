"""The concurrency models, side by side over the same greeting: who waits for a slow client."""

from __future__ import annotations

import importlib.util
import runpy
import socket
import sys
from pathlib import Path

import pytest

from tests.recorded import LOOPBACK, ROOT, Recorded

REPLY = "服务器已收到消息!".encode()
needs_twisted = pytest.mark.skipif(
    importlib.util.find_spec("twisted") is None, reason="needs Twisted, which is optional"
)
CONCURRENT = [
    "threads",
    "fork",
    "socketserver",
    "selectors",
    "asyncio",
    pytest.param("twisted", marks=needs_twisted),
]
ALL = ["sequential", *CONCURRENT]


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def server_of(model: str) -> str:
    return f"tcp/concurrency/server_{model}.py"


def client_of(port: int, *options: str | float) -> tuple[str | float, ...]:
    return ("127.0.0.1", "--port", port, *options)


@pytest.mark.parametrize("model", CONCURRENT)
def test_a_slow_client_holds_up_nobody(recorded: Recorded, model: str) -> None:
    with (
        recorded.running(server_of(model), *LOOPBACK) as server,
        socket.create_connection(("127.0.0.1", server.port)),  # connected, and silent
    ):
        ended = recorded.run("tcp/concurrency/client.py", *client_of(server.port))
        assert (ended.returncode, ended.stderr) == (0, "")


def test_a_slow_client_holds_up_the_next_where_one_is_served_at_a_time(recorded: Recorded) -> None:
    program = "tcp/concurrency/client.py"
    with (
        recorded.running(server_of("sequential"), *LOOPBACK) as server,
        socket.create_connection(("127.0.0.1", server.port)),
    ):
        ended = recorded.run(program, *client_of(server.port, "--timeout", 0.2))
    assert ended.stderr == f"TCP client to 127.0.0.1:{server.port}: no reply in 0.2 s\n"
    told = [
        (call.function, call.error)
        for call in recorded.named(program, "connect", "sendall", "recv")
    ]
    assert told == [("connect", ""), ("sendall", ""), ("recv", "TimeoutError")]


@pytest.mark.parametrize("model", ALL)
def test_each_message_is_answered_to_the_end_of_the_stream(recorded: Recorded, model: str) -> None:
    with recorded.running(server_of(model), *LOOPBACK, "--count", 2) as server:
        for _ in range(2):
            words = client_of(server.port, "--message", "一", "--message", "二")
            ended = recorded.run("tcp/concurrency/client.py", *words)
            assert ended.stdout.count(f": {REPLY.decode()}\n") == 2
        server.rest()
    assert server.process.returncode == 0


@pytest.mark.parametrize("model", ALL)
def test_octets_that_are_not_utf8_are_answered_too(recorded: Recorded, model: str) -> None:
    with (
        recorded.running(server_of(model), *LOOPBACK) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as client,
    ):
        client.sendall("你好".encode("gbk"))
        assert client.recv(1024) == REPLY


@pytest.mark.parametrize("model", ALL)
def test_ctrl_c_closes_the_listener_and_says_so(recorded: Recorded, model: str) -> None:
    with recorded.running(server_of(model), *LOOPBACK) as server:
        assert server.port
        server.wait_in_a_call()
        assert server.stop() == "Stopped; the listening socket is closed.\n"
    assert server.process.returncode == 0


# ---------------------------------------------------------------- what the call log tells apart


def serve_two(recorded: Recorded, model: str) -> str:
    """Serve two clients at the same time; return the name of the program."""
    with recorded.running(server_of(model), *LOOPBACK, "--count", 2) as server:
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
        for client in clients:
            client.sendall(b"hello")
            assert client.recv(1024) == REPLY
        for client in clients:
            client.close()
        server.rest()
    return server_of(model)


@pytest.mark.parametrize("model", ["threads", "socketserver"])
def test_a_thread_for_each_connection(recorded: Recorded, model: str) -> None:
    received = recorded.named(serve_two(recorded, model), "recv")
    assert len({call.thread for call in received}) == 2
    assert len({call.process for call in received}) == 1


def test_a_process_for_each_connection(recorded: Recorded) -> None:
    received = recorded.named(serve_two(recorded, "fork"), "recv")
    assert len({call.process for call in received}) == 2


def test_a_forked_connection_is_closed_by_parent_and_child(recorded: Recorded) -> None:
    program = serve_two(recorded, "fork")
    accepts = recorded.named(program, "accept")
    for accept in accepts:
        closes = [call for call in recorded.named(program, "close") if call.peer == accept.peer]
        assert len({call.process for call in closes}) == 2


@pytest.mark.parametrize("model", ["selectors", "asyncio"])
def test_one_thread_for_all_connections(recorded: Recorded, model: str) -> None:
    received = recorded.named(serve_two(recorded, model), "recv", "recv_into", "send")
    assert len({(call.process, call.thread) for call in received}) == 1


def test_asyncio_turns_nagle_off_by_itself(recorded: Recorded) -> None:
    options = recorded.named(serve_two(recorded, "asyncio"), "setsockopt")
    assert ("IPPROTO_TCP", "TCP_NODELAY", True) in {call.arguments for call in options}


# ---------------------------------------------------------------- the non-blocking client; Twisted


def test_a_non_blocking_connect_is_in_progress_and_then_done(recorded: Recorded) -> None:
    program = "tcp/concurrency/client_nonblocking.py"
    with recorded.running(server_of("selectors"), *LOOPBACK) as server:
        ended = recorded.run(program, *client_of(server.port))
    assert ended.stdout.endswith(f"Received 25 octets: {REPLY.decode()}\n")
    first, *_, last = recorded.named(program, "connect_ex")
    assert first.error == "EINPROGRESS"
    assert last.error in ("", "EISCONN")
    assert recorded.named(program, "recv")[0].error == "EAGAIN"


def test_a_refused_non_blocking_connect_is_one_line(recorded: Recorded) -> None:
    program = "tcp/concurrency/client_nonblocking.py"
    with socket.socket() as bound_only:
        bound_only.bind(("127.0.0.1", 0))
        port = bound_only.getsockname()[1]
        ended = recorded.run(program, *client_of(port))
    assert ended.stderr == f"TCP client to 127.0.0.1:{port}: Connection refused\n"


def test_without_twisted_a_clear_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("twisted", "twisted.internet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit, match=r"Twisted is not installed \(pip install twisted\)"):
        runpy.run_path(str(ROOT / "services" / server_of("twisted")), run_name="__main__")
