"""The kernel's tracing filesystem: a private instance with a few tracepoints switched on.

Documentation/trace/ftrace.rst and events.rst of the kernel. An instance has a buffer of its own;
nobody else's tracing is touched. It is named lab-PID-RANDOM, so that one which a killed process
left behind is known, and it stops recording when the process goes, however that comes about.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Final

from lab.text import Text

MOUNT_POINTS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
INSTANCE = re.compile(r"lab-(\d+)-[0-9a-f]{8}")
BUFFER = 4096  # KiB a CPU: about 80,000 events
WAKE = 25  # percent of it that wake the reader: until then tracing costs no process any time
ADDRESSED = "saddr == {0} || daddr == {0}"
CAP_SYS_ADMIN: Final = 21
CLONE_NEWNS: Final = 0x20000
MS_REC_PRIVATE: Final = 0x4000 | 0x40000
WHOLE_MAP = "0 0 4294967295"  # of /proc/self/uid_map: the first user namespace

_libc = ctypes.CDLL(None, use_errno=True)

NO_KERNEL = Text(
    "this kernel was built without tracepoints (CONFIG_FTRACE)",
    "此内核未编译跟踪点（CONFIG_FTRACE）",
)
NO_ROOT = Text(
    "only root may read the kernel's tracepoints (sudo)", "只有 root 能读取内核跟踪点（sudo）"
)


def available() -> Text | None:
    """Why the tracepoints cannot be read here; None if they can."""
    if mounted() is not None:
        return None
    if "tracefs" not in Path("/proc/filesystems").read_text().split():
        return NO_KERNEL
    return None if _may_mount() else NO_ROOT


def mounted() -> Path | None:
    """Where the filesystem is mounted and may be written to by this process."""
    there = (path for path in MOUNT_POINTS if os.access(path / "instances", os.W_OK))
    return next(there, None)


def mount() -> Path:
    """Find the filesystem, or mount it for this process alone: nobody else sees that mount, and
    it goes with the process. Single-threaded processes only. Raises OSError."""
    if found := mounted():
        return found
    point = MOUNT_POINTS[0]
    _check(_libc.unshare(CLONE_NEWNS))
    _check(_libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None))
    _check(_libc.mount(b"tracefs", str(point).encode(), b"tracefs", 0, None))
    return point


def _may_mount() -> bool:
    status = Path("/proc/self/status").read_text()
    powers = int(status.partition("CapEff:")[2].split()[0], 16)
    users = " ".join(Path("/proc/self/uid_map").read_text().split())
    return bool(powers >> CAP_SYS_ADMIN & 1) and users == WHOLE_MAP


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "tracefs")


class Instance:
    """A buffer of our own in the tracing filesystem; leaving the ``with`` block removes it."""

    def __init__(self, tracefs: Path) -> None:
        """Remove what dead processes left behind, and make one. Raises OSError."""
        for left in abandoned(tracefs):
            remove(left)
        self.path = tracefs / "instances" / f"lab-{os.getpid()}-{os.urandom(4).hex()}"
        self.path.mkdir()
        self.missing: list[str] = []
        try:
            self._open()
        except OSError:
            remove(self.path)
            raise

    def _open(self) -> None:
        self.write("trace_clock", "mono")
        self.write("buffer_size_kb", str(BUFFER))
        with suppress(OSError):  # an older kernel: every event wakes the reader
            self.write("buffer_percent", str(WAKE))
        self.write("options/disable_on_free", "1")
        self._guard = os.open(self.path / "free_buffer", os.O_WRONLY)  # closed: recording stops
        self.pipe = os.open(self.path / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.pipe)
        os.close(self._guard)
        remove(self.path)

    def write(self, file: str, text: str) -> None:
        (self.path / file).write_text(text)

    def enable(self, event: str, condition: str = "") -> None:
        """Switch a tracepoint on ("tcp/tcp_send_reset"), if this kernel has it."""
        folder = f"events/{event}"
        if not (self.path / folder).is_dir():
            self.missing.append(event)
            return
        if condition:
            with suppress(OSError):  # a field that this kernel does not have: the reader filters
                self.write(f"{folder}/filter", condition)
        self.write(f"{folder}/enable", "1")

    def stop(self) -> None:
        """Record no more; what was recorded can still be read."""
        self.write("tracing_on", "0")

    def lines(self) -> Iterator[str]:
        """Every line that is there; the kernel hands out whole ones only."""
        with suppress(BlockingIOError):
            while octets := os.read(self.pipe, 1 << 16):
                yield from octets.decode(errors="replace").splitlines()


def drop_condition(tracefs: Path) -> str:
    """Of kfree_skb: drops for a reason that the kernel names; "" if it names none (before 5.17)."""
    with suppress(OSError):
        form = (tracefs / "events/skb/kfree_skb/format").read_text()
        if number := re.search(r'\{ (\w+), "NOT_SPECIFIED" \}', form):
            return f"reason > {int(number[1], 0)}"
    return ""


def address_condition(addresses: Collection[str]) -> str:
    """Events with one of these IPv4 addresses at either end. An IPv6 address is too long for a
    filter of the kernel's: with one among them, every event of IPv6 passes."""
    parsed = [ip_address(address) for address in addresses]
    words = [
        ADDRESSED.format(int.from_bytes(address.packed, sys.byteorder))
        for address in parsed
        if isinstance(address, IPv4Address)
    ]
    return " || ".join([*words, *["family == 10"] * any(a.version == 6 for a in parsed)])


def port_condition(ports: Collection[str]) -> str:
    """Frames that leave through one of these interfaces."""
    return " || ".join(f'name == "{port}"' for port in ports)


def abandoned(tracefs: Path) -> Iterator[Path]:
    """Instances of the lab whose process is gone."""
    for path in (tracefs / "instances").iterdir():
        match = INSTANCE.fullmatch(path.name)
        if match and not Path("/proc", match[1]).exists():
            yield path


def remove(instance: Path) -> None:
    """Remove an instance. One that is still being read, by a process that only another PID
    namespace knows, stays (EBUSY)."""
    with suppress(OSError):
        instance.rmdir()


def clock_offset() -> tuple[int, int]:
    """(ns from CLOCK_MONOTONIC to CLOCK_REALTIME, ns by which that may be wrong)."""

    def measure() -> tuple[int, int]:
        before, monotonic, after = time.time_ns(), time.monotonic_ns(), time.time_ns()
        return after - before, (before + after) // 2 - monotonic

    span, offset = min(measure() for _ in range(20))
    return offset, span // 2
