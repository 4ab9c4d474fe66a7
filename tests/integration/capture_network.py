"""Networks for the capture tests: namespaces without names, which go when their last user goes."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import POLLIN, poll

from lab.capture.ring import RawFrame, Ring

CLONE_NEWNET = 0x40000000
ETHERNET_HEADER = bytes.fromhex("020000000002 020000000001 88b5")  # a local experimental EtherType

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "cannot change the network namespace")


def enter_new_network() -> None:
    """Move this thread, for good, into a new network namespace without IPv6 (it would chatter)."""
    _check(_libc.unshare(CLONE_NEWNET))
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
    ip("link set lo up")


@contextmanager
def own_network() -> Iterator[None]:
    """Work in a new network namespace, which is gone afterwards."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        enter_new_network()
        yield
    finally:
        _check(_libc.setns(home, CLONE_NEWNET))
        os.close(home)


def ip(words: str) -> None:
    """Run ip(8); a failure shows what it said."""
    said = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=False)
    assert said.returncode == 0, f"ip {words}: {said.stderr}"


def veth(name: str, peer: str) -> int:
    """Make a pair that is up; the interface index of ``peer``."""
    ip(f"link add name {name} type veth peer name {peer}")
    ip(f"link set {name} up")
    ip(f"link set {peer} up")
    return socket.if_nametoindex(peer)


def frame(number: int = 0, size: int = 60) -> bytes:
    """A frame that carries its number, zero-filled to ``size`` octets."""
    return (ETHERNET_HEADER + number.to_bytes(4, "big")).ljust(size, b"\0")


def number(octets: bytes | memoryview) -> int:
    """The number that `frame` put into it."""
    return int.from_bytes(octets[14:18], "big")


def send(interface: str, *frames: bytes) -> None:
    """Send frames out of an interface."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        for octets in frames:
            out.send(octets)


def take(ring: Ring, count: int, seconds: float = 10) -> list[RawFrame]:
    """Wait for that many frames (or until there are no more) and copy them."""
    waiting, taken = poll(), list[RawFrame]()
    waiting.register(ring, POLLIN)
    while len(taken) < count and waiting.poll(seconds * 1000):
        for block in ring.blocks():
            taken += [one._replace(octets=bytes(one.octets)) for one in block]
    return taken


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether something that cannot be polled for comes true in time."""
    pause = poll()
    return any(condition() or bool(pause.poll(5)) for _ in range(int(seconds * 200)))


@contextmanager
def small_disk(octets: int) -> Iterator[Path]:
    """A file system with room for that much."""
    with tempfile.TemporaryDirectory() as folder:
        size = f"size={octets},mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
