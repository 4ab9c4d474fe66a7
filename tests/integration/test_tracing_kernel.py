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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from capture_network import eventually, ip, own_network, veth

from lab.backends.tracepoints import tracepoints
from lab.capture.tracefs import Instance, mount
from lab.capture.tracing import Trace
from lab.evidence.events import (
    Congestion,
    Drop,
    Ended,
    ResetReceived,
    ResetSent,
    Retransmission,
    StateChange,
    Told,
)
from services.sampling import counters
from tests.handmade import ethernet, ipv4, udp

LACKING = tracepoints()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING.remedy is not None, reason=f"needs tracepoints: {LACKING.found.en}"),
]

ROOT = Path(__file__).parents[2]
SO_ATTACH_FILTER = 26
KILLED = """
import os, signal
from lab.capture.tracefs import Instance, mount

instance = Instance(mount())
instance.enable("sock/inet_sock_set_state")
print(instance.path.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
_Kind = TypeVar("_Kind", bound=Told)


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield


@pytest.fixture
def address() -> str:
    """Of this test alone: tracepoints tell of the whole machine."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"


def traced(address: str, action: Callable[[], object], ports: tuple[str, ...] = ()) -> list[Told]:
    """What is told while something is done. Tracefs is seen by a thread of its own only."""

    def trace() -> list[Told]:
        with Instance(mount()) as instance:
            begun = Trace(instance, ports)
            begun.addresses.add(address)
            waiting.append(None)
            assert eventually(lambda: bool(done))
            return list(begun.end())

    waiting: list[None] = []
    done: list[None] = []
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(trace)
        assert eventually(lambda: bool(waiting) or told.done())
        try:
            action()
        finally:
            done.append(None)
        return told.result()


def only(told: list[Told], kind: type[_Kind]) -> list[_Kind]:
    return [event for event in told if isinstance(event, kind)]


def instances() -> list[str]:
    """What the tracing filesystem holds of the lab."""
    looking = (
        "import os; from lab.capture.tracefs import mount\n"
        "print(*os.listdir(mount() / 'instances'))"
    )
    said = subprocess.run([sys.executable, "-c", looking], cwd=ROOT, capture_output=True, text=True)
    return [name for name in said.stdout.split() if name.startswith("lab-")]


def refused(address: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, 9))


def test_a_connection_is_told_state_by_state(address: str) -> None:
    def connect() -> None:
        with (
            socket.create_server((address, 0)) as listener,
            socket.create_connection(listener.getsockname()),
        ):
            pass

    changes = only(traced(address, connect), StateChange)
    clients = [(event.before, event.after) for event in changes if event.local[0] != address]
    assert clients[:2] == [("CLOSED", "SYN-SENT"), ("SYN-SENT", "ESTABLISHED")]
    assert ("LISTEN", "SYN-RECEIVED") in [(event.before, event.after) for event in changes]


def test_a_refused_connection_is_a_reset_at_both_ends(address: str) -> None:
    told = traced(address, lambda: refused(address))
    (sent,), (received,) = only(told, ResetSent), only(told, ResetReceived)
    assert sent.local == received.peer == (address, 9)
    assert sent.time <= received.time


def test_an_events_time_lies_within_the_call_that_caused_it(address: str) -> None:
    times: list[int] = []

    def refuse() -> None:
        times.append(time.time_ns())
        refused(address)
        times.append(time.time_ns())

    (sent,) = only(traced(address, refuse), ResetSent)
    rounding = 2_000  # the trace writes whole microseconds
    assert times[0] - rounding <= sent.time <= times[1] + rounding


def test_a_segment_that_nobody_acknowledges_is_sent_again(address: str) -> None:
    def send_in_vain() -> None:
        with (
            socket.create_server((address, 0)) as listener,
            socket.create_connection(listener.getsockname()) as client,
            listener.accept()[0] as deaf,
        ):
            refuse_everything(deaf)
            client.sendall(b"in vain")
            assert eventually(lambda: times_sent_again(client) > 1)

    told = traced(address, send_in_vain)
    (first, *_) = only(told, Retransmission)
    assert (first.peer[0], first.state) == (address, "ESTABLISHED")
    entered = [event for event in only(told, Congestion) if event.peer[0] == address]
    assert "Loss" in [event.state for event in entered]


def refuse_everything(deaf: socket.socket) -> None:
    """Attach a filter (socket(7)) that throws away whatever arrives."""
    nothing = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))  # return 0
    program = struct.pack("HP", 1, ctypes.addressof(nothing))
    deaf.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def times_sent_again(client: socket.socket) -> int:
    """tcpi_total_retrans (tcp(7)): the first is a tail loss probe, the second a timeout's."""
    (total,) = struct.unpack_from(
        "=I", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 100
    )
    return int(total)


def test_a_dropped_frame_is_told_with_its_reason_and_its_port(address: str) -> None:
    port = f"p{os.getpid()}"
    told = traced(address, lambda: send_to_closed_port(port), (port,))
    drops = [event for event in only(told, Drop) if event.length == len(UNWANTED)]
    assert {(e.reason, e.port, e.protocol) for e in drops} == {("NO_SOCKET", port, 0x0800)}


def test_ports_may_be_named_by_their_beginning(address: str) -> None:
    port = f"p{os.getpid()}"
    told = traced(address, lambda: send_to_closed_port(port), (f"{port[:-1]}*",))
    assert {event.port for event in only(told, Drop) if event.length == len(UNWANTED)} == {port}


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
        assert eventually(lambda: arrives(out))


def arrives(out: socket.socket) -> bool:
    """Send it, again if need be: an interface that was just brought up may not carry it yet."""
    out.send(bytes.fromhex("020000000002") + UNWANTED[6:])
    return counters()["Udp.NoPorts"] > 0


def test_nothing_is_told_of_other_addresses(address: str) -> None:
    other = f"127.{255 - int(address.split('.')[1])}.0.1"
    told = traced(address, lambda: refused(other))
    assert [type(event) for event in told] == [Ended]


def test_nothing_is_left_in_the_tracing_filesystem(address: str) -> None:
    traced(address, lambda: None)
    assert [name for name in instances() if name.startswith(f"lab-{os.getpid()}-")] == []


def test_what_a_killed_process_left_the_next_one_removes(address: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    traced(address, lambda: None)
    assert killed.stdout.strip() not in instances()


def test_without_privilege_it_says_what_is_missing() -> None:
    as_nobody = (
        "import os; from lab.backends.tracepoints import tracepoints\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "found = tracepoints(); print(found.good, found.found, found.remedy)"
    )
    said = subprocess.run(
        [sys.executable, "-c", as_nobody], cwd=ROOT, capture_output=True, text=True
    )
    assert said.stdout.startswith("True")
    assert "root" in said.stdout
