"""What is built on sockets runs unchanged under the recorder: asyncio, ssl, threads, fork and more."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.recorder import PAIR, Recorder, names


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def test_makefile_closes_the_descriptor_with_its_last_user(recorder: Recorder) -> None:
    calls = recorder.calls(
        PAIR
        + """
    far.sendall(b"line\\n")
    file = near.makefile("rb")
    near.close()
    assert file.readline() == b"line\\n"
    file.close()
    far.close()
    listener.close()
    """
    )
    assert names(calls)[-4:] == ["recv_into", "close", "close", "close"]


def test_an_asyncio_server_and_its_client_run_unchanged(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import asyncio

        async def answer(reader, writer):
            writer.write((await reader.read(1024)).upper())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async def main():
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello")
            assert await reader.read(1024) == b"HELLO"
            writer.close()
            await writer.wait_closed()
            server.close()
            await server.wait_closed()

        asyncio.run(main())
    """)
    sent = [call.data for call in calls if call.function in ("send", "sendmsg") and call.octets]
    assert sent == [b"hello".hex(), b"HELLO".hex()]
    assert all(call.line for call in calls)


def test_a_threading_server_runs_unchanged(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import socket, socketserver, threading

        class Answer(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(self.rfile.readline().upper())

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
            threading.Thread(target=server.serve_forever).start()
            with socket.create_connection(server.server_address) as client:
                client.sendall(b"hello\\n")
                assert client.recv(1024) == b"HELLO\\n"
            server.shutdown()
    """)
    reading = [call for call in calls if call.function == "recv_into" and call.octets == 6]
    asking = next(call for call in calls if call.function == "connect")
    assert [call.thread != asking.thread for call in reading] == [True]


def test_a_selectors_loop_runs_unchanged(recorder: Recorder) -> None:
    calls = recorder.calls(
        PAIR
        + """
    import selectors
    far.setblocking(False)
    near.sendall(b"hello")
    with selectors.DefaultSelector() as selector:
        selector.register(far, selectors.EVENT_READ)
        (ready, _), = selector.select(10)
        assert ready.fileobj.recv(1024) == b"hello"
    for each in (near, far, listener):
        each.close()
    """
    )
    assert [call.octets for call in calls if call.function == "recv"] == [5]


def test_a_forked_child_shares_the_log(recorder: Recorder) -> None:
    calls = recorder.calls(
        PAIR
        + """
    import os
    child = os.fork()
    if child == 0:
        far.sendall(b"from the child")
        os._exit(0)
    os.waitpid(child, 0)
    assert near.recv(1024) == b"from the child"
    for each in (near, far, listener):
        each.close()
    """
    )
    by_name = {call.function: call.process for call in calls}
    assert by_name["sendall"] != by_name["recv"]


def test_lines_of_many_threads_do_not_mix(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import socket, threading

        def talk():
            near, far = socket.socketpair()
            for _ in range(200):
                near.send(b"x")
                far.recv(1)
            near.close()
            far.close()

        threads = [threading.Thread(target=talk) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    """)
    assert len(calls) == 4 * (200 * 2 + 2)


@pytest.mark.parametrize(
    "make",
    [
        "socket.fromfd(near.fileno(), near.family, near.type)",
        "near.dup()",
        "socket.socket(fileno=near.detach())",
    ],
)
def test_a_second_socket_of_a_descriptor_is_recorded_too(recorder: Recorder, make: str) -> None:
    calls = recorder.calls(
        PAIR
        + f"""
    second = {make}
    second.sendall(b"hello")
    for each in (near, far, listener, second):
        each.close()
    """
    )
    assert [call.octets for call in calls if call.function == "sendall"] == [5]


def test_buffers_and_messages_are_recorded(recorder: Recorder) -> None:
    calls = recorder.calls(
        PAIR
        + """
    far.sendmsg(part for part in (b"ab", b"cdef"))
    buffer = bytearray(2)
    assert near.recv_into(buffer, nbytes=1) == 1
    assert near.recvmsg(1)[0] == b"b"
    assert near.recvmsg_into([buffer])[0] == 2
    assert near.recvfrom_into(buffer)[0] == 2
    for each in (near, far, listener):
        each.close()
    """
    )
    shown = [bytes.fromhex(call.data) for call in calls if call.octets]
    assert shown == [b"abcdef", b"a", b"b", b"cd", b"ef"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl: makes a certificate")
def test_a_tls_client_and_server_run_unchanged(recorder: Recorder, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    words = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server"
    )
    made = subprocess.run(
        [*words.split(), "-keyout", str(key), "-out", str(certificate)],
        capture_output=True,
    )
    assert made.returncode == 0
    calls = recorder.calls(
        PAIR
        + f"""
    import ssl, threading
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain({str(certificate)!r}, {str(key)!r})
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    theirs.load_verify_locations({str(certificate)!r})

    def answer():
        with ours.wrap_socket(far, server_side=True) as secured:
            secured.sendall(secured.recv(1024).upper())

    answering = threading.Thread(target=answer)
    answering.start()
    with theirs.wrap_socket(near, server_hostname="server") as secured:
        secured.sendall(b"hello")
        assert secured.recv(1024) == b"HELLO"
    answering.join()
    listener.close()
    """
    )
    assert names(calls).count("close") == 3


def test_what_ssl_does_to_its_socket_by_itself_is_not_told(recorder: Recorder) -> None:
    calls = recorder.calls(
        PAIR
        + """
    import ssl
    near.settimeout(5)
    context = ssl.create_default_context()
    secured = context.wrap_socket(near, server_hostname="x", do_handshake_on_connect=False)
    secured.settimeout(7)
    for each in (secured, far, listener):
        each.close()
    """
    )
    told = [call for call in calls if call.function in ("settimeout", "getsockopt", "detach")]
    assert [(call.function, *call.arguments) for call in told] == [
        ("settimeout", 5),
        ("settimeout", 7),
    ]


def test_a_multipath_socket_counts_as_tcp(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import socket
        try:
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).close()
        except OSError:  # this kernel has none
            pass
    """)
    assert {call.kind for call in calls} == {"tcp"}


def test_a_unix_socket_is_told_by_its_path(recorder: Recorder, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    calls = recorder.calls(f"""
        import socket
        with socket.socket(socket.AF_UNIX) as it:
            it.bind({path!r})
    """)
    assert [(call.function, call.local) for call in calls][1] == ("bind", path)
