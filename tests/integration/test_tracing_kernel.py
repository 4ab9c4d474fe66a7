"""Tracepoints of this very kernel, on sockets of a network namespace of its own."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from capture_network import eventually, ip, own_network, veth

from lab.capture.tracefs import available
from lab.capture.tracing import FILE, Tracing
from lab.errors import RecordingError
from lab.evidence.events import (
    Began,
    Drop,
    Ended,
    ResetReceived,
    ResetSent,
    Retransmission,
    StateChange,
    Told,
    decode_events,
)
from services.sampling import counters
from tests.handmade import ethernet, ipv4, udp

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(available() is not None, reason=f"needs tracepoints: {available()}"),
]

ROOT = Path(__file__).parents[2]
SO_ATTACH_FILTER = 26
_Kind = TypeVar("_Kind", bound=Told)


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield


@pytest.fixture
def address() -> str:
    """Of this test alone: tracepoints tell of the whole machine."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"


def events(run: Path) -> tuple[Told, ...]:
    return decode_events((run / FILE).read_bytes())


def traced(
    run: Path, address: str, action: Callable[[], object], ports: tuple[str, ...] = ()
) -> tuple[Told, ...]:
    """What is told while something is done."""
    with Tracing(run, [address], ports) as tracing:
        tracing.await_recording()
        action()
        tracing.end()
        return events(run)


def only(told: tuple[Told, ...], kind: type[_Kind]) -> list[_Kind]:
    return [event for event in told if isinstance(event, kind)]


def instances(process: int) -> list[str]:
    """What the tracing filesystem holds of a process."""
    looking = (
        "import os; from lab.capture.tracefs import mount\n"
        "print(*os.listdir(mount() / 'instances'))"
    )
    said = subprocess.run([sys.executable, "-c", looking], cwd=ROOT, capture_output=True, text=True)
    return [name for name in said.stdout.split() if name.startswith(f"lab-{process}-")]


def refused(address: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, 9))


# ---------------------------------------------------------------- what is told


def test_a_connection_is_told_state_by_state(tmp_path: Path, address: str) -> None:
    def connect() -> None:
        with (
            socket.create_server((address, 0)) as listener,
            socket.create_connection(listener.getsockname()),
        ):
            pass

    changes = only(traced(tmp_path, address, connect), StateChange)
    clients = [(event.before, event.after) for event in changes if event.local[0] != address]
    assert clients[:2] == [("CLOSED", "SYN-SENT"), ("SYN-SENT", "ESTABLISHED")]
    assert ("LISTEN", "SYN-RECEIVED") in [(event.before, event.after) for event in changes]


def test_a_refused_connection_is_a_reset_at_both_ends(tmp_path: Path, address: str) -> None:
    told = traced(tmp_path, address, lambda: refused(address))
    (sent,), (received,) = only(told, ResetSent), only(told, ResetReceived)
    assert sent.local == received.peer == (address, 9)
    assert sent.time <= received.time


def test_an_events_time_lies_within_the_call_that_caused_it(tmp_path: Path, address: str) -> None:
    times: list[int] = []

    def refuse() -> None:
        times.append(time.time_ns())
        refused(address)
        times.append(time.time_ns())

    (sent,) = only(traced(tmp_path, address, refuse), ResetSent)
    rounding = 2_000  # the trace writes whole microseconds
    assert times[0] - rounding <= sent.time <= times[1] + rounding


def test_a_segment_that_nobody_acknowledges_is_sent_again(tmp_path: Path, address: str) -> None:
    def send_in_vain() -> None:
        with (
            socket.create_server((address, 0)) as listener,
            socket.create_connection(listener.getsockname()) as client,
            listener.accept()[0] as deaf,
        ):
            refuse_everything(deaf)
            client.sendall(b"in vain")
            assert eventually(lambda: is_sent_again(client))

    (first, *_) = only(traced(tmp_path, address, send_in_vain), Retransmission)
    assert (first.peer[0], first.state) == (address, "ESTABLISHED")


def refuse_everything(deaf: socket.socket) -> None:
    """Attach a filter (socket(7)) that throws away whatever arrives."""
    nothing = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))  # return 0
    program = struct.pack("HP", 1, ctypes.addressof(nothing))
    deaf.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def is_sent_again(client: socket.socket) -> bool:
    total_retrans = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[100:]
    return any(total_retrans)


def test_a_dropped_frame_is_told_with_its_reason_and_its_port(tmp_path: Path, address: str) -> None:
    port = f"p{os.getpid()}"
    told = traced(tmp_path, address, lambda: send_to_closed_port(port), (port,))
    (drop,) = [event for event in only(told, Drop) if event.length == len(UNWANTED)]
    assert (drop.reason, drop.port, drop.protocol) == ("NO_SOCKET", port, 0x0800)


UNWANTED = ethernet(
    ipv4(
        udp(b"unwanted", ports=(5000, 9), ends=("10.9.9.1", "10.9.9.2")),
        17,
        source="10.9.9.1",
        destination="10.9.9.2",
    )
)


def send_to_closed_port(port: str) -> None:
    """A datagram that leaves through a port, to a host where nobody listens."""
    veth(port, "host")
    ip("link set host address 02:00:00:00:00:02")
    ip("addr add 10.9.9.2/24 dev host")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((port, 0))
        out.send(bytes.fromhex("020000000002") + UNWANTED[6:])
    assert eventually(lambda: counters()["Udp.NoPorts"] == 1)


def test_nothing_is_told_of_other_addresses(tmp_path: Path, address: str) -> None:
    other = f"127.{255 - int(address.split('.')[1])}.0.1"
    told = traced(tmp_path, address, lambda: refused(other))
    assert [type(event) for event in told] == [Began, Ended]


# ---------------------------------------------------------------- what is left


def test_nothing_is_left_in_the_tracing_filesystem(tmp_path: Path, address: str) -> None:
    with Tracing(tmp_path, [address]) as tracing:
        tracing.await_recording()
        process = tracing.process
        assert len(instances(process)) == 1
    assert instances(process) == []


def test_what_a_killed_process_left_the_next_one_removes(tmp_path: Path, address: str) -> None:
    with Tracing(tmp_path, [address]) as killed:
        killed.await_recording()
        os.kill(killed.process, signal.SIGKILL)
    traced(tmp_path, address, lambda: None)
    assert instances(killed.process) == []


def test_the_file_belongs_to_the_owner_of_the_run(tmp_path: Path, address: str) -> None:
    os.chown(tmp_path, 4321, 4321)
    traced(tmp_path, address, lambda: None)
    assert (tmp_path / FILE).stat().st_uid == 4321


def test_it_ends_when_the_folder_has_gone(tmp_path: Path, address: str) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with Tracing(run, [address]) as tracing:
        tracing.await_recording()
        run.rename(tmp_path / "published")
        tracing.await_written()
    assert isinstance(events(tmp_path / "published")[-1], Ended)


def test_a_run_without_a_folder_cannot_be_traced(tmp_path: Path, address: str) -> None:
    with Tracing(tmp_path / "none", [address]) as tracing, pytest.raises(RecordingError):
        tracing.await_recording()


def test_without_privilege_it_says_what_is_missing() -> None:
    as_nobody = (
        "import os; from lab.capture.tracefs import available\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "print(available())"
    )
    said = subprocess.run(
        [sys.executable, "-c", as_nobody], cwd=ROOT, capture_output=True, text=True
    )
    assert "root" in said.stdout
