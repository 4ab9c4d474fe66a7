"""The kernel's tracing filesystem: a private instance with a few tracepoints switched on.

Documentation/trace/ftrace.rst and events.rst of the kernel. An instance has a buffer of its own;
nobody else's tracing is touched. It is named lab-PID-RANDOM, so that one which a killed process
left behind is known, and it stops recording when the process goes, however that comes about.
"""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from select import POLLIN, poll
from typing import Final

MOUNT_POINTS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
INSTANCE = re.compile(r"lab-(\d+)-[0-9a-f]{8}")
BUFFER = 4096  # KiB a CPU: about 80,000 events
WAKE = 25  # percent of it that wake the reader: until then tracing costs no process any time
CLONE_NEWNS: Final = 0x20000
MS_REC_PRIVATE: Final = 0x4000 | 0x40000

_libc = ctypes.CDLL(None, use_errno=True)


def mounted() -> Path | None:
    """Where the filesystem is mounted and may be written to by this process."""
    there = (path for path in MOUNT_POINTS if os.access(path / "instances", os.W_OK))
    return next(there, None)


def mount() -> Path:
    """Find the filesystem, or mount it for the calling thread alone (unshare(2)): nobody else sees
    that mount, and it goes with the thread. Raises OSError."""
    if found := mounted():
        return found
    point = MOUNT_POINTS[0]
    _check(_libc.unshare(CLONE_NEWNS))
    _check(_libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None))
    _check(_libc.mount(b"tracefs", str(point).encode(), b"tracefs", 0, None))
    return point


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "tracefs")


class Instance:
    """A buffer of our own in the tracing filesystem.

    Leaving the ``with`` block removes it, and what dead processes left: that takes long, and a run
    does not wait for it.
    """

    def __init__(self, tracefs: Path) -> None:
        """Make one. Raises OSError."""
        self._tracefs = tracefs
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
        self._pipe = os.open(self.path / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self._waiting = poll()
        self._waiting.register(self._pipe, POLLIN)

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._pipe)
        os.close(self._guard)
        for path in (self.path, *abandoned(self._tracefs)):
            remove(path)

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

    def drop_condition(self) -> str:
        """Of kfree_skb: drops for a reason that has a name; "" where they have none (before 5.17)."""
        with suppress(OSError):
            form = (self.path / "events/skb/kfree_skb/format").read_text()
            if number := re.search(r'\{ (\w+), "NOT_SPECIFIED" \}', form):
                return f"reason > {int(number[1], 0)}"
        self.missing.append("skb/kfree_skb")
        return ""

    def stop(self) -> None:
        """Record no more; what was recorded can still be read."""
        self.write("tracing_on", "0")

    def wait(self, milliseconds: int) -> bool:
        """Wait until it fills up; False: it has room, whatever is in it."""
        return bool(self._waiting.poll(milliseconds))

    def lines(self) -> Iterator[str]:
        """Every line that is there; the kernel hands out whole ones only."""
        with suppress(BlockingIOError):
            while octets := os.read(self._pipe, 1 << 16):
                yield from octets.decode(errors="replace").splitlines()


def port_condition(ports: Collection[str]) -> str:
    """Frames that leave through one of these interfaces; "veth*" is any whose name begins so."""
    return " || ".join(f'name ~ "{port}"' for port in ports)


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
