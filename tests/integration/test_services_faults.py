"""Each fault that a faithful program keeps shows in what it leaves behind: calls, states, octets."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.evidence.calls import Call
from tests.recorded import LOOPBACK, Recorded, states, wait_for

AS_PRINTED = ("--port", "0")  # a faithful server binds the address that the seed binds
LONG = "a message of 24 octets!!"


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def told(calls: list[Call]) -> list[tuple[str, str, int | None]]:
    return [(call.function, call.error, call.octets) for call in calls]


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


# ---------------------------------------------------------------- S0: greeting, asyncio


def test_s0_p3_dies_of_a_greeting_in_gbk(recorded: Recorded) -> None:
    program = "tcp/greeting/server_faithful.py"
    with recorded.running(program, *AS_PRINTED) as server:
        with connected(server.port) as client:
            client.sendall("你好".encode("gbk"))
            assert client.recv(1024) == b""
        assert "UnicodeDecodeError, not an OSError" in server.rest()
    assert server.process.returncode == 1
    assert recorded.named(program, "sendall") == []


def test_s0_p3_takes_an_empty_read_for_an_error(recorded: Recorded) -> None:
    with recorded.running("tcp/greeting/server_faithful.py", *AS_PRINTED) as server:
        connected(server.port).close()
        assert "Connected" in server.line()
        assert server.line() == "Connection failed: the client has disconnected.\n"


def test_s0_p3_stopped_before_its_first_client_ends_in_a_name_error(recorded: Recorded) -> None:
    with recorded.running("tcp/greeting/server_faithful.py", *AS_PRINTED) as server:
        assert server.port
        server.wait_in_a_call()
        assert "UnboundLocalError" in server.stop()
    assert server.process.returncode == 1


@pytest.mark.parametrize(
    "program", ["tcp/greeting/server_faithful.py", "tcp/hello/server_faithful.py"]
)
def test_a_server_that_closed_first_cannot_be_restarted_without_so_reuseaddr(
    recorded: Recorded, program: str
) -> None:
    with recorded.running(program, *AS_PRINTED) as server:
        port = server.port
        with connected(port) as client:
            client.sendall(b"hello")
            while client.recv(1024):  # to the end: the server has closed first
                pass
        server.stop()
    assert wait_for(lambda: states(port) == ["TIME-WAIT"])
    again = recorded.run(program, "--port", port)
    assert again.stderr == f"TCP server on 127.0.0.1:{port}: Address already in use\n"
    assert recorded.named(program, "bind")[-1].error == "EADDRINUSE"


def test_s0_p5_gives_a_client_in_gbk_no_reply(recorded: Recorded) -> None:
    program = "tcp/concurrency/server_asyncio_faithful.py"
    with recorded.running(program, *AS_PRINTED) as server:
        with connected(server.port) as client:
            client.sendall("你好".encode("gbk"))
            assert "Failed: UnicodeDecodeError" in server.line()
        server.stop()
    assert [call for call in recorded.named(program, "send") if call.kind == "tcp"] == []


# ---------------------------------------------------------------- S1: GBK pair, UDP pair


def test_s1_p5_sends_after_the_server_has_closed_and_breaks_its_pipe(recorded: Recorded) -> None:
    server_program, client_program = "tcp/gbk/server_faithful.py", "tcp/gbk/client_faithful.py"
    with recorded.running(server_program, *AS_PRINTED) as server:
        words = (client_program, "127.0.0.1", "--port", server.port)
        with recorded.running(*words) as client:
            client.type("你好")
            server.rest()  # it has answered once, and closed
            client.type("在吗")
            while "Sent 4 octets: 在吗" not in client.line():  # its RST has come by now
                pass
            client.type("喂")
            assert "Broken pipe" in client.rest()
    sends = told(recorded.named(client_program, "send"))
    assert sends == [("send", "", 4), ("send", "", 4), ("send", "EPIPE", None)]


def test_s1_p5_never_reads_the_answer(recorded: Recorded) -> None:
    with recorded.running("tcp/gbk/server_faithful.py", *AS_PRINTED) as server:
        recorded.run(
            "tcp/gbk/client_faithful.py", "127.0.0.1", "--port", server.port, "--message", "1"
        )
        assert "----1----\n----2----\n" in server.rest()
    assert recorded.named("tcp/gbk/client_faithful.py", "recv") == []


TWO_LINES = ("--source-port", 0, "--message", "a", "--message", "b", "--pause", 0.01)


def test_s1_p3_is_not_told_that_nobody_receives(recorded: Recorded) -> None:
    program = "udp/message/client_faithful.py"
    with nobody() as where:
        assert recorded.run(program, *where, *TWO_LINES).returncode == 0
    assert told(recorded.named(program, "sendto")) == [("sendto", "", 1), ("sendto", "", 1)]


def test_s1_p3_repaired_is_told(recorded: Recorded) -> None:
    program = "udp/message/client.py"
    with nobody() as where:
        ended = recorded.run(program, *where, *TWO_LINES)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    sends = told(recorded.named(program, "send"))
    assert sends == [("send", "", 1), ("send", "ECONNREFUSED", None)]


def test_s1_p4_says_not_who_sent(recorded: Recorded) -> None:
    with recorded.running("udp/message/server_faithful.py", *AS_PRINTED) as server:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto("你好".encode(), ("127.0.0.1", server.port))
        assert server.line() == "你好\n"


# ---------------------------------------------------------------- S2: timestamp


def test_s2_p2_leaves_the_connection_in_close_wait(recorded: Recorded) -> None:
    with recorded.running("tcp/timestamp/server_faithful.py", *AS_PRINTED) as server:
        words = ("127.0.0.1", "--port", server.port, "--message", "hello")
        assert recorded.run("tcp/timestamp/client.py", *words).returncode == 0
        assert wait_for(lambda: "CLOSE-WAIT" in states(server.port))
        assert wait_for(lambda: "FIN-WAIT-2" in states(server.port, remote=True))


def test_s2_p2_closes_a_connection_only_when_the_next_is_accepted(recorded: Recorded) -> None:
    program = "tcp/timestamp/server_faithful.py"
    with recorded.running(program, *AS_PRINTED) as server:
        for _ in range(2):
            connected(server.port).close()
            assert "Connected" in server.line()
            assert "Left" in server.line()
        made = [call.function for call in recorded.named(program, "accept", "recv", "close")]
    assert made == ["accept", "recv", "accept", "close", "recv"]


def test_s2_p2_repaired_closes_at_once(recorded: Recorded) -> None:
    with recorded.running("tcp/timestamp/server.py", *LOOPBACK) as server:
        connected(server.port).close()
        assert "Connected" in server.line()
        assert "Closed" in server.line()
        assert "CLOSE-WAIT" not in states(server.port)


def test_s2_p6_sends_its_next_line_to_whoever_answered(recorded: Recorded) -> None:
    program = "udp/timestamp/client_faithful.py"
    with (
        socket.socket(type=socket.SOCK_DGRAM) as server,
        socket.socket(type=socket.SOCK_DGRAM) as stranger,
    ):
        for each in (server, stranger):
            each.bind(("127.0.0.1", 0))
            each.settimeout(10)
        words = (program, "127.0.0.1", "--port", server.getsockname()[1], *messages("1", "2"))
        with recorded.running(*words) as client:
            _, sender = server.recvfrom(1024)
            stranger.sendto(b"believe me", sender)
            assert stranger.recvfrom(1024)[0] == b"2"
            stranger.sendto(b"thanks", sender)
            client.rest()
        peers = [call.peer for call in recorded.named(program, "sendto")]
        assert peers == [list(server.getsockname()), list(stranger.getsockname())]


# ---------------------------------------------------------------- S3, S4: hello, echo


@pytest.mark.parametrize(
    ("program", "first", "rest"),
    [
        ("tcp/hello/server_faithful.py", b"Hello", b" world!"),
        ("tcp/echo_once/server_faithful.py", b"x" * 100, b"y" * 50),
        ("tcp/concurrency/server_asyncio_faithful.py", b"Hello", b" world!"),
    ],
)
def test_a_server_that_reads_once_resets_what_comes_later(
    recorded: Recorded, program: str, first: bytes, rest: bytes
) -> None:
    with recorded.running(program, *AS_PRINTED) as server, connected(server.port) as client:
        client.sendall(first)
        while client.recv(1024):
            pass
        client.sendall(rest)
        assert wait_for(lambda: client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0)


def test_s4_p2_closes_with_octets_unread_and_so_with_rst(recorded: Recorded) -> None:
    with recorded.running("tcp/echo_once/server_faithful.py", *AS_PRINTED) as server:
        client = connected(server.port)
        client.sendall(b"x" * 150)
        assert client.recv(1024) == b"x" * 100
        with pytest.raises(ConnectionResetError):
            client.recv(1024)
        client.close()


def test_s4_p3_reads_the_rest_of_one_echo_as_the_next_answer(recorded: Recorded) -> None:
    program = "tcp/echo/client_faithful.py"
    with recorded.running("tcp/echo/server_faithful.py", *AS_PRINTED) as server:
        ended = recorded.run(program, "127.0.0.1", "--port", server.port, *messages(LONG, "hi"))
    assert ended.stdout.splitlines()[1::2] == ["Received: a message ", "Received: of 24 octe"]
    assert [call.octets for call in recorded.named(program, "recv")] == [10, 10]


def test_s4_p3_leaves_with_rst_what_it_has_not_read(recorded: Recorded) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = ("127.0.0.1", "--port", listener.getsockname()[1], "--message", LONG)
        with recorded.running("tcp/echo/client_faithful.py", *words) as client:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(1024))
                client.rest()
                with pytest.raises(ConnectionResetError):
                    connection.recv(1024)


def test_s4_p3_cuts_a_character_in_two(recorded: Recorded) -> None:
    with recorded.running("tcp/echo/server_faithful.py", *AS_PRINTED) as server:
        words = ("127.0.0.1", "--port", server.port, "--message", "你好，服务器！收到")
        ended = recorded.run("tcp/echo/client_faithful.py", *words)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "a character was cut in two" in ended.stderr


def test_s4_p4_spins_on_the_end_of_the_stream(recorded: Recorded) -> None:
    program = "tcp/echo/server_faithful.py"
    words = (program, *AS_PRINTED, "--spin-seconds", 0.1)
    with recorded.running(*words) as server, connected(server.port) as client:
        client.sendall(b"hello")
        assert client.recv(1024) == b"hello"
        client.shutdown(socket.SHUT_WR)
        while "Empty reads" not in (line := server.line()):
            pass
    empty = [call for call in recorded.named(program, "recv") if call.octets == 0]
    assert line == f"Empty reads: {len(empty)}.\n"
    assert len(empty) > 100


def test_s4_p4_stays_in_close_wait_while_it_spins(recorded: Recorded) -> None:
    words = ("tcp/echo/server_faithful.py", *AS_PRINTED, "--spin-seconds", 10)
    with recorded.running(*words) as server, connected(server.port) as client:
        client.shutdown(socket.SHUT_WR)
        assert wait_for(lambda: "CLOSE-WAIT" in states(server.port))


def test_s4_p4_is_woken_by_a_reset_alone(recorded: Recorded) -> None:
    with recorded.running("tcp/echo/server_faithful.py", *AS_PRINTED) as server:
        client = connected(server.port)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert "Connected" in server.line()
        client.close()
        assert server.line() == "Empty reads: 0.\n"


# ---------------------------------------------------------------- what the tests above share


@contextmanager
def nobody() -> Iterator[tuple[str | float, ...]]:
    """A UDP port at which nobody hears us: its socket is connected to itself, so no other takes it."""
    with socket.socket(type=socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.connect(deaf.getsockname())
        yield ("127.0.0.1", "--port", deaf.getsockname()[1])


def messages(*lines: str) -> list[str]:
    return [word for line in lines for word in ("--message", line)]
