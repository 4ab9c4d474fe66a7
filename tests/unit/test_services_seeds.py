"""Each seed program as its table states it: ports, addresses, backlogs, receive sizes, encodings.

Proved against the call log of a real run on loopback. Runs take a free port, for those below 1024 need
privilege and others may be taken; that the default is the seed's own is proved apart.
"""

from __future__ import annotations

import importlib
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.recorded import Recorded


@dataclass(frozen=True)
class ServerRow:
    """A server of the table. Sizes are what recv is asked for; None: a library asks."""

    seed: str
    program: str
    port: int
    bind: str
    listen: tuple[int, ...] | None  # the arguments of listen; None: UDP
    size: int | None
    reply: bytes | None = None  # to b"hello"; None: depends on the time, or there is none


@dataclass(frozen=True)
class ClientRow:
    """A client of the table, and what it puts on the wire for its message."""

    seed: str
    program: str
    port: int
    size: int | None
    message: str | None
    encoding: str


UTF8_REPLY = "服务器已收到消息!".encode()
GBK_REPLY = bytes.fromhex("cad5b5bdc0b2ced2b7b4c0a1")  # 收到啦我反馈

SERVERS = [
    ServerRow("S0-P1", "tcp/greeting/server.py", 12345, "0.0.0.0", (5,), 1024, UTF8_REPLY),
    ServerRow(
        "S0-P3", "tcp/greeting/server_faithful.py", 12345, "127.0.0.1", (5,), 1024, UTF8_REPLY
    ),
    ServerRow(
        "S0-P4", "tcp/concurrency/server_threads.py", 12345, "0.0.0.0", (5,), 1024, UTF8_REPLY
    ),
    ServerRow(
        "S0-P5",
        "tcp/concurrency/server_asyncio_faithful.py",
        12345,
        "127.0.0.1",
        (100,),
        None,
        UTF8_REPLY,
    ),
    ServerRow("S1-P4", "udp/message/server_faithful.py", 8080, "127.0.0.1", None, 1024),
    ServerRow("S1-P6", "tcp/gbk/server_faithful.py", 7891, "", (128,), 1024, GBK_REPLY),
    ServerRow("S1-P6", "tcp/gbk/server.py", 7891, "", (128,), 1024, GBK_REPLY),
    ServerRow("S2-P2", "tcp/timestamp/server_faithful.py", 21567, "localhost", (5,), 1024),
    ServerRow("S2-P5", "udp/timestamp/server.py", 21567, "0.0.0.0", None, 1024),
    ServerRow("S3-P1", "tcp/hello/server_silent.py", 8888, "127.0.0.1", (), 1024, b""),
    ServerRow(
        "S3-P3", "tcp/hello/server_faithful.py", 8888, "127.0.0.1", (), 1024, b"Hello world!"
    ),
    ServerRow("S4-P2", "tcp/echo_once/server_faithful.py", 1000, "127.0.0.1", (5,), 100, b"hello"),
    ServerRow("S4-P4", "tcp/echo/server_faithful.py", 1001, "127.0.0.1", (5,), 10, b"hello"),
]
CLIENTS = [
    ClientRow("S0-P2", "tcp/greeting/client.py", 12345, 1024, "你好,服务器!", "utf-8"),
    ClientRow("S1-P3", "udp/message/client_faithful.py", 8080, None, "你好", "utf-8"),
    ClientRow("S1-P5", "tcp/gbk/client_faithful.py", 7891, None, "你好", "gbk"),
    ClientRow("S2-P4", "tcp/timestamp/client.py", 21567, 1024, "Hello, I am Client", "utf-8"),
    ClientRow("S2-P6", "udp/timestamp/client_faithful.py", 21567, 1024, "Hello", "utf-8"),
    ClientRow("S3-P2", "tcp/hello/client.py", 8888, 1024, None, "ascii"),
    ClientRow("S4-P1", "tcp/echo_once/client_faithful.py", 1000, 100, "hello", "utf-8"),
    ClientRow("S4-P3", "tcp/echo/client_faithful.py", 1001, 10, "hello", "utf-8"),
]
ROWS: list[ServerRow | ClientRow] = [*SERVERS, *CLIENTS]


def _id(row: ServerRow | ClientRow) -> str:
    return f"{row.seed}-{Path(row.program).stem}"


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


@pytest.mark.parametrize("row", SERVERS, ids=_id)
def test_a_server_calls_as_the_table_states(row: ServerRow, recorded: Recorded) -> None:
    kind = socket.SOCK_DGRAM if row.listen is None else socket.SOCK_STREAM
    with recorded.running(row.program, "--port", 0) as server, socket.socket(type=kind) as client:
        client.settimeout(10)
        client.connect(("127.0.0.1", server.port))
        client.send(b"hello")
        reply = server.line().encode() if row.program == "udp/message/server_faithful.py" else b""
        reply = reply or client.recv(1024)
        client.close()
        with suppress(ProcessLookupError):
            server.stop()
    bind, *listen = recorded.named(row.program, "bind", "listen")
    assert bind.arguments == ([row.bind, 0],)
    assert [call.arguments for call in listen] == [] if row.listen is None else [row.listen]
    if row.size is not None:
        assert recorded.named(row.program, "recv", "recvfrom")[0].arguments == (row.size,)
    if row.reply is not None:
        assert reply == row.reply


@pytest.mark.parametrize("row", CLIENTS, ids=_id)
def test_a_client_sends_as_the_table_states(row: ClientRow, recorded: Recorded) -> None:
    kind = socket.SOCK_DGRAM if row.program.startswith("udp") else socket.SOCK_STREAM
    options = [] if row.message is None else ["--message", row.message]
    options += ["--source-port", "0"] if row.seed == "S1-P3" else []
    with socket.socket(type=kind) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        port = server.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            server.listen()
        words = (row.program, "127.0.0.1", "--port", port, *options)
        with recorded.running(*words) as client:
            if kind == socket.SOCK_STREAM:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(10)
                    octets = connection.recv(1024)
                    connection.sendall(octets)
            else:
                octets, sender = server.recvfrom(1024)
                server.sendto(octets, sender)
            client.rest()
    assert octets == (row.message or "Hello world!").encode(row.encoding)
    received = recorded.named(row.program, "recv", "recvfrom")
    assert {call.arguments for call in received} == (set() if row.size is None else {(row.size,)})


@pytest.mark.parametrize("row", ROWS, ids=_id)
def test_the_default_port_is_the_seeds(
    row: ServerRow | ClientRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(
        "services." + row.program.removesuffix(".py").replace("/", ".")
    )
    monkeypatch.setattr(
        "sys.argv", [row.program, *(["host"] if isinstance(row, ClientRow) else [])]
    )
    assert module.read_command_line().port == row.port


@pytest.mark.parametrize("row", ROWS, ids=_id)
def test_a_program_names_its_seed(row: ServerRow | ClientRow) -> None:
    module = importlib.import_module(
        "services." + row.program.removesuffix(".py").replace("/", ".")
    )
    assert row.seed in (module.__doc__ or "")


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_socket_is_created_and_closed_and_nothing_else(kind: str, recorded: Recorded) -> None:
    program = f"{kind}/creation/create.py"
    assert recorded.run(program).returncode == 0
    assert [(call.kind, call.function) for call in recorded.calls(program)] == [
        (kind, "socket"),
        (kind, "close"),
    ]


def test_the_sender_of_datagrams_is_bound_to_port_7890(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("services.udp.message.client_faithful")
    monkeypatch.setattr("sys.argv", ["client_faithful.py", "host"])
    assert module.read_command_line().source_port == 7890


def test_tcp_and_udp_hold_port_21567_side_by_side(recorded: Recorded) -> None:
    tcp = recorded.running("tcp/timestamp/server.py", "--address", "127.0.0.1", "--port", 0)
    with tcp as first:
        words = ("udp/timestamp/server.py", "--address", "127.0.0.1", "--port", first.port)
        with recorded.running(*words) as second:
            assert second.port == first.port


@pytest.mark.parametrize(
    ("name", "calls"),
    [("S2-P1", 10), ("S2-P3", 6), ("S4-P5", 9), ("S4-P6", 5)],
)
def test_a_skeleton_has_as_many_lines_as_there_are_to_order(name: str, calls: int) -> None:
    text = Path(__file__).parents[2].joinpath("services/skeletons", f"{name}.txt").read_text()
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert len(lines) == calls
