"""Every socket call of a recorded program is written down, and each line tells what it must."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.evidence.calls import Call, decode_calls
from tests.recorder import PAIR, RECORD, ROOT, Recorder, names


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


# ---------------------------------------------------------------- the greeting


@pytest.fixture
def greeting(tmp_path: Path) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    """The calls of the greeting's client and of its server."""
    logs = [tmp_path / "client.calls.jsonl", tmp_path / "server.calls.jsonl"]
    server = ["services/tcp/greeting/server.py", "--port", "0", "--work", "0"]
    words = [*RECORD, "--log", str(logs[1]), *server]
    with subprocess.Popen(words, cwd=ROOT, stdout=-1, encoding="utf-8") as serving:
        assert serving.stdout is not None
        found = re.search(r":(\d+)", serving.stdout.readline())
        assert found is not None
        client = ["services/tcp/greeting/client.py", "127.0.0.1", "--port", found[1]]
        subprocess.run([*RECORD, "--log", str(logs[0]), *client], cwd=ROOT, capture_output=True)
        serving.communicate(timeout=10)
    first, second = (decode_calls(log.read_bytes()) for log in logs)
    return first, second


def test_the_client_makes_five_calls(greeting: tuple[tuple[Call, ...], tuple[Call, ...]]) -> None:
    assert names(greeting[0]) == ["socket", "connect", "sendall", "recv", "close"]


def test_the_server_makes_its_calls(greeting: tuple[tuple[Call, ...], tuple[Call, ...]]) -> None:
    opening = ["socket", "setsockopt", "bind", "listen", "accept"]
    assert names(greeting[1]) == [*opening, "recv", "sendall", "recv", "close", "close"]


def test_each_call_brings_the_line_that_made_it(
    greeting: tuple[tuple[Call, ...], tuple[Call, ...]],
) -> None:
    lines = (ROOT / "services/tcp/greeting/client.py").read_text(encoding="utf-8").splitlines()
    assert [call.source for call in greeting[0]] == [
        lines[call.line - 1].strip() for call in greeting[0]
    ]
    assert "connect(" in greeting[0][1].source


def test_no_call_ends_before_it_begins(
    greeting: tuple[tuple[Call, ...], tuple[Call, ...]],
) -> None:
    assert all(call.before <= call.after for call in (*greeting[0], *greeting[1]))


def test_both_ends_tell_of_the_same_connection(
    greeting: tuple[tuple[Call, ...], tuple[Call, ...]],
) -> None:
    connect = next(call for call in greeting[0] if call.function == "connect")
    accept = next(call for call in greeting[1] if call.function == "accept")
    assert connect.local is not None
    assert (connect.local, connect.peer) == (accept.peer, accept.local)


def test_data_is_kept_in_hex(greeting: tuple[tuple[Call, ...], tuple[Call, ...]]) -> None:
    sent = next(call for call in greeting[0] if call.function == "sendall")
    assert (sent.octets, bytes.fromhex(sent.data).decode()) == (17, "你好,服务器!")


def test_the_end_of_the_stream_is_a_recv_of_0_octets(
    greeting: tuple[tuple[Call, ...], tuple[Call, ...]],
) -> None:
    assert [call.octets for call in greeting[1] if call.function == "recv"] == [17, 0]


def test_a_call_names_the_line_of_the_program_that_made_it(
    greeting: tuple[tuple[Call, ...], tuple[Call, ...]],
) -> None:
    connect = next(call for call in greeting[0] if call.function == "connect")
    source = (ROOT / connect.program).read_text(encoding="utf-8").splitlines()
    assert ".connect(" in source[connect.line - 1]


# ---------------------------------------------------------------- what a line tells


def test_a_failed_call_carries_the_name_of_its_errno(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import socket
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        asking = socket.socket()
        try:
            asking.connect(bound.getsockname())
        except ConnectionRefusedError:
            pass
        asking.close()
        bound.close()
    """)
    connect = next(call for call in calls if call.function == "connect")
    assert connect.error == "ECONNREFUSED"
    assert connect.peer == connect.arguments[0]


def test_connect_ex_tells_the_errno_that_it_returned(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import socket
        with socket.socket() as bound, socket.socket() as asking:
            bound.bind(("127.0.0.1", 0))
            asking.connect_ex(bound.getsockname())
    """)
    assert next(call for call in calls if call.function == "connect_ex").error == "ECONNREFUSED"


def test_a_python_timeout_has_no_errno_and_a_non_blocking_recv_has_one(recorder: Recorder) -> None:
    calls = recorder.calls(
        PAIR
        + """
    near.settimeout(0.01)
    try:
        near.recv(1)
    except TimeoutError:
        pass
    near.setblocking(False)
    try:
        near.recv(1)
    except BlockingIOError:
        pass
    for each in (near, far, listener):
        each.close()
    """
    )
    assert [call.error for call in calls if call.function == "recv"] == ["TimeoutError", "EAGAIN"]


def test_a_call_on_a_closed_socket_has_no_descriptor(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import socket
        gone = socket.socket()
        gone.close()
        try:
            gone.send(b"x")
        except OSError:
            pass
    """)
    assert [(call.function, call.error, call.fd) for call in calls][2] == ("send", "EBADF", -1)


def test_a_udp_socket_has_a_local_address_from_its_first_sendto_on(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import socket
        with socket.socket(type=socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            with socket.socket(type=socket.SOCK_DGRAM) as client:
                client.sendto(b"hi", server.getsockname())
                data, sender = server.recvfrom(1024)
    """)
    told = {call.function: call for call in calls if call.kind == "udp"}
    assert told["sendto"].peer == told["bind"].local
    port = told["sendto"].local[1]  # type: ignore[index]
    assert told["recvfrom"].peer == ["127.0.0.1", port]


def test_a_socket_dropped_without_close_is_seen_to_close(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import socket
        socket.socket()
    """)
    assert names(calls) == ["socket", "close"]


def test_the_program_sees_its_descriptors_counted_from_3(recorder: Recorder) -> None:
    source = """
        import socket
        with socket.socket() as it:
            print(it.fileno(), type(it))
    """
    assert recorder.run(source).stdout == recorder.run_plain(source).stdout


def test_a_failing_log_leaves_the_program_alone_and_says_so(recorder: Recorder) -> None:
    recorder.program.write_text("import socket\nsocket.socket().close()\nprint('fine')\n")
    with open("/dev/full", "ab") as full:
        ended = subprocess.run(
            [*RECORD, str(recorder.program)],
            cwd=ROOT,
            env=os.environ | {"LAB_CALLS_FD": str(full.fileno())},
            pass_fds=[full.fileno()],
            capture_output=True,
            encoding="utf-8",
        )
    assert (ended.returncode, ended.stdout) == (0, "fine\n")
    assert "No space left on device" in ended.stderr
