"""The witness on real sockets, in a network namespace of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from capture_network import eventually, ip, own_network, veth

from lab.evidence.states import (
    Appeared,
    Counters,
    Life,
    Line,
    Sample,
    Sysctls,
    Vanished,
    decode_states,
    lives,
    stays,
)

pytestmark = pytest.mark.root

ROOT = Path(__file__).parents[2]
LOOPBACK = ("127.0.0.1", 0)


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield


class Watched:
    """A witness at work, and what it has written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        words = [sys.executable, "-m", "services.witness", "host", "--run", str(folder)]
        self.process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        assert eventually(lambda: bool(self.lines()))

    def lines(self) -> tuple[Line, ...]:
        path = self.folder / "host.states.jsonl"
        return decode_states(path.read_bytes()) if path.exists() else ()

    def lives(self) -> tuple[Life, ...]:
        return lives(self.lines())

    def comes(self, condition: Callable[[Life], bool]) -> bool:
        """Whether a socket comes to be like that."""
        found: bool = eventually(lambda: any(map(condition, self.lives())))
        return found

    def is_seen(self, end: socket.socket, state: str) -> bool:
        """Whether the socket with this end's local address and port comes into a state."""
        local = end.getsockname()
        return self.comes(lambda life: life.local == local and state in states(life))

    def end(self) -> int:
        self.process.terminate()
        self.process.communicate(timeout=20)
        return self.process.returncode


def states(life: Life) -> list[str]:
    return [stay.state for stay in stays(life, last=0)]


def latest(life: Life, number: str) -> int | None:
    return life.moments[-1].numbers.get(number)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.end()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(LOOPBACK, backlog=7) as listener:
        yield listener


@pytest.fixture
def pair(listener: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection: the client's end, the server's."""
    with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as server:
        yield client, server


# ---------------------------------------------------------------- states


def test_a_listener_is_seen_with_its_backlog(witness: Watched, listener: socket.socket) -> None:
    assert witness.is_seen(listener, "LISTEN")
    (life,) = witness.lives()
    assert latest(life, "backlog") == 7


def test_connections_that_nobody_accepts_are_counted(
    witness: Watched, listener: socket.socket
) -> None:
    with (
        socket.create_connection(listener.getsockname()),
        socket.create_connection(listener.getsockname()),
    ):
        assert witness.comes(lambda life: latest(life, "accept_queue") == 2)


def test_a_half_open_connection_is_in_syn_received_then_established_as_one_socket(
    witness: Watched, listener: socket.socket
) -> None:
    # TCP_DEFER_ACCEPT: the third segment is ignored, the first data completes the handshake
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
    with socket.create_connection(listener.getsockname()) as client:
        ends = (listener.getsockname(), client.getsockname())
        assert witness.comes(
            lambda life: (life.local, life.peer) == ends and states(life) == ["SYN-RECEIVED"]
        )
        client.sendall(b"now")
        assert witness.comes(
            lambda life: (
                (life.local, life.peer) == ends and states(life) == ["SYN-RECEIVED", "ESTABLISHED"]
            )
        )


def test_both_ends_of_a_connection_are_established(
    witness: Watched, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, server = (end.getsockname() for end in pair)
    for local, peer in ((client, server), (server, client)):
        assert witness.comes(
            lambda life, ends=(local, peer): (
                (life.local, life.peer) == ends  # type: ignore[misc]
                and states(life) == ["ESTABLISHED"]
            )
        )


def test_a_half_close_is_fin_wait_2_here_and_close_wait_there(
    witness: Watched, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, server = pair
    client.shutdown(socket.SHUT_WR)
    assert witness.is_seen(client, "FIN-WAIT-2")
    assert witness.is_seen(server, "CLOSE-WAIT")


def test_who_closes_first_stays_in_time_wait(
    witness: Watched, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, server = pair
    local = client.getsockname()
    client.close()
    server.close()
    assert witness.comes(lambda life: life.local == local and states(life)[-1] == "TIME-WAIT")
    (life,) = (life for life in witness.lives() if life.local == local)
    assert life.moments[-1].timer == "time-wait"
    assert 50_000 < life.moments[-1].expires <= 60_000


def test_a_connection_that_nothing_answers_is_in_syn_sent_with_a_timer(witness: Watched) -> None:
    veth("here", "nowhere")
    ip("addr add 10.9.9.1/24 dev here")
    ip("neigh add 10.9.9.2 lladdr 02:00:00:00:00:02 dev here")
    with socket.socket() as caller:
        caller.setblocking(False)
        caller.connect_ex(("10.9.9.2", 80))
        assert witness.is_seen(caller, "SYN-SENT")
        (life,) = witness.lives()
        assert life.moments[0].timer == "retransmission"


def test_a_closed_socket_vanishes(witness: Watched, listener: socket.socket) -> None:
    assert witness.is_seen(listener, "LISTEN")
    listener.close()
    assert eventually(lambda: any(isinstance(line, Vanished) for line in witness.lines()))


def test_a_udp_socket_is_seen_with_what_waits_in_it(witness: Watched) -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as receiver,
        socket.socket(type=socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(LOOPBACK)
        sender.sendto(b"waits", receiver.getsockname())
        local = receiver.getsockname()
        assert witness.comes(
            lambda life: (
                (life.protocol, life.local) == ("udp", local) and (latest(life, "recv_q") or 0) > 0
            )
        )


def test_an_ipv4_connection_to_a_dual_stack_listener_has_ipv4_addresses(witness: Watched) -> None:
    with (
        socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener,
        socket.create_connection(("127.0.0.1", listener.getsockname()[1])) as client,
    ):
        assert witness.comes(lambda life: life.peer == client.getsockname())


# ---------------------------------------------------------------- numbers and times


def test_octets_that_nobody_reads_fill_the_receive_queue(
    witness: Watched, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, server = pair
    client.sendall(bytes(1000))
    ends = (server.getsockname(), client.getsockname())
    assert witness.comes(
        lambda life: (
            (life.local, life.peer) == ends
            and (latest(life, "recv_q"), latest(life, "bytes_received")) == (1000, 1000)
        )
    )


def test_a_change_lies_between_two_samples(
    witness: Watched, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, _ = pair
    client.shutdown(socket.SHUT_WR)
    assert witness.is_seen(client, "FIN-WAIT-2")
    samples = [line for line in witness.lines() if isinstance(line, Sample)]
    assert all(sample.since < sample.before <= sample.time for sample in samples)


def test_what_was_there_before_sampling_has_no_beginning(
    listener: socket.socket, witness: Watched
) -> None:
    (line,) = (line for line in witness.lines() if isinstance(line, Appeared))
    assert line.since == 0


# ---------------------------------------------------------------- beginning and end


def test_the_first_line_has_the_sysctls(witness: Watched) -> None:
    first = witness.lines()[0]
    assert isinstance(first, Sysctls)
    assert first.values["net.ipv4.tcp_syn_retries"].isdigit()


def test_sigterm_writes_how_the_counters_grew(
    witness: Watched, pair: tuple[socket.socket, socket.socket]
) -> None:
    assert witness.end() == 0
    last = witness.lines()[-1]
    assert isinstance(last, Counters)
    assert (last.values["Tcp.ActiveOpens"], last.values["Tcp.PassiveOpens"]) == (1, 1)
    assert 0 not in last.values.values()


def test_sigterm_takes_a_last_sample_first(witness: Watched, listener: socket.socket) -> None:
    witness.process.send_signal(signal.SIGSTOP)
    with socket.create_connection(listener.getsockname()) as client:
        witness.process.terminate()
        witness.process.send_signal(signal.SIGCONT)
        witness.process.wait(timeout=20)
        assert any(life.local == client.getsockname() for life in witness.lives())


def test_it_ends_when_the_folder_has_gone(witness: Watched) -> None:
    witness.folder.rename(witness.folder.with_name("published"))
    assert witness.process.wait(timeout=20) == 0
    witness.folder = witness.folder.with_name("published")
    assert isinstance(witness.lines()[-1], Counters)


def test_it_ends_when_whoever_started_it_has_gone(tmp_path: Path) -> None:
    starting = (
        "import subprocess, sys\n"
        "words = [sys.executable, '-m', 'services.witness', 'host', '--run', sys.argv[1]]\n"
        "print(subprocess.Popen(words).pid, flush=True)\n"
        "input()\n"
    )
    words = [sys.executable, "-c", starting, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe) as starter:
        file = tmp_path / "host.states.jsonl"
        assert eventually(lambda: file.exists() and b"\n" in file.read_bytes())
        starter.kill()
    assert eventually(lambda: isinstance(decode_states(file.read_bytes())[-1], Counters))


def test_a_file_that_cannot_be_written_is_exit_code_1(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "services.witness", "host", "--run", str(tmp_path / "none")]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 1
    assert said.stderr.startswith("witness: ")


def test_alone_it_prints_a_line_a_change(listener: socket.socket) -> None:
    words = [sys.executable, "-m", "services.witness"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as alone:
        assert alone.stdout
        line = alone.stdout.readline()
        alone.send_signal(signal.SIGINT)
    assert "appeared tcp 127.0.0.1" in line
    assert "LISTEN" in line
    assert alone.returncode == 0


def test_it_needs_no_privilege(listener: socket.socket) -> None:
    as_nobody = (
        "import os, services.witness\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "from services.witness import Ending, attend, table\n"
        "attend(table(0), Ending(None, os.getppid()))\n"
    )
    words = [sys.executable, "-c", as_nobody]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as alone:
        assert alone.stdout
        line = alone.stdout.readline()
        alone.terminate()
    assert "LISTEN" in line
