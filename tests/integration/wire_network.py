"""Two hosts on a bridge for the wire's tests, and the relay between them: real ones, soon gone.

The switch is the test's own network namespace; each host is another, entered only to open a socket
(a socket stays in the network it was opened in).
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from capture_network import CLONE_NEWNET, eventually, ip, own_network, send

from lab.capture.tap import Tap
from lab.evidence.touched import WireLog, decode_touched
from lab.packets.frames import Capture
from lab.packets.reader import read_capture
from lab.wire.rules import Rule, encode_rules
from services.offload import turn_off

ADDRESSES = {"client": "10.9.0.1", "server": "10.9.0.2"}
PORT = 5500


_libc = ctypes.CDLL(None, use_errno=True)


def _enter(network: int) -> None:
    if _libc.setns(network, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")


@dataclass(frozen=True, slots=True)
class Host:
    """A network namespace with one cable to the switch."""

    name: str
    network: int  # a descriptor of it
    port: int  # interface index at the switch

    @contextmanager
    def inside(self) -> Iterator[None]:
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            _enter(self.network)
            yield
        finally:
            _enter(home)
            os.close(home)

    def socket(self, kind: int = socket.SOCK_STREAM) -> socket.socket:
        with self.inside():
            opened = socket.socket(socket.AF_INET, kind)
        opened.settimeout(10)
        return opened

    def listener(self) -> socket.socket:
        opened = self.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((ADDRESSES[self.name], PORT))
        opened.listen()
        return opened

    def bound(self) -> socket.socket:
        """A UDP socket on its address."""
        opened = self.socket(socket.SOCK_DGRAM)
        opened.bind((ADDRESSES[self.name], PORT))
        return opened

    def send_raw(self, octets: bytes) -> None:
        """Send a frame as it is."""
        with self.inside():
            send("eth0", octets)


@contextmanager
def _host(name: str, bridge: str, offload: bool) -> Iterator[Host]:
    with own_network():
        network = os.open("/proc/self/ns/net", os.O_RDONLY)
    path = f"/proc/{os.getpid()}/fd/{network}"
    ip(f"link add {name} type veth peer name eth0 netns {path}")
    ip(f"link set {name} master {bridge} up")
    host = Host(name, network, socket.if_nametoindex(name))
    with host.inside():
        if not offload:
            turn_off("eth0")
        ip(f"addr add {ADDRESSES[name]}/24 dev eth0")
        ip("link set eth0 up")
    try:
        yield host
    finally:
        os.close(network)


@contextmanager
def lab(*, offload: bool = False) -> Iterator[tuple[Host, Host]]:
    """A client and a server on one bridge, in a network that is the test's alone."""
    with own_network(), ExitStack() as stack:
        ip("link add switch type bridge")
        ip("link set switch up")
        client = stack.enter_context(_host("client", "switch", offload))
        server = stack.enter_context(_host("server", "switch", offload))
        yield client, server


class Wire:
    """A relay at work; what it wrote is there once it has ended."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process, self._log = process, log
        self.said = ""  # on stderr, once it has ended

    def end(self) -> WireLog:
        """Take it down and read its log."""
        self.process.send_signal(signal.SIGTERM)
        _, self.said = self.process.communicate(timeout=10)
        assert self.process.returncode == 0, self.said
        return decode_touched(self._log.read_bytes())


def command(folder: Path, rules: Sequence[Rule], **ports: int) -> list[str]:
    (folder / "rules.json").write_bytes(encode_rules(rules))
    words = [sys.executable, "-m", "lab.wire.relay", "--rules", str(folder / "rules.json")]
    words += [word for name, port in ports.items() for word in ("--port", f"{name}={port}")]
    return [*words, "--log", str(folder / "wire.jsonl"), "--ready", str(folder / "ready")]


@contextmanager
def wire(folder: Path, hosts: Sequence[Host], *rules: Rule) -> Iterator[Wire]:
    """A relay between these hosts, ready."""
    words = command(folder, rules, **{host.name: host.port for host in hosts})
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        ready = folder / "ready"
        assert eventually(lambda: ready.exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]
        yield Wire(process, folder / "wire.jsonl")
    finally:
        process.kill()
        process.communicate()


class Taps:
    """Both ports recorded."""

    def __init__(self, folder: Path, hosts: Sequence[Host]) -> None:
        self._taps = [Tap(host.name, host.port, folder / f"{host.name}.pcapng") for host in hosts]

    def end(self) -> list[Capture]:
        """Stop, and read what each port saw; nothing may be missing."""
        assert [tap.finish().dropped for tap in self._taps] == [0] * len(self._taps)
        return [read_capture(tap.path.read_bytes()) for tap in self._taps]

    def close(self) -> None:
        for tap in self._taps:
            tap.close()


@contextmanager
def taps(folder: Path, hosts: Sequence[Host]) -> Iterator[Taps]:
    """Record these hosts' ports."""
    recording = Taps(folder, hosts)
    try:
        yield recording
    finally:
        recording.close()
